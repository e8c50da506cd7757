"""The worker end to end, on the real digits: bytes in, measurements out."""

import csv
import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.db import DataError, OperationalError

from tests.factories import make_project, make_submission
from tracker.grading.installing import install_benchmark
from tracker.grading.intake import receive
from tracker.grading.models import Measurement, Run, Submission
from tracker.grading.work import grade_next, scorer

DIGITS = Path("evals/grading/demo/digits")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True, scope="module")
def ended_scorer():
    yield
    scorer().close()


@pytest.fixture
def benchmark(program):
    return install_benchmark(program, DIGITS, slug="digits")


def truth() -> dict[str, str]:
    with (DIGITS / "hidden" / "labels.csv").open() as file:
        return {row["id"]: row["label"] for row in csv.DictReader(file)}


def predictions(wrong_every: int = 10) -> str:
    rows = [
        (key, label if at % wrong_every else str((int(label) + 1) % 10))
        for at, (key, label) in enumerate(truth().items())
    ]
    text = io.StringIO()
    csv.writer(text).writerows([("id", "pred"), *rows])
    return text.getvalue()


def submit(
    cohort: Any, benchmark: Any, content: str | bytes, name: str = "predictions.csv", **values: Any
) -> Submission:
    data = content.encode() if isinstance(content, str) else content
    artifact = receive(ContentFile(data, name=name), benchmark)
    return make_submission(make_project(cohort), benchmark, artifact=artifact, filename=name, **values)


def grade_all() -> None:
    while grade_next():
        pass


def test_predictions_are_measured_in_three_phases(cohort, benchmark):
    claims = {"accuracy": {"value": 0.99, "n": 797}}
    submission = submit(cohort, benchmark, predictions(), claims=claims)

    grade_all()

    runs = list(submission.runs.all())
    assert [(run.phase, run.state) for run in runs] == [
        ("qualification", "succeeded"),
        ("safety", "succeeded"),
        ("thorough", "succeeded"),
    ]
    accuracy = Measurement.objects.get(metric="accuracy", slice="")
    assert accuracy.value == pytest.approx(1 - 80 / 797)
    assert accuracy.low < accuracy.value < accuracy.high
    assert runs[-1].claims[0]["verdict"] == "differs"
    assert runs[-1].record["benchmark_hash"] == benchmark.content_hash


def test_what_cannot_be_measured_has_no_number(cohort, benchmark):
    submission = submit(cohort, benchmark, predictions())

    grade_all()

    assert not Measurement.objects.filter(metric="log_loss").exists()
    assert "log_loss" in str(submission.runs.last().record)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("id,pred\n1,3\n", "missing-id"),
        ("id,pred\nnobody,3\n", "unknown-id"),
    ],
)
def test_a_submitters_fault_is_refused_with_what_to_change(cohort, benchmark, content, code):
    submission = submit(cohort, benchmark, content)

    grade_all()

    run = submission.runs.get()
    assert run.state == Run.State.REFUSED
    assert run.code in (code, "missing-id", "unknown-id")
    assert run.message.endswith(".")


def test_our_fault_is_ours(cohort, benchmark, monkeypatch):
    submission = submit(cohort, benchmark, predictions())
    monkeypatch.setattr("tracker.grading.work.run_phase", lambda *a, **b: 1 / 0)

    grade_all()

    run = submission.runs.get()
    assert (run.state, run.code) == ("failed", "grader")
    assert "ZeroDivisionError" in run.traceback
    assert "ZeroDivisionError" not in run.message


def test_an_artifact_that_changed_in_storage_is_not_measured(cohort, benchmark):
    submission = submit(cohort, benchmark, predictions())
    path = submission.artifact.path
    path.chmod(0o600)
    path.write_text(predictions(5))

    grade_all()

    assert submission.runs.get().state == Run.State.FAILED
    path.unlink()


def test_the_database_may_be_away_when_the_result_is_written(cohort, benchmark, monkeypatch):
    submission = submit(cohort, benchmark, predictions())
    real, away = Run.succeed, iter([True, True, False])

    def succeed(run: Run, **values: Any) -> bool:
        if next(away, False):
            raise OperationalError("gone")
        return real(run, **values)

    monkeypatch.setattr(Run, "succeed", succeed)
    monkeypatch.setattr("tracker.grading.work.SECONDS_BETWEEN_TRIES", 0.01)

    grade_next()

    assert submission.runs.first().state == Run.State.SUCCEEDED


def test_the_database_may_go_away_in_the_middle_of_writing_the_result(cohort, benchmark, monkeypatch):
    submission = submit(cohort, benchmark, predictions())
    real, away = Run._open_next_phase, iter([True, False])

    def open_next_phase(run: Run) -> None:
        if next(away, False):
            raise OperationalError("gone")
        real(run)

    monkeypatch.setattr(Run, "_open_next_phase", open_next_phase)
    monkeypatch.setattr("tracker.grading.work.SECONDS_BETWEEN_TRIES", 0.01)

    grade_next()

    assert [(run.phase, run.state) for run in submission.runs.all()] == [
        ("qualification", "succeeded"),
        ("safety", "queued"),
    ]


def test_a_result_that_the_database_refuses_is_our_fault_at_once(cohort, benchmark, monkeypatch):
    submission = submit(cohort, benchmark, predictions())

    def refuse(*_: Any) -> None:
        raise DataError("value too long")

    monkeypatch.setattr(Run, "_open_next_phase", refuse)

    grade_next()

    run = submission.runs.get()
    assert (run.state, run.code) == ("failed", "grader")
    assert "value too long" in run.traceback


def test_a_run_that_is_cancelled_while_it_runs_scores_nothing(cohort, benchmark, monkeypatch):
    from evals.grading.refusals import Stopped

    submission = submit(cohort, benchmark, predictions())

    def stopped(*_: Any, **__: Any) -> None:
        Run.objects.get().cancel()
        raise Stopped("asked")

    monkeypatch.setattr("tracker.grading.work.run_phase", stopped)

    grade_next()

    assert submission.runs.get().state == Run.State.CANCELLED


def test_a_crash_of_the_child_is_tried_again(cohort, benchmark, monkeypatch):
    from evals.grading.refusals import ChildCrashed

    submission = submit(cohort, benchmark, predictions())

    def crash(*_: Any, **__: Any) -> None:
        raise ChildCrashed("signal 6")

    monkeypatch.setattr("tracker.grading.work.run_phase", crash)

    grade_next()

    run = submission.runs.get()
    assert (run.state, run.crashes) == ("queued", 1)


def test_the_hidden_labels_are_nowhere_that_a_person_reads(cohort, benchmark):
    submission = submit(cohort, benchmark, predictions())

    grade_all()

    said = str([(run.record, run.message, run.claims) for run in submission.runs.all()]) + str(benchmark.spec)
    labels = (DIGITS / "hidden" / "labels.csv").read_bytes()
    assert hashlib.sha256(labels).hexdigest() not in said
    assert "labels.csv" not in said


def test_weights_are_read_in_the_jail_and_measured(cohort, benchmark):
    from safetensors.numpy import save

    rng = np.random.default_rng(0)
    tensors = {
        "weight": rng.standard_normal((10, 64)).astype(np.float32),
        "bias": np.zeros(10, dtype=np.float32),
    }
    submission = submit(cohort, benchmark, save(tensors), name="weights.safetensors")

    grade_all()

    last = submission.runs.last()
    assert (last.phase, last.state) == ("thorough", "succeeded"), last.message
    assert Measurement.objects.filter(metric="log_loss", slice="").exists()
