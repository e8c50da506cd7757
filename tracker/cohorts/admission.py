"""Somebody comes in: a person of the program, with the roles they start in, enrolled in a cohort."""

from uuid import UUID

from django.db import transaction

from tracker.cohorts.models import Cohort, Enrollment
from tracker.errors import RuleBroken
from tracker.people.models import Person, Program, Role


def admit(
    program: Program,
    *,
    name: str,
    roles: tuple[Role, ...],
    cohort: Cohort | None = None,
    external_id: str = "",
    by: UUID | None = None,
) -> Person:
    """A new person; the same ``external_id`` with the same content again is the same person."""
    with transaction.atomic():
        # The lock makes two requests for the same person wait for each other.
        Program.objects.select_for_update().get(pk=program.pk)
        known = (
            Person.objects.filter(program=program, external_id=external_id).first() if external_id else None
        )
        if known is not None:
            return the_same(known, name=name, roles=roles, cohort=cohort)
        person = Person.objects.join(program=program, name=name, roles=roles, external_id=external_id)
        if cohort is not None:
            Enrollment.objects.enroll(person, cohort=cohort, by=by)
    return person


def the_same(known: Person, *, name: str, roles: tuple[Role, ...], cohort: Cohort | None) -> Person:
    is_in = cohort is None or known.enrollments.filter(cohort=cohort).exists()
    if known.name != name or not is_in or not all(known.holds(role) for role in roles):
        raise RuleBroken(
            "This external_id was sent before with another name, cohort or roles: a lead changes those in the admin.",
            code="repeated",
            field="external_id",
        )
    return known
