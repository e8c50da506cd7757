"""Objective checks that speak against somebody: what was claimed too high, and what shows no skill."""

import pytest

from tests.factories import make_mentee, make_output, make_project, make_submission
from tests.tracker.web.worlds import graded
from tracker.decisions.checks import has_failed_check, shows_no_skill
from tracker.grading.models import Measurement
from tracker.people.models import Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def author(cohort, stage) -> Person:
    return make_mentee(cohort)


def grade(author: Person, stage, *, difference: float = 0.0, verdict: str = "agrees") -> Measurement:
    """Their submission, measured, with a claim so much above what was measured."""
    project = make_project(stage.cohort, authors=[author])
    make_output(project, stage=stage)
    claim = {"claim": {"metric": "accuracy", "value": 0.9}, "difference": difference, "verdict": verdict}
    return Measurement.objects.get(run__submission=graded(make_submission(project), claims=[claim]))


@pytest.mark.parametrize(
    ("difference", "verdict", "fails"),
    [(0.2, "differs", True), (-0.2, "differs", False), (0.01, "agrees", False)],
)
def test_a_claim_above_what_was_measured_fails(author, stage, difference, verdict, fails):
    grade(author, stage, difference=difference, verdict=verdict)

    assert has_failed_check(author) is fails


@pytest.mark.parametrize(
    ("low", "high", "fails"), [(0.02, 0.08, True), (0.05, 0.15, False), (0.8, 0.9, False)]
)
def test_an_interval_below_no_skill_fails(author, stage, low, high, fails):
    row = grade(author, stage)

    Measurement.objects.filter(pk=row.pk).update(low=low, high=high)

    assert has_failed_check(author) is fails


def test_an_unknown_interval_says_nothing(author, stage):
    row = grade(author, stage)
    row.low = row.high = None

    assert not shows_no_skill(row)


def test_it_is_about_ones_own_work_alone(author, stage):
    grade(author, stage, difference=0.2, verdict="differs")

    assert has_failed_check(author)
    assert not has_failed_check(make_mentee(stage.cohort))
