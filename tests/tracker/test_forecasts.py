"""What readers foresee, what is asked when its time has come, and how good they were."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.factories import make_output, make_project, make_rating, make_rubric
from tracker.errors import RuleBroken
from tracker.ratings.models import Conflict, Forecast, Outlook, Question, Rating
from tracker.ratings.models.forecasts import months_after

pytestmark = pytest.mark.django_db
SCORES = {"rigour": 5.0}


@pytest.fixture
def output(stage):
    rubric = make_rubric(stage.cohort.program, "rigour")
    Question.objects.create(rubric=rubric, key="holds-up", months=12)
    return make_output(make_project(stage.cohort), stage=stage)


@pytest.fixture
def outlook(output, mentor) -> Outlook:
    """A question whose day has come."""
    make_rating(output, mentor, scores=SCORES, forecasts={"holds-up": 0.8})
    Outlook.objects.update(due_on=timezone.localdate())
    return Outlook.objects.get()


def test_a_forecast_goes_with_the_rating_and_is_asked_in_a_year(output, mentor):
    rating = make_rating(output, mentor, scores=SCORES, forecasts={"holds-up": 0.8})

    assert rating.foresees() == {"holds-up": 0.8}
    assert Outlook.objects.get().due_on == months_after(output.produced_on, 12)


def test_one_question_is_asked_once_of_an_output_however_many_foresaw(output):
    for chance in (0.2, 0.9):
        make_rating(output, scores=SCORES, forecasts={"holds-up": chance})

    assert Outlook.objects.get().forecasts.count() == 2


def test_it_may_be_left_out(output):
    assert make_rating(output, scores=SCORES).foresees() == {}


@pytest.mark.parametrize("value", [1.5, -0.1, float("nan"), True, "0.5", None])
def test_it_takes_probabilities_alone(output, mentor, value):
    with pytest.raises(RuleBroken, match="probability from 0 to 1") as refusal:
        make_rating(output, mentor, scores=SCORES, forecasts={"holds-up": value})

    assert (refusal.value.code, refusal.value.field) == ("no-probability", "holds-up")
    assert not Rating.objects.exists()


def test_it_refuses_what_the_rubric_does_not_ask(output, mentor):
    with pytest.raises(RuleBroken, match="use holds-up") as refusal:
        make_rating(output, mentor, scores=SCORES, forecasts={"wins-a-prize": 0.5})

    assert refusal.value.code == "unknown-question"


def test_the_database_takes_probabilities_alone(output, mentor):
    make_rating(output, mentor, scores=SCORES, forecasts={"holds-up": 0.8})

    with pytest.raises(IntegrityError, match="a_probability_is_from_0_to_1"), transaction.atomic():
        Forecast.objects.update(probability=1.5)


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 11, 5), 14, date(2028, 1, 5)),
    ],
)
def test_months_end_where_months_end(day, months, later):
    assert months_after(day, months) == later


class TestWhenItsTimeHasCome:
    def test_it_is_due_and_answered_by_somebody_with_a_reason(self, outlook, lead):
        assert list(Outlook.objects.due()) == [outlook]

        outlook.answer(True, by=lead, reason="Two groups reproduced it.")

        assert (outlook.is_true, outlook.answered_by) == (True, lead)
        assert not Outlook.objects.due().exists()
        with pytest.raises(RuleBroken, match="answered already"):
            outlook.answer(False, by=lead, reason="No.")

    def test_not_before(self, outlook, lead):
        outlook.due_on = timezone.localdate() + timedelta(days=1)

        with pytest.raises(RuleBroken, match="Time will tell") as refusal:
            outlook.answer(True, by=lead, reason="Early.")

        assert refusal.value.code == "not-due"

    def test_not_by_its_authors_nor_by_who_is_too_close_nor_without_a_reason(self, outlook, lead, mentor):
        Conflict.objects.declare(person=mentor, project=outlook.output.project)

        for by, reason, words in (
            (outlook.output.project.authors().get(), "Mine.", "not a reader"),
            (mentor, "I know them.", "declared a conflict"),
            (lead, " ", "in a sentence why"),
        ):
            with pytest.raises(RuleBroken, match=words):
                outlook.answer(True, by=by, reason=reason)
        assert list(Outlook.objects.due()) == [outlook]

    def test_nobody_says_what_came_of_their_own_forecast(self, outlook, mentor):
        with pytest.raises(RuleBroken, match="somebody else says") as refusal:
            outlook.answer(True, by=mentor, reason="As I said.")

        assert refusal.value.code == "own-forecast"

    def test_the_database_wants_whoever_answered(self, outlook):
        with pytest.raises(IntegrityError, match="an_outlook_is_answered_by_somebody"), transaction.atomic():
            Outlook.objects.update(is_true=True)

    def test_forecasts_are_scored_once_it_is_known(self, outlook, lead):
        make_rating(outlook.output, scores=SCORES, forecasts={"holds-up": 0.4})
        assert Forecast.objects.scored() is None

        outlook.answer(True, by=lead, reason="It was reproduced.")

        assert Forecast.objects.scored().brier == pytest.approx((0.04 + 0.36) / 2)

    def test_of_several_versions_the_blind_one_is_scored(self, outlook, lead, mentor):
        rating = Rating.objects.get()
        mentor.sightings.create(output=outlook.output)
        rating.revise(scores=SCORES, forecasts={"holds-up": 1.0})

        outlook.answer(True, by=lead, reason="It was reproduced.")

        assert Forecast.objects.scored().count == 1
        assert Forecast.objects.scored().brier == pytest.approx(0.04)

    def test_a_lead_answers_in_the_admin(self, outlook, lead, client):
        lead.user.become_staff()
        client.force_login(lead.user)
        path = f"/admin/ratings/outlook/{outlook.pk}/change/"

        client.post(path, {"is_true": "unknown", "answer_reason": "Hm."})
        assert list(Outlook.objects.due()) == [outlook]
        client.post(path, {"is_true": "false", "answer_reason": "A later paper found a bug."})

        outlook.refresh_from_db()
        assert (outlook.is_true, outlook.answered_by) == (False, lead)
