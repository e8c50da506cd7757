"""From rows of a request to drafts of ratings: one and many are read and judged by the same code."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import models, transaction
from rest_framework.exceptions import ValidationError

from tracker.api.errors import RowsMalformed, first_fault
from tracker.api.serializers.ratings import RatingRowSerializer
from tracker.errors import RuleBroken, RulesBroken
from tracker.people.models import Person, Program, User
from tracker.projects.models import Output
from tracker.ratings.models import Rating
from tracker.ratings.rules import Draft

Faults = list[tuple[int, RuleBroken]]
Rows = dict[int, dict[str, Any]]


def record_rows(rows: Sequence[Any], *, program: Program, by: User, dry_run: bool = False) -> list[Rating]:
    """Record all rows, or none and name every fault of each; a dry run records none and judges the same."""
    read, faults = read_rows(rows)
    drafts, unknown = find_drafts(read, by)
    faults += unknown
    with transaction.atomic():
        recorded: list[Rating] = []
        try:
            recorded = Rating.objects.record_all(list(drafts.values()), program=program, by=by.public_id)
        except RulesBroken as broken:
            numbers = list(drafts)
            broken_rows = [(numbers[place], fault) for place, fault in broken.faults]
            if not faults:
                raise RulesBroken(broken_rows) from None
            faults += broken_rows
        if faults:
            raise RowsMalformed(sorted(faults, key=row_number))
        if dry_run:
            transaction.set_rollback(True)
    return recorded


def row_number(fault: tuple[int, RuleBroken]) -> int:
    return fault[0]


def read_rows(rows: Sequence[Any]) -> tuple[Rows, Faults]:
    """The rows that are well formed, by their number, and what is wrong with the others."""
    reader = RatingRowSerializer()
    read: Rows = {}
    faults: Faults = []
    for number, row in enumerate(rows):
        try:
            read[number] = reader.run_validation(row)
        except ValidationError as error:
            field, sentence = first_fault(error.detail)
            message = f"{field}: {sentence}" if field else sentence
            faults.append((number, RuleBroken(message, code="malformed", field=field)))
    return read, faults


def find_drafts(rows: Rows, user: User) -> tuple[dict[int, Draft], Faults]:
    """The rows with their outputs and readers, as far as the user may see them."""
    outputs = by_public_id(Output.objects.visible_to(user).select_related("stage"), rows, "output")
    raters = by_public_id(Person.objects.visible_to(user), rows, "rater")
    drafts: dict[int, Draft] = {}
    faults: Faults = []
    for number, row in rows.items():
        if row["output"] not in outputs:
            faults.append((number, unknown("output", "output")))
        elif row["rater"] not in raters:
            faults.append((number, unknown("person", "rater")))
        else:
            found = {"output": outputs[row["output"]], "rater": raters[row["rater"]]}
            drafts[number] = Draft(**{**row, **found})
    return drafts, faults


def by_public_id(visible: models.QuerySet[Any], rows: Rows, name: str) -> dict[UUID, Any]:
    wanted: Iterable[UUID] = {row[name] for row in rows.values()}
    return {row.public_id: row for row in visible.filter(public_id__in=wanted)}


def unknown(kind: str, field: str) -> RuleBroken:
    return RuleBroken(
        f"{field}: There is no {kind} with this id that you may use: check the id.",
        code="unknown-id",
        field=field,
    )
