"""What can be decided about somebody, what a gate answers, and when a decision may be made by whom."""

from django.db import models
from django.db.models import Q

from tracker.cohorts.models import MOST_WEEKS, Enrollment, Stage
from tracker.errors import RuleBroken
from tracker.people.models import Person, Program, Role, Visitor
from tracker.projects.models import Project, TeamMember
from tracker.ratings.models import Conflict

DECIDE = (Role.LEAD, Role.COMMITTEE)


class Outcome(models.TextChoices):
    GO_ON = "go_on", "go on"
    EXTEND = "extend", "extend"
    MORE_EVIDENCE = "more_evidence", "more evidence"
    END = "end", "end"


class Origin(models.TextChoices):
    """How a decision came about."""

    PERSON = "person", "decided by a person"
    SILENCE = "silence", "by default, for nobody decided"
    APPEAL = "appeal", "by an appeal"
    RECORD = "record", "taken over from earlier records"


class Undone(models.TextChoices):
    """Why a decision stands no longer."""

    DECIDED_AGAIN = "decided_again", "decided again"
    NOT_SECONDED = "not_seconded", "the second reader did not agree"
    LAPSED = "lapsed", "no second reader in time"
    OVERTURNED = "overturned", "overturned on appeal"


class Answer(models.TextChoices):
    """As ``evals.noise.gating`` answers, and that no rule was fixed."""

    YES = "clear_yes", "clear yes"
    NO = "clear_no", "clear no"
    CLOSE = "too_close", "too close to call"
    EARLY = "too_early", "too early to say"
    NO_RULE = "no_rule", "no rule was fixed"


def demand_decider(person: Person, stage: Stage) -> None:
    """Leads and committee of the stage's program decide, and they are people."""
    program = stage.cohort.program
    if person.program_id != program.pk or not person.holds(*DECIDE) or person.kind != Person.Kind.HUMAN:
        raise RuleBroken(f"{person} does not decide in {program}.", code="not-a-decider")


def demand_no_part(person: Person, stage: Stage) -> None:
    """Who stands before a gate neither sets it nor draws its lottery."""
    if Enrollment.objects.of_stage(stage).filter(person=person).exists():
        raise RuleBroken(f"{stage} decides about {person} too: ask somebody else.", code="own-decision")


def demand_place(enrollment: Enrollment, stage: Stage) -> None:
    """A stage decides about those who stand before it."""
    if not Enrollment.objects.of_stage(stage).filter(pk=enrollment.pk).exists():
        raise RuleBroken(
            f"{stage} does not decide about {enrollment.person}: choose a stage of {enrollment.cohort}"
            " that they are in.",
            code="other-cohort",
        )


def demand_no_extension(stage: Stage, outcome: str, *, field: str = "outcome") -> None:
    """An application has no weeks to extend, and would be open for ever."""
    if outcome == Outcome.EXTEND and hasattr(stage, "admission_round"):
        raise RuleBroken(
            "An application is not extended: ask for more evidence by a day.",
            field=field,
            code="no-extension",
        )


def demand_weeks(weeks: int | None) -> None:
    if weeks is None or not 1 <= weeks <= MOST_WEEKS:
        raise RuleBroken(
            f"Say for how many weeks: at least one, at most {MOST_WEEKS}.",
            field="weeks",
            code="weeks-missing",
        )


def demand_distance(person: Person, about: Person) -> None:
    """Who judges a decision again has no part in it and no conflict with the person."""
    if person.pk == about.pk:
        raise RuleBroken("Nobody decides about themselves.", code="own-decision")
    work = Project.objects.filter(team__person=about)
    declared = Conflict.objects.standing().filter(person=person, project__in=work)
    if declared.exists() or TeamMember.objects.filter(person=person, project__in=work).exists():
        raise RuleBroken(
            f"{person} has a conflict with {about}, or worked with them: ask somebody else.", code="conflict"
        )


def decided_by(user: Visitor, stage: str, *, about: str) -> Q:
    """Rows about others of stages in whose program this user decides; the paths lead to stage and enrollment."""
    deciding = Q(**{f"{stage}__cohort__program__in": Program.objects.where(user, *DECIDE)})
    return deciding & ~Q(**{f"{about}__person__in": Person.objects.of(user)})
