"""Who is to read what: drawn by a seed, in an order of each reader's own that stays, and enough for everybody."""

from collections import Counter

import pytest
from django.db import IntegrityError, transaction

from tests.factories import (
    close_reading,
    make_mentee,
    make_output,
    make_person,
    make_project,
    make_rating,
    make_rubric,
)
from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.people.models import Person, Role
from tracker.ratings.handing_out import hand_out, take_event
from tracker.ratings.leaving import leave_program
from tracker.ratings.models import Assignment, Conflict, ReadingPlan
from tracker.ratings.reading import outputs_to_read

pytestmark = pytest.mark.django_db


@pytest.fixture
def outputs(stage):
    make_rubric(stage.cohort.program, "rigour")
    return [make_output(make_project(stage.cohort), stage=stage) for _ in range(8)]


@pytest.fixture
def readers(stage):
    return [make_person(Role.MENTOR, program=stage.cohort.program) for _ in range(5)]


def plan_for(stage, **values) -> ReadingPlan:
    return ReadingPlan.objects.create(stage=stage, **{"seed": 7, "readers_each": 2, **values})


def orders() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for reader, output in Assignment.objects.order_by("reader", "position").values_list("reader", "output"):
        found.setdefault(reader, []).append(output)
    return found


def readers_by_output() -> Counter[int]:
    return Counter(Assignment.objects.standing().values_list("output", flat=True))


class TestHandingOut:
    def test_everybody_gets_enough_different_readers(self, stage, outputs, readers):
        hand_out(plan_for(stage, readers_each=3))

        assert set(readers_by_output().values()) == {3}
        loads = Counter(Assignment.objects.values_list("reader", flat=True)).values()
        assert max(loads) - min(loads) <= 1

    def test_enough_is_counted_by_person_over_all_their_pieces(self, stage, outputs, readers):
        author = make_mentee(stage.cohort)
        own = [make_output(make_project(stage.cohort, authors=[author]), stage=stage) for _ in range(3)]

        hand_out(plan_for(stage, readers_each=3))

        given = Assignment.objects.filter(output__in=own)
        assert given.values("reader").distinct().count() == given.count() == 3

    def test_nobody_gets_a_third_reader_before_everybody_has_a_second(self, stage, outputs, readers):
        for reader in readers[1:]:
            for output in outputs[:4]:
                Conflict.objects.declare(person=reader, project=output.project)

        hand_out(plan_for(stage, readers_each=3))

        counts = readers_by_output()
        assert [counts[output.pk] for output in outputs] == [1] * 4 + [3] * 4

    def test_the_same_seed_draws_the_same_and_another_another(self, stage, outputs, readers):
        drawn = []
        for seed in (7, 7, 8):
            plan = plan_for(stage, seed=seed)
            hand_out(plan)
            drawn.append(orders())
            Assignment.objects.all().delete()
            plan.delete()

        assert drawn[0] == drawn[1] != drawn[2]

    def test_everybody_has_an_order_of_their_own(self, stage, outputs, readers):
        hand_out(plan_for(stage, readers_each=5))

        assert all(sorted(order) == sorted(output.pk for output in outputs) for order in orders().values())
        assert len({tuple(order) for order in orders().values()}) > 3

    def test_what_was_given_keeps_its_place_when_new_pieces_come(self, stage, outputs, readers):
        plan = plan_for(stage)
        hand_out(plan)
        before = orders()
        make_output(make_project(stage.cohort), stage=stage)

        hand_out(plan)

        assert all(orders()[reader][: len(order)] == order for reader, order in before.items())
        assert Assignment.objects.count() == sum(map(len, before.values())) + 2

    def test_handing_out_again_gives_nothing_twice(self, stage, outputs, readers):
        plan = plan_for(stage, second_share=0.5)
        first = hand_out(plan)

        assert first
        assert hand_out(plan) == []

    def test_samples_are_given_to_everybody_who_may_read_them(self, stage, outputs, readers):
        plan = plan_for(stage, readers_each=0)
        plan.samples.set(outputs[:2])
        Conflict.objects.declare(person=readers[0], project=outputs[0].project)

        hand_out(plan)

        counts = readers_by_output()
        assert [counts[output.pk] for output in outputs] == [4, 5, 0, 0, 0, 0, 0, 0]

    def test_the_lot_gives_a_share_of_the_pieces_one_reader_more(self, stage, outputs, readers):
        hand_out(plan_for(stage, readers_each=1, second_share=0.5))

        second = Assignment.objects.filter(reason="second")
        counts = readers_by_output()
        assert 0 < second.count() < len(outputs)
        assert {counts[row.output_id] for row in second} == {2}

    def test_it_is_logged_with_its_seed(self, stage, outputs, readers):
        hand_out(plan_for(stage))

        event = Event.objects.get(kind="reading.handed_out")
        assert event.payload == {"seed": 7, "floor": 16}

    def test_models_are_given_nothing(self, stage, outputs):
        make_person(Role.MENTOR, program=stage.cohort.program, kind=Person.Kind.MODEL)

        assert hand_out(plan_for(stage)) == []

    def test_a_models_rating_and_a_conflicted_ones_count_as_no_reader(self, stage, outputs, readers):
        piece, program = outputs[0], stage.cohort.program
        model = make_person(Role.MENTOR, program=program, kind=Person.Kind.MODEL)
        make_rating(piece, model, scores={"rigour": 5.0})
        make_rating(piece, readers[0], scores={"rigour": 5.0})
        Conflict.objects.declare(person=readers[0], project=piece.project)

        hand_out(plan_for(stage, readers_each=2))

        given = Assignment.objects.standing().filter(output=piece).values_list("reader", flat=True)
        assert len(given) == 2
        assert not {model.pk, readers[0].pk} & set(given)

    def test_a_reading_that_was_done_by_somebody_too_close_now_counts_as_none(self, stage, outputs, readers):
        plan = plan_for(stage, readers_each=1)
        hand_out(plan)
        given = Assignment.objects.get(output=outputs[0])
        make_rating(outputs[0], given.reader, scores={"rigour": 5.0})
        Conflict.objects.declare(person=given.reader, project=outputs[0].project)

        hand_out(plan)

        again = Assignment.objects.standing().filter(output=outputs[0]).exclude(pk=given.pk)
        assert again.count() == 1

    @pytest.mark.parametrize("way", ["leave", "role"])
    def test_what_a_reader_who_goes_has_not_read_is_given_to_others(self, stage, outputs, readers, way):
        hand_out(plan_for(stage, readers_each=2))
        gone = readers[0]
        unread = set(gone.assignments.values_list("output", flat=True))
        if way == "leave":
            leave_program(gone)
        else:
            gone.memberships.get().end()

        take_event(Event.objects.filter(kind__in=("person.left", "role.ended")).latest("pk"))

        assert unread
        assert not gone.assignments.standing().exists()
        assert set(readers_by_output().values()) == {2}

    def test_a_second_reader_who_may_not_is_replaced(self, stage, outputs, readers):
        plan = plan_for(stage, readers_each=0, second_share=1.0)
        hand_out(plan)
        given = Assignment.objects.get(output=outputs[0])
        Conflict.objects.declare(person=given.reader, project=outputs[0].project)

        hand_out(plan)

        assert Assignment.objects.standing().get(output=outputs[0]).reader != given.reader

    def test_samples_are_pieces_of_the_stage(self, stage, outputs):
        plan = plan_for(stage)
        plan.samples.set([outputs[0]])
        plan.judge_samples()
        plan.samples.add(make_output())

        with pytest.raises(RuleBroken, match="choose samples of the stage"):
            plan.judge_samples()

    def test_what_became_too_close_is_given_to_somebody_else(self, stage, outputs, readers):
        plan = plan_for(stage, readers_each=1)
        hand_out(plan)
        given = Assignment.objects.get(output=outputs[0])
        outputs[0].set_credit({"idea": {given.reader: 1.0}})
        outputs[0].inherit_credit()
        outputs[0].project.set_team(authors=[*outputs[0].project.authors(), given.reader], mentors=None)

        hand_out(plan)

        given.refresh_from_db()
        assert given.withdrawn_at is not None
        assert Assignment.objects.standing().get(output=outputs[0]).reader != given.reader

    def test_a_new_piece_is_handed_out_when_it_comes(self, stage, outputs, readers):
        plan_for(stage)
        piece = make_output(make_project(stage.cohort), stage=stage)

        take_event(Event.objects.get(kind="output.published", subject=piece.public_id))

        assert Assignment.objects.filter(output=piece).count() == 2

    def test_the_database_wants_a_share(self, stage):
        with pytest.raises(IntegrityError, match="a_share_is_from_0_to_1"), transaction.atomic():
            plan_for(stage, second_share=1.5)


class TestAssigning:
    def test_it_comes_last_in_the_readers_order(self, outputs, mentor):
        rows = [Assignment.objects.assign(mentor, output) for output in outputs[:3]]

        assert [row.position for row in rows] == [1, 2, 3]

    def test_twice_is_refused_and_kept_from_the_database(self, outputs, mentor):
        given = Assignment.objects.assign(mentor, outputs[0])

        with pytest.raises(RuleBroken, match="already") as refusal:
            Assignment.objects.assign(mentor, outputs[0])

        assert refusal.value.code == "assigned-already"
        with pytest.raises(IntegrityError), transaction.atomic():
            Assignment.objects.create(reader=mentor, output=outputs[0], stage=given.stage, position=9)

    def test_only_readers_are_given_something(self, outputs, stage):
        with pytest.raises(RuleBroken, match="not a reader"):
            Assignment.objects.assign(make_mentee(stage.cohort), outputs[0])

    def test_it_is_taken_back_with_a_reason(self, outputs, mentor):
        given = Assignment.objects.assign(mentor, outputs[0])
        with pytest.raises(RuleBroken, match="Say in a sentence"):
            given.withdraw(reason=" ")

        given.withdraw(reason="On leave.")

        with pytest.raises(RuleBroken, match="taken back already"):
            given.withdraw(reason="Again.")
        assert not Assignment.objects.standing().exists()

    def test_it_is_open_until_it_is_rated_or_the_reading_closes(self, outputs, mentor, stage):
        for output in outputs[:2]:
            Assignment.objects.assign(mentor, output)
        make_rating(outputs[0], mentor)
        assert [row.output for row in Assignment.objects.open()] == [outputs[1]]

        close_reading(stage)

        assert not Assignment.objects.open().exists()


class TestTheList:
    def test_it_keeps_to_the_order_and_then_to_the_readers_own_lot(self, outputs, mentor):
        for output in (outputs[5], outputs[2]):
            Assignment.objects.assign(mentor, output)

        listed = list(outputs_to_read(mentor.user))

        assert listed[:2] == [outputs[5], outputs[2]]
        assert set(listed[2:]) == set(outputs) - set(listed[:2])
        assert listed == list(outputs_to_read(mentor.user))

    def test_the_place_at_which_a_piece_was_read_is_kept_with_its_rating(self, outputs, mentor):
        ratings = [make_rating(output, mentor) for output in (outputs[3], outputs[0], outputs[6])]

        assert [rating.place_in_order for rating in ratings] == [1, 2, 3]
