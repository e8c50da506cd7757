"""Ratings become estimates: asked for once, computed in one piece, kept with what they saw."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.db.models import Sum
from django.db.models.functions import Now

from tests.factories import (
    make_application,
    make_mentee,
    make_output,
    make_program,
    make_project,
    make_rating,
    make_round,
    make_rubric,
)
from tracker.estimates.evidence import evidence_of
from tracker.estimates.models import (
    Contribution,
    Estimate,
    Fit,
    FitRequest,
    Hyper,
    RaterEstimate,
)
from tracker.estimates.refresh import compute, refresh_due, refresh_estimates, take_event
from tracker.estimates.rows import chances_of_a_place, raw_by_person
from tracker.events.delivery import deliver_to
from tracker.events.models import Event
from tracker.people.merging import merge_people

pytestmark = pytest.mark.django_db
KEYS = ("importance", "rigour", "clarity", "execution")


def due_now() -> None:
    FitRequest.objects.update(not_before=Now() - timedelta(seconds=1))


def test_a_rating_asks_for_one_fit(rated):
    deliver_to("estimates", take_event)

    assert FitRequest.objects.open().count() == 1


@pytest.mark.parametrize("deed", ["merge", "admit", "rule"])
def test_what_else_changes_the_evidence_asks_for_one_too(rated, deed):
    """Two entries that become one, somebody who is admitted, and a program that changes who may judge."""
    program, cohort = rated.cohort.program, rated.cohort
    pair, application = (make_mentee(cohort), make_mentee(cohort)), make_application(make_round(cohort))
    deeds = {
        "merge": lambda: merge_people(*pair),
        "admit": application.admit,
        "rule": lambda: program.rule(["conflicts_reach"]),
    }
    deliver_to("estimates", take_event)
    refresh_estimates(program)
    FitRequest.objects.all().delete()

    deeds[deed]()
    deliver_to("estimates", take_event)

    assert FitRequest.objects.open().exists()
    assert Fit.objects.current().get().stale_at is not None


def test_a_name_of_a_program_asks_for_no_fit(program):
    program.rule(["name"])

    assert not Event.objects.exists()


def test_the_fit_says_more_of_better_people(rated):
    fit = refresh_estimates(rated.cohort.program)

    assert fit is not None
    means = list(Estimate.objects.filter(fit=fit).order_by("person_id").values_list("mean", flat=True))
    assert means == sorted(means)
    assert fit.rows == 4 * 2 * 3 * 4


def test_every_estimate_has_its_uncertainty(rated):
    refresh_estimates(rated.cohort.program)

    for estimate in Estimate.objects.all():
        assert estimate.q05 < estimate.q25 < estimate.q50 < estimate.q75 < estimate.q95
        assert estimate.sd > 0
        assert (estimate.raters, estimate.outputs, estimate.observations) == (3, 2, 24)


def test_people_apart_beyond_doubt_are_in_tiers(rated):
    refresh_estimates(rated.cohort.program)

    tiers = list(Estimate.objects.order_by("-mean").values_list("tier", flat=True))
    assert tiers == sorted(tiers)
    assert tiers[0] == 1


def test_contributions_sum_to_the_estimate(rated):
    refresh_estimates(rated.cohort.program)

    for estimate in Estimate.objects.all():
        total = Contribution.objects.filter(person=estimate.person).aggregate(total=Sum("amount"))["total"]
        assert total == pytest.approx(estimate.mean, abs=1e-8)


def test_readers_have_their_leniency(rated):
    refresh_estimates(rated.cohort.program)

    means = list(RaterEstimate.objects.order_by("person_id").values_list("mean", flat=True))
    assert means == sorted(means)


def test_somebody_without_evidence_rests_at_the_prior(rated):
    newcomer = make_mentee(rated.cohort)

    refresh_estimates(rated.cohort.program)

    estimate = Estimate.objects.get(person=newcomer)
    assert estimate.mean == pytest.approx(0, abs=1e-9)
    assert estimate.is_early
    assert estimate.sd > Estimate.objects.exclude(person=newcomer).first().sd


def test_one_fit_is_current_and_the_old_ones_stay(rated):
    program = rated.cohort.program
    refresh_estimates(program)
    make_rating(make_output(make_project(rated.cohort), stage=rated))

    refresh_estimates(program)

    assert Fit.objects.current().count() == 1
    assert Fit.objects.count() > 1


def test_the_same_evidence_is_not_fitted_twice(rated):
    first = refresh_estimates(rated.cohort.program)

    assert refresh_estimates(rated.cohort.program) == first


def test_what_a_fit_saw_is_the_same_whatever_order_it_came_in(rated):
    evidence = evidence_of(rated.cohort.program)

    assert evidence.content_hash == evidence_of(rated.cohort.program).content_hash


def test_a_retracted_rating_is_seen_no_more(rated):
    before = evidence_of(rated.cohort.program)
    rated.outputs.first().ratings.first().retract(reason="Wrong version.")

    after = evidence_of(rated.cohort.program)

    assert len(after.rows) == len(before.rows) - 4
    assert after.content_hash != before.content_hash


def test_too_little_to_fit_is_no_error(program):
    FitRequest.objects.ask(program)
    due_now()

    assert refresh_due() == 1
    assert not Fit.objects.exists()


def test_requests_become_one_while_they_wait_and_another_while_one_is_done(program):
    first = FitRequest.objects.ask(program)
    assert FitRequest.objects.ask(program) == first

    due_now()
    FitRequest.objects.lease_next(uuid4())

    assert FitRequest.objects.ask(program) != first


def test_a_request_waits_a_moment_for_more(program):
    FitRequest.objects.ask(program)

    assert FitRequest.objects.lease_next(uuid4()) is None


def test_a_worker_that_lost_its_request_makes_nothing_current(rated, monkeypatch):
    FitRequest.objects.ask(rated.cohort.program)
    due_now()

    def lose(*arguments: Any, **values: Any) -> Any:
        FitRequest.objects.update(owner=uuid4())
        return compute(*arguments, **values)

    monkeypatch.setattr("tracker.estimates.refresh.compute", lose)

    assert refresh_due() == 0
    assert not Fit.objects.exists()


def test_a_fit_that_fails_is_kept_with_its_reason_and_tried_again(rated, monkeypatch):
    request = FitRequest.objects.ask(rated.cohort.program)
    due_now()
    monkeypatch.setattr("tracker.estimates.refresh.compute", lambda *a, **b: 1 / 0)

    assert refresh_due() == 0

    request.refresh_from_db()
    assert "ZeroDivisionError" in request.failure
    assert request.owner is None
    assert FitRequest.objects.open().get() == request


def test_evidence_that_cannot_be_fitted_is_said_once_and_not_tried_again(stage):
    for _ in range(2):
        make_rating(make_output(make_project(stage.cohort), stage=stage))
    FitRequest.objects.ask(stage.cohort.program)
    due_now()

    assert refresh_due() == 0

    request = FitRequest.objects.get()
    assert request.failure == "All scores are equal: there is nothing to tell people apart by."
    assert not FitRequest.objects.open().exists()


def test_a_lost_workers_request_is_freed(program):
    FitRequest.objects.ask(program)
    due_now()
    FitRequest.objects.lease_next(uuid4())
    FitRequest.objects.update(lease_ends_at=Now() - timedelta(seconds=1))

    assert FitRequest.objects.reap() == 1

    assert FitRequest.objects.lease_next(uuid4()) is not None


def test_a_lost_workers_request_gives_way_to_a_newer_one(program):
    FitRequest.objects.ask(program)
    due_now()
    FitRequest.objects.lease_next(uuid4())
    newer = FitRequest.objects.ask(program)
    FitRequest.objects.exclude(pk=newer.pk).update(lease_ends_at=Now() - timedelta(seconds=1))

    FitRequest.objects.reap()

    assert FitRequest.objects.open().get() == newer


def test_teams_share_what_their_outputs_say(stage):
    make_rubric(stage.cohort.program, *KEYS)
    team = [make_mentee(stage.cohort) for _ in range(2)]
    output = make_output(make_project(stage.cohort, authors=team), stage=stage)
    output.set_credit({"idea": {team[0]: 1}, "execution": {team[0]: 0.5, team[1]: 0.5}})
    make_rating(output)

    evidence = evidence_of(stage.cohort.program)

    assert {person: share for _, person, share in evidence.credit} == {
        team[0].pk: 0.75,
        team[1].pk: 0.25,
    }


def test_the_bare_mean_is_that_of_the_scores(stage):
    make_rubric(stage.cohort.program, "rigour")
    for value in (3.0, 7.0):
        make_rating(make_output(make_project(stage.cohort), stage=stage), scores={"rigour": value})

    raw = raw_by_person(evidence_of(stage.cohort.program))

    assert sorted(raw.values()) == [-2.0, 2.0]


def test_chances_of_a_place_sum_to_the_places():
    draws = np.random.default_rng(0).standard_normal((500, 6)) + np.arange(6)

    chances = chances_of_a_place(draws, 2)

    assert sum(chances) == pytest.approx(2)
    assert chances == sorted(chances)


class TestTheBetterFit:
    """The quick fit is shown at once; the one that takes longer replaces it, unless news came in meanwhile."""

    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch):
        """The engine's own tests prove the integrated posterior; here the quick one stands for it."""
        monkeypatch.setattr(
            "tracker.estimates.refresh.compute", lambda seen, hyper: compute(seen, hyper=Hyper.MODE)
        )

    def test_the_quick_fit_asks_for_it(self, rated):
        refresh_estimates(rated.cohort.program)

        assert FitRequest.objects.get().hyper == Hyper.INTEGRATED

    def test_it_replaces_the_quick_one(self, rated):
        refresh_estimates(rated.cohort.program)

        assert refresh_due() == 1

        assert Fit.objects.current().get().hyper == Hyper.INTEGRATED
        assert FitRequest.objects.open().count() == 0

    def test_it_gives_way_to_news(self, rated, monkeypatch):
        program = rated.cohort.program
        refresh_estimates(program)

        def slowly(seen: Any, hyper: str) -> Any:
            if hyper == Hyper.INTEGRATED:
                make_rating(make_output(make_project(rated.cohort), stage=rated))
                refresh_estimates(program)
            return compute(seen, hyper=Hyper.MODE)

        monkeypatch.setattr("tracker.estimates.refresh.compute", slowly)
        newest = refresh_estimates(program, hyper=Hyper.INTEGRATED)

        assert newest is not None
        assert (newest.hyper, newest.rows) == (Hyper.MODE, 100)
        assert Fit.objects.current().get() == newest

    def test_quick_ones_come_first(self, rated):
        program = rated.cohort.program
        FitRequest.objects.ask_for_better(program)
        FitRequest.objects.ask(program)
        due_now()

        assert FitRequest.objects.lease_next(uuid4()).hyper == Hyper.MODE

    def test_slow_ones_do_not_take_every_worker(self, program):
        for _ in range(2):
            FitRequest.objects.ask_for_better(make_program())
        FitRequest.objects.ask(program)
        due_now()

        taken = [FitRequest.objects.lease_next(uuid4()) for _ in range(3)]

        assert [request and request.hyper for request in taken] == [Hyper.MODE, Hyper.INTEGRATED, None]

    def test_a_program_has_one_quick_fit_at_a_time(self, program):
        FitRequest.objects.ask(program)
        due_now()
        FitRequest.objects.lease_next(uuid4())
        FitRequest.objects.ask(program)
        due_now()

        assert FitRequest.objects.lease_next(uuid4()) is None
