"""A run from the queue to its end, by every way that DESIGN's table of states knows."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from tests.factories import (
    make_artifact,
    make_benchmark,
    make_project,
    make_submission,
    make_thorough_run,
)
from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.grading.models import Attempt, Measurement, Run, Submission

pytestmark = pytest.mark.django_db

ACCURACY = {
    "metric": "accuracy",
    "value": 0.9,
    "standard_error": 0.01,
    "low": 0.88,
    "high": 0.92,
    "n": 500,
    "method": "cells",
}


def lease(**values) -> Run:
    Run.objects.filter(state=Run.State.QUEUED).update(not_before=Now() - timedelta(seconds=1))
    run = Run.objects.lease_next(uuid4())
    assert run is not None
    return run


def finish(run: Run, **values) -> bool:
    return run.succeed(**{"measurements": [], "record": {}, "claims": [], **values})


def test_a_submission_opens_its_qualification_and_rings(quiet_bell, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        submission = make_submission()

    assert [(run.phase, run.state) for run in submission.runs.all()] == [("qualification", "queued")]
    assert "tracker.grading.tasks.grade" in quiet_bell


def test_each_phase_that_succeeds_opens_the_next():
    submission = make_submission()

    for _ in Run.Phase.values:
        finish(lease())

    assert [run.phase for run in submission.runs.all()] == ["qualification", "safety", "thorough"]
    assert not submission.runs.open().exists()


def test_what_safety_raises_is_held_for_a_person():
    submission = make_submission()
    finish(lease())

    finish(lease(), held="Two weights are not finite.")

    submission.refresh_from_db()
    assert submission.held_at is not None
    assert not submission.runs.open().exists()


def test_a_result_is_stored_with_the_final_state_or_not_at_all():
    make_submission()
    run = lease()

    with pytest.raises(IntegrityError), transaction.atomic():
        finish(run, measurements=[ACCURACY, ACCURACY])

    run = Run.objects.get()
    assert run.state == Run.State.RUNNING
    assert not Measurement.objects.exists()


def test_finishing_twice_stores_once():
    make_submission()
    run = lease()
    again = Run.objects.get(pk=run.pk)

    assert [finish(run, measurements=[ACCURACY]), finish(again, measurements=[ACCURACY])] == [True, False]

    assert Measurement.objects.count() == 1


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_the_database_refuses_a_number_that_is_none(value):
    make_submission()

    with pytest.raises(IntegrityError), transaction.atomic():
        finish(lease(), measurements=[{**ACCURACY, "value": value, "low": None, "high": None}])


def test_a_crash_is_retried_three_times_and_then_held():
    make_submission()

    for _ in range(4):
        assert lease().requeue(Run.objects.get().owner, why=Attempt.Ending.CRASHED, traceback="Signal 6")

    run = Run.objects.get()
    assert (run.state, run.code, run.attempts) == ("failed", "quarantined", 4)
    assert run.traceback == "Signal 6"


def test_a_drained_run_comes_back_at_once_and_burns_no_retry():
    make_submission()
    run = lease()

    run.requeue(run.owner, why=Attempt.Ending.DRAINED)

    assert (run.state, run.crashes, run.losses) == ("queued", 0, 0)
    assert Run.objects.free().exists()


def test_a_poison_run_does_not_hold_up_others():
    poison, other = make_submission(), make_submission()
    run = lease()
    run.requeue(run.owner, why=Attempt.Ending.CRASHED)

    following = Run.objects.lease_next(uuid4())

    assert run.submission == poison
    assert following is not None
    assert following.submission == other


def test_cheap_phases_come_before_dear_ones():
    early = make_submission()
    finish(lease())
    late = make_submission()

    assert lease().submission == late
    assert lease().submission == early


def test_a_waiting_run_is_cancelled_at_once():
    make_submission()

    Run.objects.get().cancel()

    assert Run.objects.get().state == Run.State.CANCELLED


def test_a_running_run_is_cancelled_by_its_worker_and_scores_nothing():
    make_submission()
    run = lease()

    Run.objects.get().cancel()

    assert not Run.objects.renew(run.pk, owner=run.owner)
    assert run.stop_as_asked()
    assert Run.objects.get().state == Run.State.CANCELLED


def test_a_person_who_cancels_is_obeyed_even_when_the_run_ends_first():
    submission = make_submission()
    run = lease()
    Run.objects.get().cancel()

    assert not finish(run, measurements=[ACCURACY])

    assert [entry.state for entry in submission.runs.all()] == ["cancelled"]
    assert not Measurement.objects.exists()


def test_cancelling_what_has_begun_gives_no_quota_back():
    project = make_project()
    benchmark = make_benchmark(project.program)
    for _ in range(5):
        make_submission(project, benchmark)
    lease().stop_as_asked()

    with pytest.raises(RuleBroken, match="last 24 hours"):
        make_submission(project, benchmark)


def test_cancelling_what_has_not_begun_does():
    project = make_project()
    benchmark = make_benchmark(project.program)
    submissions = [make_submission(project, benchmark) for _ in range(5)]
    submissions[-1].runs.get().cancel()

    assert make_submission(project, benchmark).pk


def test_a_lost_worker_of_a_cancelled_run_leaves_it_cancelled():
    make_submission()
    run = lease()
    run.cancel()
    Run.objects.filter(pk=run.pk).update(lease_ends_at=Now() - timedelta(seconds=1))

    Run.objects.reap()

    assert Run.objects.get().state == Run.State.CANCELLED


def test_what_crashes_after_a_person_cancelled_it_is_not_tried_again():
    make_submission()
    run = lease()
    Run.objects.get().cancel()

    run.requeue(run.owner, why=Attempt.Ending.CRASHED)

    assert Run.objects.get().state == Run.State.CANCELLED


def test_what_has_ended_cannot_be_cancelled():
    make_submission()
    finish(lease())
    run = Run.objects.filter(phase="qualification").get()

    with pytest.raises(RuleBroken, match="ended already"):
        run.cancel()


@pytest.mark.parametrize("end", ["succeeded", "refused", "failed", "cancelled"])
def test_every_end_is_told_once(end):
    make_submission()
    run = lease()

    {
        "succeeded": lambda: finish(run),
        "refused": lambda: run.refuse("wrong-shape", "Send 10 columns."),
        "failed": lambda: run.fail("grader", traceback="…"),
        "cancelled": run.stop_as_asked,
    }[end]()

    assert Event.objects.filter(kind=f"run.{end}", subject=run.public_id).count() == 1


def test_a_submission_has_one_open_run():
    submission = make_submission()

    with pytest.raises(RuleBroken, match="being graded already"):
        submission.regrade()


def test_grading_again_keeps_what_was_measured_before():
    submission = make_submission()
    for _ in Run.Phase.values:
        finish(lease(), measurements=[ACCURACY])

    submission.regrade()

    assert Measurement.objects.count() == 3
    assert submission.runs.count() == 4


def test_progress_is_written_by_the_present_worker_only():
    make_submission()
    run = lease()
    Run.objects.filter(pk=run.pk).update(owner=uuid4())

    run.report_progress(5, 10)

    assert Run.objects.get().progress_done == 0


def test_the_chosen_submission_counts_else_the_latest_never_the_best():
    project = make_project()
    benchmark = make_benchmark(project.program)
    first, second, unmeasured = (make_submission(project, benchmark) for _ in range(3))
    for submission in (first, second):
        make_thorough_run(submission)

    latest = Submission.objects.counting().get()
    first.choose()

    assert latest == second
    assert Submission.objects.counting().get() == first
    assert not unmeasured.is_chosen


def test_a_day_allows_so_many_submissions():
    project = make_project()
    benchmark = make_benchmark(project.program)
    for _ in range(5):
        make_submission(project, benchmark)

    with pytest.raises(RuleBroken, match="5 submissions of the last 24 hours"):
        make_submission(project, benchmark)


def test_our_fault_costs_no_quota():
    project = make_project()
    benchmark = make_benchmark(project.program)
    for _ in range(5):
        make_submission(project, benchmark)
    lease().fail("grader", traceback="…")

    assert make_submission(project, benchmark).pk


def test_the_same_external_id_sends_one_submission():
    project = make_project()
    artifact = make_artifact()

    first = make_submission(project, artifact=artifact, external_id="s-1")
    again = make_submission(project, artifact=artifact, external_id="s-1")

    assert first == again
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"beauty": {"value": 1}}, "unknown metric"),
        ({"accuracy": {"value": float("nan")}}, "finite number"),
        ({"accuracy": 0.9}, "finite number"),
        ({"accuracy": {"value": True}}, "finite number"),
        ({"accuracy": {"value": 7}}, "Claim accuracy as a number from 0 to 1"),
        ({"accuracy": {"value": -0.1}}, "Claim accuracy as a number from 0 to 1"),
        ({"log_loss": {"value": -2}}, "Claim log_loss as a number of at least 0"),
        ({"accuracy": {"value": 1.5e308}}, "finite number"),
        ({"accuracy": {"value": 0.9, "n": 10**400}}, "finite number"),
        ({"accuracy": {"value": 0.9, "seeds": -1}}, "finite number"),
        ({"accuracy": {"value": 0.9, "metric": "beauty"}}, "finite number"),
    ],
)
def test_it_refuses_a_claim_that_cannot_be_checked(claims, says):
    with pytest.raises(RuleBroken, match=says):
        make_submission(claims=claims)


def test_a_failed_phase_refuses_and_opens_nothing():
    submission = make_submission()

    lease().refuse("wrong-shape", "Send 10 columns.")

    assert submission.runs.get().message == "Send 10 columns."
    assert submission.runs.get().ended_at <= timezone.now()
