"""Readers who have come too close, to whom they read or to each other, are found and told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_mentee, make_output, make_person, make_project, make_rating
from tests.tracker.admin.conftest import entering
from tracker.events.models import Event
from tracker.ops.tick import Tick
from tracker.people.models import Person, Program, Role
from tracker.projects.models import Output
from tracker.ratings.models import Assignment, Conflict, Rating, ReadingPlan
from tracker.ratings.nearness import check_closeness, near_readers

pytestmark = pytest.mark.django_db


@pytest.fixture
def author(cohort) -> Person:
    return make_mentee(cohort, name="Ada Able")


@pytest.fixture
def output(stage, author) -> Output:
    return make_output(make_project(stage.cohort, authors=[author]), stage=stage)


@pytest.fixture
def readers(program) -> list[Person]:
    return [make_person(Role.MENTOR, program=program, name=f"Reader {n}") for n in range(3)]


def told(stage) -> list[tuple[str, tuple[str, ...], str]]:
    near = near_readers(stage, Rating.objects.all())
    return [(one.person.name, tuple(reader.name for reader in one.readers), one.reason) for one in near]


def test_who_is_far_is_not_told_of(stage, output, readers):
    for reader in readers:
        make_rating(output, reader)

    assert told(stage) == []


def test_a_reader_with_a_conflict_is_told_of_with_whom_they_read(stage, output, readers):
    make_rating(output, readers[0])
    Conflict.objects.declare(person=readers[0], project=output.project)

    assert told(stage) == [("Ada Able", ("Reader 0",), "too close to the person: counts as no reader")]


def test_two_readers_on_one_team_are_told_of(stage, output, readers):
    for reader in readers:
        make_rating(output, reader)
    project = make_project(stage.cohort, mentors=readers[:2])

    together = ("Ada Able", ("Reader 0", "Reader 1"), "on one team: not two independent readers")
    assert told(stage) == [together]
    project.team.update(left_on=timezone.localdate())
    assert told(stage) == []


def test_neither_models_nor_what_was_taken_back_are(stage, output, readers, program):
    model = make_person(Role.MENTOR, program=program, kind=Person.Kind.MODEL)
    make_rating(output, model)
    make_rating(output, readers[0])
    make_rating(output, readers[1]).retract(reason="A slip.")
    make_project(stage.cohort, mentors=[model, *readers[:2]])

    assert told(stage) == []


def test_who_decides_sees_it_but_not_of_what_they_are_to_read(stage, output, readers, lead):
    make_rating(output, readers[0])
    Conflict.objects.declare(person=readers[0], project=output.project)
    path = f"/stages/{stage.public_id}/decisions/"

    assert b"counts as no reader" in entering(lead.user).get(path).content
    Assignment.objects.assign(lead, output)
    assert b"counts as no reader" not in entering(lead.user).get(path).content


def test_it_costs_the_same_for_many(stage, output, readers, django_assert_num_queries):
    for reader in readers:
        make_rating(output, reader)
    project = make_project(stage.cohort, mentors=readers)
    for one in (make_output(project, stage=stage), make_output(make_project(stage.cohort), stage=stage)):
        for _ in range(4):
            make_rating(one)

    with django_assert_num_queries(4):
        assert len(near_readers(stage, Rating.objects.all())) == 3


class TestTheNight:
    @pytest.fixture
    def came_close(self, stage, output, readers) -> Assignment:
        """A reader who joined the team after the piece was given to them; nobody told the plan."""
        Program.objects.update(conflicts_reach="team")
        given = Assignment.objects.assign(readers[0], output)
        output.project.add_mentor(readers[0])
        return given

    def test_it_takes_back_what_came_too_close(self, came_close, stage):
        assert check_closeness() == 1

        came_close.refresh_from_db()
        assert came_close.withdrawal_reason == "The reader is too close to it now."
        assert Event.objects.get(kind="closeness.found").payload == {"taken_back": 1, "near": 0}
        assert check_closeness() == 0

    def test_it_asks_somebody_else(self, came_close, stage, readers):
        ReadingPlan.objects.create(stage=stage, seed=1, readers_each=1)

        check_closeness()

        assert Assignment.objects.standing().get().reader in readers[1:]

    def test_a_stage_that_is_over_is_left_alone(self, came_close, stage):
        past = timezone.localdate() - timedelta(days=1)
        type(stage).objects.update(decisions_due_on=past, reading_closes_at=timezone.now())

        assert check_closeness() == 0
        assert not Event.objects.filter(kind="closeness.found").exists()

    def test_the_tick_looks_after_it_once(self, came_close, quiet_bell):
        rounds = Tick()

        rounds.round(0.0)
        rounds.round(1.0)

        assert Event.objects.filter(kind="closeness.found").count() == 1
