"""What changed in a program, over every kind of row at once: who, when, by which door, and whose row it was.

Values are not among it: they are shown row by row, where whoever looks at what others say is noted.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import CharField, F, Model, QuerySet, TextField, Value
from django.db.models.functions import Cast

from tracker.events.doors import Door
from tracker.events.history import Tracked, path_to_program

DEEDS = {"+": "made", "~": "changed", "-": "removed"}
# What tells people which row it was, as the first of these that a kind of row has.
NAMED_BY = (
    "name",
    "title",
    "enrollment__person__name",
    "leaning__enrollment__person__name",
    "decision__enrollment__person__name",
    "application__enrollment__person__name",
    "person__name",
    "reader__name",
    "rater__name",
    "author__name",
    "rating__rater__name",
    "milestone__title",
    "output__title",
    "submission__project__title",
    "project__title",
    "statement__project__title",
    "claim__text",
    "rubric__name",
    "benchmark__name",
    "stage__name",
    "rule__stage__name",
    "cohort__name",
    "program__name",
)


@dataclass(frozen=True)
class Span:
    """Which changes are asked for; ``by`` is the primary key of an account."""

    since: datetime
    until: datetime
    door: str = ""
    by: int | None = None


@dataclass(frozen=True)
class Entry:
    """What somebody did to one row, or in one second to several of a kind; the first is named."""

    at: datetime
    deed: str
    door: str
    by: int | None
    kind: str
    name: str
    others: int = 0


def changes_in(program: Model, user: Any, span: Span, *, most: int) -> list[Entry]:
    """What this user may know of the newest ``most`` changes, in one query over all kinds of rows."""
    kinds = [kept_of(model, program, user, span) for model in tracked_in_programs()]
    rows = kinds[0].union(*kinds[1:], all=True).order_by("-told_at", "told_kind")[:most]
    return [folded(list(same)) for _, same in groupby(rows, key=deed_of)]


def deed_of(row: tuple[Any, ...]) -> tuple[Any, ...]:
    at, *deed, _ = row
    return (at.replace(microsecond=0), *deed)


def folded(same: list[tuple[Any, ...]]) -> Entry:
    at, deed, door, by, kind, name = same[0]
    return Entry(at, DEEDS[deed], str(Door(door).label), by, kind, name or "", others=len(same) - 1)


def kept_of(model: type[Tracked], program: Model, user: Any, span: Span) -> QuerySet[Any, Any]:
    within = {
        path_to_program(model): program.pk,
        "history_date__gte": span.since,
        "history_date__lt": span.until,
    }
    if span.door:
        within["door"] = span.door
    if span.by is not None:
        within["history_user"] = span.by
    rows = model.history.visible_to(user).filter(**within).order_by()
    told = rows.annotate(
        told_at=F("history_date"),
        told_kind=Value(str(model._meta.verbose_name), output_field=CharField()),
        told_name=Cast(F(path_to_name(model)), TextField()),
    )
    found: QuerySet[Any, Any] = told.values_list(
        "told_at", "history_type", "door", "history_user_id", "told_kind", "told_name"
    )
    return found


@cache
def tracked_in_programs() -> tuple[type[Tracked], ...]:
    """Kinds of rows that belong to a program; who somebody is, and what a fund is called, belongs to none."""
    return tuple(
        model for model in apps.get_models() if issubclass(model, Tracked) and path_to_program(model)
    )


@cache
def path_to_name(model: type[Model]) -> str:
    """The way from a row to words that name it."""
    return next(path for path in NAMED_BY if leads_somewhere(model, path))


def leads_somewhere(model: type[Model], path: str) -> bool:
    here: Any = model
    for name in path.split("__"):
        try:
            field = here._meta.get_field(name)
        except (AttributeError, FieldDoesNotExist):
            return False
        if not field.concrete:
            return False
        here = field.related_model
    return here is None
