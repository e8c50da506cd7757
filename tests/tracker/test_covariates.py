"""What the model takes into account of a reading, and that nothing about people gets in."""

import pytest
from django.core.checks import run_checks

from tracker.estimates.covariates import OF_THE_READING, covariates_of
from tracker.estimates.evidence import evidence_of
from tracker.estimates.refresh import observations_of, refresh_estimates

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["age", "gender", "university", "wellbeing", "Order", "person__name"])
def test_nothing_about_people_is_let_in(settings, name):
    settings.COVARIATES = ["order", name]

    assert [fault.id for fault in run_checks()] == ["plumbline.E007"]
    assert f"{name!r}" in run_checks()[0].msg


def test_properties_of_the_reading_are(settings):
    settings.COVARIATES = ["order", "week"]

    assert run_checks() == []


def test_a_name_that_slipped_past_the_check_still_finds_no_column(settings, rated):
    settings.COVARIATES = ["age", "rater"]

    assert observations_of(evidence_of(rated.cohort.program)).covariates == {}


def test_by_default_there_is_none(rated):
    rows = evidence_of(rated.cohort.program).rows

    assert not OF_THE_READING.keys() & set(rows[0])


def test_the_order_of_reading_enters_where_it_is_chosen(settings, rated):
    settings.COVARIATES = ["order"]
    program = rated.cohort.program

    observed = observations_of(evidence_of(program)).covariates["order"]
    fit = refresh_estimates(program)

    assert (observed.min(), observed.max()) == (-3.5, 3.5)
    assert "order" in fit.fixed


def test_what_does_not_vary_or_is_not_known_tells_nothing(settings):
    settings.COVARIATES = ["order", "week"]
    rows = [{"order": 1, "week": 2}, {"order": 3, "week": 2}, {"order": None}]

    assert covariates_of(rows) == {"order": [-1.0, 1.0, 0.0]}
