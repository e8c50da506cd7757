"""What may be recorded as a rating, one by one and in bulk."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.factories import (
    close_reading,
    make_mentee,
    make_output,
    make_person,
    make_program,
    make_project,
    make_rating,
    make_rubric,
)
from tracker.errors import RuleBroken, RulesBroken
from tracker.people.models import Role
from tracker.ratings.models import Conflict, Criterion, Rating, Score
from tracker.ratings.rules import Draft, judge_score

pytestmark = pytest.mark.django_db
GOOD = {"importance": 7.0, "rigour": 6.0, "clarity": 5.5, "execution": 8.0}


@pytest.fixture
def output(stage):
    make_rubric(stage.cohort.program)
    return make_output(make_project(stage.cohort), stage=stage)


def rate(output: Any, rater: Any, **values: Any) -> Rating:
    return Rating.objects.record(output=output, rater=rater, **{"scores": GOOD, **values})


def test_a_reader_may_rate(output, mentor):
    rating = rate(output, mentor)

    assert rating.says() == GOOD


@pytest.mark.parametrize(
    ("scores", "code"),
    [
        ({**GOOD, "charm": 5.0}, "unknown-criterion"),
        ({**GOOD, "rigour": 11.0}, "off-the-scale"),
        ({**GOOD, "rigour": 0.0}, "off-the-scale"),
        ({**GOOD, "rigour": float("nan")}, "off-the-scale"),
        ({**GOOD, "rigour": float("inf")}, "off-the-scale"),
        ({**GOOD, "rigour": "7"}, "off-the-scale"),
        ({**GOOD, "rigour": True}, "off-the-scale"),
        ({**GOOD, "rigour": None}, "off-the-scale"),
        ({"rigour": 5.0}, "criterion-missing"),
        ({}, "criterion-missing"),
    ],
)
def test_it_refuses_scores_off_the_rubric(output, mentor, scores, code):
    with pytest.raises(RuleBroken) as refusal:
        rate(output, mentor, scores=scores)

    assert refusal.value.code == code
    assert not Rating.objects.exists()


def test_nobody_rates_an_output_of_their_own(output):
    author = output.project.authors().get()
    author.memberships.create(role=Role.MENTOR)

    with pytest.raises(RuleBroken, match="somebody else must rate it") as refusal:
        rate(output, author)

    assert refusal.value.code == "own-output"


def test_nobody_rates_an_output_they_are_credited_for(output, mentor):
    output.set_credit({"idea": {mentor: 1}})

    with pytest.raises(RuleBroken) as refusal:
        rate(output, mentor)

    assert refusal.value.code == "own-output"


def test_only_readers_rate(output, stage):
    with pytest.raises(RuleBroken) as refusal:
        rate(output, make_mentee(stage.cohort))

    assert refusal.value.code == "not-a-reader"


def test_a_reader_whose_role_has_ended_rates_no_more(output, mentor):
    mentor.memberships.get().end()

    with pytest.raises(RuleBroken) as refusal:
        rate(output, mentor)

    assert refusal.value.code == "not-a-reader"


def test_nobody_rates_in_another_program(output):
    with pytest.raises(RuleBroken) as refusal:
        rate(output, make_person(Role.MENTOR, program=make_program()))

    assert refusal.value.code == "other-program"


def test_rating_twice_needs_a_retraction(output, mentor):
    first = rate(output, mentor)
    with pytest.raises(RuleBroken) as refusal:
        rate(output, mentor)
    assert refusal.value.code == "rated-twice"

    first.retract(reason="I had read the wrong version.")

    assert rate(output, mentor) != first
    assert Rating.objects.count() == 2


def test_the_database_keeps_one_standing_rating_per_reader_and_output(output, mentor):
    first = rate(output, mentor)

    with pytest.raises(IntegrityError), transaction.atomic():
        Rating.objects.create(program=first.program, output=output, rater=mentor, rubric=first.rubric)


def test_a_closed_reading_takes_no_rating(output, mentor, stage):
    close_reading(stage)
    output.refresh_from_db()

    with pytest.raises(RuleBroken, match="closed on") as refusal:
        rate(output, mentor)

    assert refusal.value.code == "reading-closed"


def test_a_closed_reading_keeps_its_ratings(output, mentor, stage):
    rating = rate(output, mentor)
    close_reading(stage)
    rating.refresh_from_db()

    with pytest.raises(RuleBroken, match="this rating stands"):
        Rating.objects.get().retract(reason="Changed my mind.")


def test_a_retracted_output_is_not_rated(output, mentor):
    output.retract()

    with pytest.raises(RuleBroken) as refusal:
        rate(output, mentor)

    assert refusal.value.code == "output-retracted"


def test_a_declared_conflict_holds(output, mentor):
    Conflict.objects.create(person=mentor, project=output.project)

    with pytest.raises(RuleBroken) as refusal:
        rate(output, mentor)

    assert refusal.value.code == "conflict"


def test_a_retraction_needs_a_reason(output, mentor):
    rating = rate(output, mentor)

    with pytest.raises(RuleBroken, match="why"):
        rating.retract(reason=" ")


def test_a_retracted_rating_counts_no_more_and_stays(output, mentor):
    rating = rate(output, mentor)

    rating.retract(reason="Wrong version.")

    assert not Score.objects.standing().exists()
    assert Score.objects.count() == 4


def test_bulk_keeps_all_or_nothing_and_names_every_fault(output, mentor, stage):
    others = [make_person(Role.MENTOR, program=stage.cohort.program) for _ in range(2)]
    drafts = [
        Draft(output=output, rater=mentor, scores=GOOD),
        Draft(output=output, rater=others[0], scores={**GOOD, "rigour": 99}),
        Draft(output=output, rater=mentor, scores=GOOD),
        Draft(output=output, rater=others[1], scores=GOOD),
    ]

    with pytest.raises(RulesBroken) as refusal:
        Rating.objects.record_all(drafts, program=stage.cohort.program)

    assert [(row, fault.code) for row, fault in refusal.value.faults] == [
        (1, "off-the-scale"),
        (2, "rated-twice"),
    ]
    assert not Rating.objects.exists()


def test_the_same_rating_sent_twice_is_kept_once(output, mentor):
    first = rate(output, mentor, external_id="r-1")

    assert rate(output, mentor, external_id="r-1") == first
    assert Rating.objects.count() == 1


def test_another_rating_under_the_same_name_is_refused(output, mentor):
    rate(output, mentor, external_id="r-1")

    with pytest.raises(RuleBroken, match="sent before with another content"):
        rate(output, mentor, scores={**GOOD, "rigour": 1.0}, external_id="r-1")


def test_many_cost_as_many_queries_as_few(stage, django_assert_max_num_queries):
    program = stage.cohort.program
    make_rubric(program)
    output = make_output(make_project(stage.cohort), stage=stage)
    readers = [make_person(Role.MENTOR, program=program, with_user=False) for _ in range(60)]
    drafts = [Draft(output=output, rater=reader, scores=GOOD) for reader in readers]

    with django_assert_max_num_queries(24):
        Rating.objects.record_all(drafts, program=program)


def test_leads_see_ratings_by_name_and_readers_their_own(output, mentor, lead, stage, stranger):
    own = rate(output, mentor)
    other = make_rating(output)

    assert set(Rating.objects.visible_to(lead.user)) == {own, other}
    assert list(Rating.objects.visible_to(mentor.user)) == [own]
    assert not Rating.objects.visible_to(output.project.authors().get().user).exists()
    assert not Rating.objects.visible_to(stranger).exists()


class TestOneVerdict(TestCase):
    """Single and bulk judge by the same rules."""

    @settings(max_examples=40, deadline=None)
    @given(
        scores=st.dictionaries(
            st.sampled_from([*GOOD, "charm"]),
            st.one_of(st.floats(allow_nan=True), st.integers(-2, 12), st.none(), st.booleans()),
        )
    )
    def test_single_and_bulk_agree(self, scores):
        program = make_program(name="Agreement", slug="agreement")
        from tests.factories import make_cohort, make_stage

        stage = make_stage(make_cohort(program))
        make_rubric(program)
        output = make_output(make_project(stage.cohort), stage=stage)
        mentor = make_person(Role.MENTOR, program=program)
        single = self.verdict(lambda: Rating.objects.record(output=output, rater=mentor, scores=scores))
        Score.objects.all().delete()
        Rating.objects.all().delete()

        draft = Draft(output=output, rater=mentor, scores=scores)
        bulk = self.verdict(lambda: Rating.objects.record_all([draft], program=program))

        assert single == bulk

    def verdict(self, deed: Any) -> str:
        try:
            deed()
        except RulesBroken as broken:
            return broken.faults[0][1].message
        except RuleBroken as broken:
            return broken.message
        return "kept"


@given(value=st.floats(allow_nan=True, allow_infinity=True))
def test_every_number_is_on_the_scale_or_refused(value):
    scale = Criterion(key="rigour", lowest=1, highest=10)
    is_on_it = 1 <= value <= 10

    try:
        judge_score(value, scale, "rigour")
    except RuleBroken:
        assert not is_on_it
    else:
        assert is_on_it


def test_a_reading_that_has_not_opened_takes_no_rating(output, mentor, stage):
    type(stage).objects.filter(pk=stage.pk).update(reading_opens_at=timezone.now() + timedelta(hours=1))
    output.refresh_from_db()

    with pytest.raises(RuleBroken, match="opens on") as refusal:
        rate(output, mentor)

    assert refusal.value.code == "reading-closed"
