"""Estimates and fits through the API: an interval with each, and a log of who looked."""

import pytest

from tests.factories import make_mentee
from tracker.estimates.models import Estimate, Fit, Release, Viewing
from tracker.people.models import ApiKey, Scope

pytestmark = pytest.mark.django_db
ESTIMATES, FITS = "/api/v1/estimates/", "/api/v1/fits/"


def make_fit(program, **values) -> Fit:
    defaults = {"hyper": "mode", "rows": 40, "content_hash": "0" * 64, "model_version": "1", "criterion": 1.0}
    return Fit.objects.create(
        program=program,
        **{"is_current": True, "seconds": 0.1, "notes": ["Few readers."], **defaults, **values},
    )


def make_estimate(fit, person, **values) -> Estimate:
    quantiles = {"q05": -1.0, "q25": -0.2, "q50": 0.3, "q75": 0.8, "q95": 1.5}
    counts = {"observations": 12, "raters": 3, "outputs": 2}
    return Estimate.objects.create(
        fit=fit, person=person, mean=0.3, sd=0.7, raw=0.6, **{**quantiles, **counts, **values}
    )


@pytest.fixture
def estimate(program, cohort) -> Estimate:
    return make_estimate(make_fit(program), make_mentee(cohort, name="Mia Mentee"))


def test_an_estimate_comes_with_its_interval_and_what_it_rests_on(api, estimate):
    row = api.get(ESTIMATES).json()["results"][0]

    assert (row["person"], row["name"]) == (str(estimate.person.public_id), "Mia Mentee")
    assert row["interval"] == {"q05": -1.0, "q25": -0.2, "q50": 0.3, "q75": 0.8, "q95": 1.5}
    assert (row["mean"], row["sd"], row["raw"], row["readers"]) == (0.3, 0.7, 0.6, 3)
    assert (row["is_early"], row["symmetric"]) == (False, None)
    assert row["fit"]["notes"] == ["Few readers."]


def test_an_estimate_from_few_readers_is_marked_as_early(api, program, estimate):
    Estimate.objects.update(raters=2)

    assert api.get(f"{ESTIMATES}{estimate.person.public_id}/").json()["is_early"] is True


def test_looking_is_logged_with_who_looked_and_at_whom(api, estimate):
    api.get(ESTIMATES)
    api.get(f"{ESTIMATES}{estimate.person.public_id}/")

    looks = [(look.person, look.viewer, look.door) for look in Viewing.objects.all()]
    assert looks == [(estimate.person, ApiKey.objects.get().person.user, "api")] * 2


def test_a_refused_look_is_not_logged_as_one(holding, foreign_api, estimate):
    assert holding(Scope.READ).get(ESTIMATES).status_code == 403
    assert foreign_api.get(f"{ESTIMATES}{estimate.person.public_id}/").status_code == 404

    assert not Viewing.objects.exists()


def test_only_the_current_fit_is_shown_unless_another_one_is_named(api, program, estimate):
    old = make_estimate(make_fit(program, is_current=False), estimate.person, q50=9.0)

    current = api.get(ESTIMATES).json()["results"]
    earlier = api.get(f"{ESTIMATES}?fit={old.fit.public_id}").json()["results"]

    assert [row["interval"]["q50"] for row in current] == [0.3]
    assert [row["interval"]["q50"] for row in earlier] == [9.0]
    assert api.get(f"{ESTIMATES}{estimate.person.public_id}/").json()["interval"]["q50"] == 0.3


def test_the_history_of_fits_is_newest_last_and_says_what_was_released(
    api, foreign_api, lead, stage, estimate
):
    Release.objects.create(stage=stage, fit=estimate.fit, released_by=lead)
    make_fit(estimate.fit.program, is_current=False, rows=80)

    shown = api.get(FITS).json()["results"]

    assert [(row["rows"], row["released_for"]) for row in shown] == [(40, [stage.name]), (80, [])]
    assert foreign_api.get(FITS).json()["results"] == []


def test_lists_cost_the_same_for_many_people(api, program, cohort, django_assert_max_num_queries):
    fit = make_fit(program)
    for _ in range(40):
        make_estimate(fit, make_mentee(cohort, with_user=False))

    with django_assert_max_num_queries(4):
        assert len(api.get(ESTIMATES).json()["results"]) == 40
