"""Archived cohorts are only read; transfers take nobody's work away."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import (
    close_reading,
    make_cohort,
    make_mentee,
    make_output,
    make_person,
    make_project,
    make_rating,
    make_round,
    make_stage,
    make_submission,
)
from tests.tracker.gate_world import fix_gate, lean
from tracker.cohorts.models import Application, Enrollment
from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.people.models import Role
from tracker.projects.models import Claim, CreditStatement, Milestone

pytestmark = pytest.mark.django_db


@pytest.fixture
def archived(stage):
    """Everything that could still be written in, archived."""
    project = make_project(stage.cohort)
    output = make_output(project, stage=stage)
    round = make_round(stage.cohort)
    milestone = project.milestones.create(title="M", due_on=stage.ends_on)
    now = timezone.now()
    stage.cohort.stages.update(
        reading_opens_at=now - timedelta(days=2), reading_closes_at=now - timedelta(days=1)
    )
    stage.refresh_from_db()
    stage.cohort.archive()
    for row in (project, output.project, round):
        row.cohort.refresh_from_db()
    return {
        "stage": stage,
        "author": project.authors().get(),
        "project": project,
        "output": output,
        "round": round,
        "milestone": milestone,
    }


def person_of(world):
    return make_person(Role.MENTEE, program=world["stage"].cohort.program)


DEEDS = {
    "enroll": lambda world: Enrollment.objects.enroll(person_of(world), cohort=world["stage"].cohort),
    "start": lambda world: make_project(world["stage"].cohort, authors=[person_of(world)]),
    "publish": lambda world: make_output(world["project"], stage=world["stage"]),
    "revise": lambda world: world["output"].revise(title="New"),
    "claim": lambda world: Claim.objects.make(world["project"], "x", by=world["author"]),
    "plan": lambda world: Milestone.objects.plan(
        world["project"], title="x", definition_of_done="y", due_on=timezone.localdate(), by=world["author"]
    ),
    "state": lambda world: CreditStatement.objects.state(
        world["project"], {"idea": {world["author"]: 1.0}}, by=world["author"]
    ),
    "predict": lambda world: world["milestone"].predict(timezone.localdate(), by=world["author"]),
    "submit": lambda world: make_submission(world["project"]),
    "apply": lambda world: Application.objects.start(world["round"], person_of(world)),
    "gate": lambda world: fix_gate(
        world["stage"], make_person(Role.LEAD, program=world["stage"].cohort.program)
    ),
    "lean": lambda world: lean(
        world["stage"], world["author"], make_person(Role.LEAD, program=world["stage"].cohort.program)
    ),
    "move": lambda world: world["stage"].move_reading(
        opens_at=world["stage"].reading_opens_at, closes_at=world["stage"].reading_closes_at
    ),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_an_archived_cohort_is_only_read_until_it_is_taken_up(archived, deed):
    with pytest.raises(RuleBroken, match="archived"):
        DEEDS[deed](archived)

    archived["stage"].cohort.take_up()
    for row in (archived["project"], archived["output"].project, archived["round"]):
        row.cohort.refresh_from_db()

    DEEDS[deed](archived)


def test_nothing_is_archived_while_it_is_read(stage):
    with pytest.raises(RuleBroken, match="has not closed"):
        stage.cohort.archive()

    close_reading(stage)
    stage.cohort.archive()
    assert stage.cohort.archived_at is not None


def test_it_is_archived_once(cohort):
    cohort.archive()

    with pytest.raises(RuleBroken, match="archived already"):
        cohort.archive()
    cohort.take_up()
    with pytest.raises(RuleBroken, match="is not archived"):
        cohort.take_up()
    assert list(
        Event.objects.filter(kind__startswith="cohort.").values_list("kind", flat=True).order_by("pk")
    ) == [
        "cohort.archived",
        "cohort.taken_up",
    ]


def test_a_transfer_keeps_what_was_done(stage):
    mentee = make_mentee(stage.cohort)
    output = make_output(make_project(stage.cohort, authors=[mentee]), stage=stage)
    make_rating(output)
    next_cohort = make_cohort(stage.cohort.program)
    make_stage(next_cohort)

    enrollment = Enrollment.objects.get(person=mentee).transfer(next_cohort)

    assert list(Enrollment.objects.active().filter(person=mentee)) == [enrollment]
    assert enrollment.cohort == next_cohort
    assert output.ratings.count() == 1
    assert output.credits.get().person == mentee


def test_nobody_is_transferred_where_they_are_or_to_another_program(cohort):
    enrollment = Enrollment.objects.get(person=make_mentee(cohort))

    with pytest.raises(RuleBroken, match="already"):
        enrollment.transfer(cohort)
    with pytest.raises(RuleBroken, match="choose somebody of this program"):
        enrollment.transfer(make_cohort())
    other = make_cohort(cohort.program)
    Enrollment.objects.enroll(enrollment.person, cohort=other)
    with pytest.raises(RuleBroken, match="already, or applies"):
        enrollment.transfer(other)
    assert Enrollment.objects.active().filter(pk=enrollment.pk).exists()
