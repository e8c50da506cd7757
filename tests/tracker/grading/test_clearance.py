"""The full measurement only after both cheap phases: held by the database itself, whatever asks for it."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from tests.factories import make_artifact, make_benchmark, make_submission, make_thorough_run
from tracker.errors import RuleBroken
from tracker.grading.models import Benchmark, Clearance, Run, Submission
from tracker.ops.guards import GUARDS, drop_guards, missing_guards

pytestmark = pytest.mark.django_db


@pytest.fixture
def measured() -> Run:
    return make_thorough_run()


def refused(deed: Callable[[], Any]) -> str:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        deed()
    return str(refusal.value)


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def thorough(submission: Submission, clearance: Clearance | None) -> Run:
    return Run.objects.create(
        submission=submission,
        benchmark=submission.benchmark,
        phase=Run.Phase.THOROUGH,
        clearance=clearance,
        state=Run.State.SUCCEEDED,
        ended_at=timezone.now(),
    )


def passed(submission: Submission, phase: str, **values: Any) -> Run:
    values = {"benchmark": submission.benchmark, "state": "succeeded", "ended_at": timezone.now(), **values}
    return submission.runs.create(phase=phase, **values)


def unused(submission: Submission) -> Clearance:
    """A clearance whose thorough run has not begun."""
    run = make_thorough_run(submission)
    clearance = run.clearance
    assert clearance is not None
    Run.objects.filter(pk=run.pk).update(phase=Run.Phase.QUALIFICATION, clearance=None)
    return clearance


def test_a_thorough_run_with_its_clearance_is_taken():
    submission = make_submission()

    assert thorough(submission, unused(submission)).pk


def test_without_a_clearance_none_is(measured):
    refused(lambda: thorough(measured.submission, None))
    refused(lambda: Run.objects.filter(pk=measured.pk).update(clearance=None))
    refused(lambda: Run.objects.filter(clearance=None).update(phase=Run.Phase.THOROUGH))
    refused(lambda: sql("UPDATE grading_run SET clearance_id = NULL WHERE id = %s", measured.pk))


def test_no_cheap_run_carries_a_clearance():
    submission = make_submission()
    clearance = unused(submission)

    refused(lambda: submission.runs.update(clearance=clearance))


def test_a_clearance_of_another_submission_is_none(measured):
    other = make_submission()

    assert "its own submission" in refused(lambda: thorough(measured.submission, unused(other)))
    refused(lambda: Run.objects.filter(pk=measured.pk).update(submission=other))
    statement = "UPDATE grading_run SET submission_id = %s WHERE id = %s"
    refused(lambda: sql(statement, other.pk, measured.pk))


@pytest.mark.parametrize(
    "change",
    [
        {"phase": Run.Phase.SAFETY},
        {"state": Run.State.REFUSED},
        {"state": Run.State.FAILED},
        {"state": Run.State.CANCELLED},
    ],
)
@pytest.mark.parametrize("which", ["qualification", "safety"])
def test_a_clearance_needs_both_phases_passed(change, which):
    submission = make_submission()
    Run.objects.update(state="succeeded", ended_at=timezone.now())
    runs = {phase: passed(submission, phase) for phase in ("qualification", "safety")}
    if change.get("phase") == which:
        change = {"phase": Run.Phase.QUALIFICATION}
    Run.objects.filter(pk=runs[which].pk).update(**change)
    values = {"artifact": submission.artifact, "benchmark_hash": submission.benchmark.content_hash, **runs}

    assert "rests on the passed" in refused(lambda: Clearance.objects.create(submission=submission, **values))


@pytest.mark.parametrize("wrong", ["artifact", "benchmark_hash", "submission", "order"])
def test_a_clearance_is_for_this_file_on_this_content(measured, wrong):
    submission = make_submission()
    Run.objects.open().update(state="succeeded", ended_at=timezone.now())
    first, second = (passed(submission, phase) for phase in ("qualification", "safety"))
    right = {
        "submission": submission,
        "artifact": submission.artifact,
        "benchmark_hash": submission.benchmark.content_hash,
        "qualification": first,
        "safety": second,
    }
    others = {
        "artifact": {"artifact": make_artifact()},
        "benchmark_hash": {"benchmark_hash": "f" * 64},
        "submission": {"submission": measured.submission},
        "order": {"qualification": second, "safety": first},
    }

    refused(lambda: Clearance.objects.create(**right | others[wrong]))
    assert Clearance.objects.create(**right).pk


def test_what_safety_raised_needs_a_person_by_name():
    submission = make_submission()
    Run.objects.update(state="succeeded", ended_at=timezone.now())
    safety = passed(submission, "safety", message="Look at it.")

    assert "rests on the passed" in refused(lambda: submission.clearances.grant(safety))
    assert submission.clearances.grant(safety, let_through_by=uuid4()).pk


def test_no_first_check_no_clearance():
    submission = make_submission()
    Run.objects.update(state="refused", ended_at=timezone.now())
    safety = passed(submission, "safety")

    with pytest.raises(RuleBroken, match="has not passed its first check"):
        submission.clearances.grant(safety)


def test_what_cleared_cannot_be_undone_under_it(measured):
    clearance = measured.clearance

    for run in (clearance.qualification, clearance.safety):
        refused(lambda run=run: Run.objects.filter(pk=run.pk).update(state=Run.State.REFUSED))
        refused(lambda run=run: sql("UPDATE grading_run SET phase = 'x' WHERE id = %s", run.pk))
    refused(lambda: Clearance.objects.update(benchmark_hash="f" * 64))
    refused(lambda: Clearance.objects.update(artifact=make_artifact()))


def test_neither_file_nor_benchmark_change_under_it(measured):
    refused(lambda: Submission.objects.update(artifact=make_artifact()))
    refused(lambda: Submission.objects.update(benchmark=make_benchmark(slug="other")))
    refused(lambda: Benchmark.objects.update(content_hash="f" * 64))
    refused(lambda: sql("UPDATE grading_benchmark SET content_hash = 'f'"))


def test_migrating_puts_the_rules_back():
    assert not missing_guards(connection)
    drop_guards(connection)
    assert missing_guards(connection) == {guard.trigger for guard in GUARDS}

    call_command("migrate", verbosity=0)

    assert not missing_guards(connection)
