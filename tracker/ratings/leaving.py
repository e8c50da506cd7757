"""Somebody leaves a program in the middle: what they said stays, and somebody is proposed to take over."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from tracker.cohorts.models import Application
from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.people.models import JUDGED, Person, Role
from tracker.projects.applying import withdraw_application
from tracker.projects.models import Project, TeamMember
from tracker.ratings.models import Assignment

LEFT = "The reader has left the program."


@dataclass(frozen=True)
class Takeover:
    """A project that loses a mentor, and who could be the next: whoever has fewest, and is not too close."""

    project: Project
    proposed: Person | None


def takeovers(person: Person) -> list[Takeover]:
    """The projects that somebody mentors, each with who is proposed to go on."""
    mentored = TeamMember.objects.active().filter(person=person, role=TeamMember.Role.MENTOR)
    projects = Project.objects.filter(pk__in=mentored.values("project")).prefetch_related("team", "conflicts")
    busy = Count("teams", filter=Q(teams__left_on=None, teams__role=TeamMember.Role.MENTOR))
    others = Person.objects.active_as(Role.MENTOR).filter(program=person.program_id).exclude(pk=person.pk)
    counts = dict(others.annotate(mentored=busy).values_list("pk", "mentored"))
    load = {mentor: counts[mentor.pk] for mentor in others}
    found = []
    for project in projects:
        near = {member.person_id for member in project.team.all() if member.left_on is None}
        near |= {conflict.person_id for conflict in project.conflicts.all() if conflict.withdrawn_at is None}
        free = [mentor for mentor in load if mentor.pk not in near]
        proposed = min(free, key=lambda mentor: (load[mentor], mentor.name, mentor.pk), default=None)
        if proposed is not None:
            load[proposed] += 1
        found.append(Takeover(project, proposed))
    return found


def leave_program(
    person: Person, *, on: date | None = None, hand_over: bool = False, by: UUID | None = None
) -> None:
    """End every role and place of theirs; with ``hand_over`` those who are proposed become mentors.

    Whoever is judged here leaves by their own word: else this would be an end without reasons, second reader or appeal.
    """
    refuse_the_last_lead(person)
    if needs_own_word(person) and (person.user is None or by != person.user.public_id):
        raise RuleBroken(
            f"{person} is in a cohort, or applies to one: they leave by their own word,"
            " or their place ends by a decision, with reasons, a second reader and an appeal.",
            code="own-word",
        )
    day = on or timezone.localdate()
    with transaction.atomic():
        proposed = takeovers(person) if hand_over else []
        person.teams.filter(left_on=None).update(left_on=day)
        for application in Application.objects.open().filter(enrollment__person=person):
            withdraw_application(application)
        for application in Application.objects.not_begun().filter(enrollment__person=person):
            application.decline(by=by)
        for enrollment in person.enrollments.filter(left_on=None):
            enrollment.leave(on=day)
        for membership in person.memberships.active():
            membership.end()
        Assignment.objects.filter(reader=person).withdraw(LEFT)
        for takeover in proposed:
            if takeover.proposed is not None:
                takeover.project.add_mentor(takeover.proposed)
        Event.objects.write(
            "person.left", program=person.program.public_id, subject=person.public_id, actor=by
        )


def needs_own_word(person: Person) -> bool:
    """Whether somebody is judged here: in a cohort as a mentee, or applying to one."""
    return person.holds(*JUDGED) and person.enrollments.filter(left_on=None).exists()


def refuse_the_last_lead(person: Person) -> None:
    leads = Person.objects.active_as(Role.LEAD).filter(program=person.program_id)
    if person.holds(Role.LEAD) and not leads.exclude(pk=person.pk).exists():
        raise RuleBroken(
            f"{person} is the only lead of {person.program}: name another lead first.", code="last-lead"
        )
