"""A new version of a benchmark: a plan says what grading again would cost, and somebody carries it out."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.factories import make_benchmark, make_person, make_project, make_submission, make_thorough_run
from tests.tracker.web.worlds import ACCURACY, make_fit, run_next
from tracker.errors import RuleBroken
from tracker.estimates.models import Fit
from tracker.estimates.refresh import refresh_estimates, take_event
from tracker.events.models import Event
from tracker.grading.models import Benchmark, Measurement, RegradePlan, Run
from tracker.people.models import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def old(program) -> Benchmark:
    return make_benchmark(program)


@pytest.fixture
def measured(cohort, stage, old) -> list[Run]:
    """Two teams' results; one of them has an earlier one too, that does not count."""
    projects = [make_project(cohort), make_project(cohort)]
    runs = [make_thorough_run(make_submission(project, old)) for project in (*projects, projects[0])]
    started = timezone.now() - timedelta(seconds=10)
    Run.objects.filter(phase="thorough").update(started_at=started, ended_at=started + timedelta(seconds=4))
    for run in runs:
        run.measurements.create(**ACCURACY)
    return runs[1:]


def next_version(old: Benchmark, **values: Any) -> Benchmark:
    Benchmark.objects.filter(pk=old.pk).update(retired_at=timezone.now())
    return make_benchmark(old.program, version=old.version + 1, content_hash="1" * 64, **values)


@pytest.fixture
def plan(old, measured) -> RegradePlan:
    plan = RegradePlan.objects.propose(next_version(old))
    assert plan is not None
    return plan


def test_it_says_how_many_count_and_what_they_cost(plan):
    assert plan.submissions == 2
    assert plan.expected_seconds == pytest.approx(8)
    assert not Run.objects.open().exists()


def test_where_nothing_was_measured_there_is_nothing_to_propose(old):
    assert RegradePlan.objects.propose(next_version(old)) is None


def test_it_is_carried_out_as_new_runs_on_the_new_version(plan, measured, lead):
    before = list(Measurement.objects.order_by("pk").values())

    assert plan.carry_out(by=lead.user) == 2

    opened = Run.objects.open()
    assert {run.submission_id for run in opened} == {run.submission_id for run in measured}
    assert {run.benchmark for run in opened} == {plan.benchmark}
    assert list(Measurement.objects.order_by("pk").values()) == before
    assert (plan.decision, plan.decided_by, plan.queued) == ("carried_out", lead.user, 2)
    assert Event.objects.get(kind="benchmark.regraded").actor == lead.user.public_id


def test_the_new_results_take_the_place_of_the_old_ones_by_the_new_anchors(plan, measured, lead):
    plan.benchmark.spec["anchors"] = {"start": 0.0, "reference": 1.0}
    plan.benchmark.save(update_fields=["spec"])
    plan.carry_out(by=lead.user)
    for _ in range(6):
        run_next()
    for run in Run.objects.filter(phase="thorough", benchmark=plan.benchmark):
        run.measurements.create(**{**ACCURACY, "value": 0.5, "low": 0.4, "high": 0.6})

    standing = Measurement.objects.standing()

    assert [row["score"] for row in standing.as_observations()] == [0.5, 0.5]
    assert Measurement.objects.count() == 5


def test_estimates_are_stale_from_then_on_until_they_are_refreshed(plan, rated_program, lead):
    fit = Fit.objects.current().get()
    plan.carry_out(by=lead.user)

    take_event(Event.objects.get(kind="benchmark.regraded"))
    stale = Fit.objects.get(pk=fit.pk).stale_at
    refresh_estimates(rated_program)

    assert fit.stale_at is None
    assert stale is not None


@pytest.fixture
def rated_program(program, lead):
    make_fit(program, {make_person(Role.MENTEE, program=program): 0.0})
    return program


def test_it_is_decided_once(plan, lead):
    other = RegradePlan.objects.get()
    plan.drop(by=lead.user)

    with pytest.raises(RuleBroken, match="decided already"):
        other.carry_out(by=lead.user)
    assert not Run.objects.open().exists()


def test_a_newer_version_takes_its_place(plan, lead):
    newer = RegradePlan.objects.propose(
        make_benchmark(plan.benchmark.program, version=3, content_hash="2" * 64, retired_at=timezone.now())
    )

    plan.refresh_from_db()
    assert plan.decision == "lapsed"
    with pytest.raises(RuleBroken, match="newer version"):
        newer.carry_out(by=lead.user)


def test_the_database_wants_to_know_who(plan, lead):
    now = timezone.now()
    for wrong in (
        {"decision": "carried_out", "decided_at": now, "queued": 2},
        {"decision": "dropped", "decided_at": now},
        {"decided_by": lead.user},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            RegradePlan.objects.update(**wrong)


def test_a_run_measures_on_no_other_benchmark(measured, program):
    other = make_benchmark(program, slug="other")

    with pytest.raises(IntegrityError), transaction.atomic():
        measured[0].submission.runs.create(phase="qualification", benchmark=other)
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.filter(pk=measured[0].pk).update(benchmark=other)


def test_only_those_who_lead_see_what_it_costs(plan, lead, mentor, stranger):
    seen = [RegradePlan.objects.visible_to(user).exists() for user in (lead.user, mentor.user, stranger)]

    assert seen == [True, False, False]
