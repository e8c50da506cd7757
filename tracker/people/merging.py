"""Two entries of one person become one: seen first, then done; nothing is lost and nothing counts twice.

Every model that points at a person may say in its QuerySet how its rows are merged
(``merge_people(name, kept=..., doubled=...)``); where it says nothing they are moved as they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models, transaction

from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.people.models import Person, Visitor


@dataclass(frozen=True)
class Preview:
    """What would move, by what it is called, and why it cannot be done where it cannot."""

    kept: Person
    doubled: Person
    moves: list[tuple[str, int]]
    hindrances: list[str]


def relations() -> Iterator[tuple[Any, str]]:
    """Each model that points at a person, and by which field."""
    for relation in Person._meta.get_fields(include_hidden=True):
        model: Any = relation.related_model
        points_here = relation.auto_created and (relation.one_to_many or relation.one_to_one)
        if points_here and model is not Person and not hasattr(model, "instance_type"):
            yield model, relation.field.name  # type: ignore[union-attr]


def preview_merge(kept: Person, doubled: Person, *, seen_by: Visitor) -> Preview:
    """What ``merge_people`` would do, as far as this user may know of it; nothing is changed."""
    moves = []
    for model, name in relations():
        rows = model._default_manager.all()
        if hasattr(rows, "visible_to") and not is_frozen(model):
            count = rows.visible_to(seen_by).filter(**{name: doubled}).count()
            moves += [(str(model._meta.verbose_name_plural), count)] if count else []
    return Preview(kept, doubled, moves, [*hindrances(kept, doubled)])


def hindrances(kept: Person, doubled: Person) -> Iterator[str]:
    if kept.pk == doubled.pk:
        yield "This is the same entry: choose another."
    if kept.program_id != doubled.program_id:
        yield "They are in different programs: an entry belongs to one."
    for person in (kept, doubled):
        if person.merged_into_id is not None:
            yield f"{person} has been merged already."
    if kept.kind != doubled.kind:
        yield "One is a human and one is a model."
    if any(hasattr(person, "api_key") for person in (kept, doubled)):
        yield "An API key is nobody's double."
    for model, name in relations():
        judge = getattr(model._default_manager.all(), "hindrances_to_merging", None)
        if judge is not None:
            yield from judge(name, kept=kept, doubled=doubled)


def is_frozen(model: type[models.Model]) -> bool:
    """What was computed in the past stays as it was; the next fit sees one person."""
    return getattr(model._default_manager.all(), "stays_on_merging", False)


def merge_people(kept: Person, doubled: Person, *, by: UUID | None = None) -> None:
    """Everything of the doubled entry is the kept one's from now on."""
    with transaction.atomic():
        list(Person.objects.select_for_update(of=("self",)).filter(pk__in=(kept.pk, doubled.pk)))
        doubled.refresh_from_db()
        for sentence in hindrances(kept, doubled):
            raise RuleBroken(sentence, code="not-mergeable")
        for model, name in relations():
            move(model._default_manager.all(), name, kept, doubled)
        doubled.fold_into(kept)
        Event.objects.write(
            "person.merged",
            program=kept.program.public_id,
            subject=kept.public_id,
            actor=by,
            doubled=str(doubled.public_id),
        )


def move(rows: Any, name: str, kept: Person, doubled: Person) -> None:
    if is_frozen(rows.model):
        return
    own = getattr(rows, "merge_people", None)
    if own is not None:
        own(name, kept=kept, doubled=doubled)
    elif rows.model._meta.auto_created:
        move_links(rows, name, kept, doubled)
    else:
        rows.filter(**{name: doubled}).update(**{name: kept})


def move_links(rows: Any, name: str, kept: Person, doubled: Person) -> None:
    """Of a bare link between two models there is one for each pair."""
    (other,) = (field.name for field in rows.model._meta.fields if field.is_relation and field.name != name)
    twice = rows.filter(**{name: kept}).values(other)
    rows.filter(**{name: doubled, f"{other}__in": twice}).delete()
    rows.filter(**{name: doubled}).update(**{name: kept})
