"""Tracked: a model whose every change is kept, with who, when, what and by which door.

``class Track(Tracked)`` is all it takes, and a QuerySet that is a ``TrackedQuerySet``. Whatever way rows change, one
statement in the same transaction copies them as the database then has them.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, ClassVar, Self, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models, router, transaction
from django.db.models import Q
from django.utils import timezone
from simple_history.manager import HistoricalQuerySet
from simple_history.models import HistoricalRecords

from tracker.events.doors import Door, entered

PROGRAM = "people.Program"
ROWS_AT_ONCE = 5_000
Row = TypeVar("Row", bound=models.Model, covariant=True)


class Past(HistoricalQuerySet):
    """What rows of one model were."""

    def visible_to(self, user: Any) -> Self:
        """Leads and auditors of its program; one's own facts; and never who said what of whom to others."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        seen = self._seen_by_lead(user) | self._seen_by_auditor(user)
        told_to = self.model.instance_type.history_told_to
        return self.filter(seen | Q(**{told_to: user}) if told_to else seen)

    def _seen_by_lead(self, user: Any) -> Q:
        """What they may see of rows that stand, and what is gone."""
        rows = self.model.instance_type._default_manager
        may_see = Q(id__in=rows.visible_to(user).values("pk")) if hasattr(rows, "visible_to") else Q()
        gone = ~Q(id__in=rows.values("pk"))
        return self._within(user.programs_as("lead")) & (may_see | gone)

    def _seen_by_auditor(self, user: Any) -> Q:
        closed = self.model.instance_type.history_is_for_leads
        return NOTHING if closed else self._within(user.programs_as("auditor"))

    def _within(self, programs: models.QuerySet[Any]) -> Q:
        path = path_to_program(self.model.instance_type)
        return Q(**{f"{path}__in": programs}) if path else NOTHING


NOTHING = Q(pk__in=[])


class HistoryRow(models.Model):
    door = models.CharField(max_length=10, choices=Door, default=Door.COMMAND)

    class Meta:
        abstract = True


class Records(HistoricalRecords):
    """As the library's, but each row is copied from the database and knows its door."""

    def fields_included(self, model: Any) -> list[Any]:
        kept = super().fields_included(model)
        return [field for field in kept if field.name not in model.history_leaves_out]

    def copy_fields(self, model: Any) -> dict[str, Any]:
        """Looked up by the row whose history it is, and by nothing else."""
        fields: dict[str, Any] = super().copy_fields(model)
        for name, field in fields.items():
            field.db_index = name == model._meta.pk.name
        return fields

    def get_meta_options(self, model: Any) -> dict[str, Any]:
        return {**super().get_meta_options(model), "ordering": ("-history_id",)}

    def post_save(self, instance: Any, created: bool, using: Any = None, **kwargs: Any) -> None:
        changed = kwargs.get("update_fields")
        if not kwargs.get("raw") and (changed is None or is_kept(type(instance), changed)):
            write_down(type(instance), [instance.pk], "+" if created else "~", using=using)

    def pre_delete(self, instance: Any, using: Any = None, **kwargs: Any) -> None:
        write_down(type(instance), [instance.pk], "-", using=using)

    def post_delete(self, instance: Any, using: Any = None, **kwargs: Any) -> None:
        """Written before, while the row was there to be copied."""


class TrackedQuerySet(models.QuerySet[Row]):
    """Rows whose changes are kept, those of many rows at once too."""

    def update(self, **values: Any) -> int:
        if not is_kept(self.model, values):
            return super().update(**values)
        with transaction.atomic(using=self.db, savepoint=False):
            chosen = [row.pk for row in self.select_for_update(of=("self",)).order_by().only("pk")]
            count = sum(
                models.QuerySet.update(self.filter(pk__in=some), **values) for some in portions(chosen)
            )
            write_down(self.model, chosen, "~", using=self.db)
        return count

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        if kwargs.get("ignore_conflicts") or kwargs.get("update_conflicts"):
            raise NotImplementedError("Which rows this makes or changes isn't told, so it can't be kept.")
        with transaction.atomic(using=self.db, savepoint=False):
            made = super().bulk_create(objs, *args, **kwargs)
            write_down(self.model, [row.pk for row in made], "+", using=self.db)
        return made


class Tracked(models.Model):
    """Every change of its rows is kept."""

    # Columns whose values are not copied: secrets, and what changes by looking.
    history_leaves_out: ClassVar[tuple[str, ...]] = ()
    # The way to the user whose own fact a row is, and who may therefore see what became of it.
    history_told_to: ClassVar[str] = ""
    # What tells who judged whom, or what somebody wrote in confidence, is not for auditors either.
    history_is_for_leads: ClassVar[bool] = False

    history = Records(
        inherit=True,
        bases=[HistoryRow],
        historical_queryset=Past,
        history_id_field=models.BigAutoField(),
    )

    class Meta:
        abstract = True

    def save_base(self, *args: Any, **kwargs: Any) -> None:
        """The row and what is kept of it, in one transaction."""
        with transaction.atomic(using=kwargs.get("using") or DEFAULT_DB_ALIAS, savepoint=False):
            super().save_base(*args, **kwargs)


def is_kept(model: Any, names: Iterable[str]) -> bool:
    """Whether a change of these columns is to be found in the history; migrations' models have none."""
    return issubclass(model, Tracked) and bool(set(names) - set(model.history_leaves_out))


def portions(keys: list[Any]) -> Iterator[list[Any]]:
    return (keys[start : start + ROWS_AT_ONCE] for start in range(0, len(keys), ROWS_AT_ONCE))


def write_down(model: Any, keys: list[Any], kind: str, *, using: str | None = None) -> None:
    """Copy these rows, as they are now, into their history."""
    alias = using or router.db_for_write(model)
    past, connection, entry = model.history.model._meta, connections[alias], entered()
    told = {
        "history_date": timezone.now(),
        "history_type": kind,
        "history_user_id": entry.user_id,
        "door": entry.door,
    }
    copied = [field.attname for field in past.model.tracked_fields]
    columns = [field for field in past.concrete_fields if field.attname in (*told, *copied)]
    columns.sort(key=lambda field: (*told, *copied).index(field.attname))
    values = [field.get_db_prep_save(told[field.attname], connection) for field in columns[: len(told)]]
    into = ", ".join(connection.ops.quote_name(field.column) for field in columns)
    marks = ", ".join(["%s"] * len(told))
    with connection.cursor() as cursor:
        for some in portions(keys):
            rows: Any = (
                models.QuerySet(model, using=alias).filter(pk__in=some).order_by("pk").values_list(*copied)
            )
            select, params = rows.query.get_compiler(alias).as_sql()
            insert = f"INSERT INTO {connection.ops.quote_name(past.db_table)} ({into})"
            cursor.execute(f"{insert} SELECT {marks}, kept.* FROM ({select}) kept", (*values, *params))


@cache
def path_to_program(model: Any) -> str:
    """The shortest way over relations from a model's rows to the program they belong to, if there is one."""
    if model._meta.label == PROGRAM:
        return "id"
    ways: list[tuple[tuple[str, ...], Any]] = [((), model)]
    met = {model}
    while ways:
        names, here = ways.pop(0)
        for field in sorted(here._meta.fields, key=lambda field: field.null):
            there = field.related_model if field.many_to_one or field.one_to_one else None
            if there is not None and there._meta.label == PROGRAM:
                return "__".join((*names, field.name))
            if there is not None and there not in met:
                met.add(there)
                ways.append(((*names, field.name), there))
    return ""
