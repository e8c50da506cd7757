"""What the fault tests do in processes of their own: `python -m tests.faults.deeds DEED [ARGUMENTS]`.

Each deed works on the database that PLUMBLINE_VAR names, as `make run` would, and prints one line of JSON.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.files.base import ContentFile
from safetensors.numpy import save

import tests.standalone  # noqa: F401 (starts Django)
from evals.grading.architectures import architecture
from tests.evals.grading.makers import make_benchmark as make_benchmark_folder
from tests.factories import make_cohort, make_program, make_project
from tests.schema import fresh_database
from tracker.cohorts.models import Cohort
from tracker.events.delivery import deliver_events
from tracker.grading.installing import install_benchmark
from tracker.grading.intake import receive
from tracker.grading.models import Measurement, Run, Submission
from tracker.people.models import Program

DIGITS = Path("evals/grading/demo/digits")
# A small language model over so many items that its full measurement takes a minute on most machines.
SLOW_ITEMS, SLOW_TOKENS, VOCABULARY = 20_000, 64, 64
DECODER: dict[str, Any] = {"name": "decoder", "kind": "decoder", "vocabulary": VOCABULARY, "width": 64}
DECODER |= {"inner": 128, "blocks": 4, "heads": 4, "key_heads": 4, "tied": True, "answers": [1, 2]}
DECODER |= {"eps": 1e-5, "theta": 10_000.0}


def prepare(count: str) -> dict[str, Any]:
    """A fresh database with so many submissions of weights, all waiting."""
    fresh_database()
    program = make_program()
    cohort, benchmark = make_cohort(program), install_benchmark(program, DIGITS, slug="digits")
    for seed in range(int(count)):
        artifact = receive(ContentFile(weights(seed), name="weights.safetensors"), benchmark)
        Submission.objects.submit(
            project=make_project(cohort),
            benchmark=benchmark,
            artifact=artifact,
            filename="weights.safetensors",
            by=None,
        )
    return {"submissions": Submission.objects.count()}


def prepare_slow(count: str) -> dict[str, Any]:
    """As ``prepare``, with one submission more, before the others, whose full measurement takes long."""
    found = prepare(count)
    rng = np.random.default_rng(0)
    place = Path(settings.VAR_DIR) / "slow"
    rows = "".join(f"{item},{item % 2}\n" for item in range(SLOW_ITEMS))
    make_benchmark_folder(
        place,
        labels=f"id,label\n{rows}",
        formats=["safetensors"],
        data={"inputs": "inputs.npz", "labels": "hidden/labels.csv"},
        limits={"thorough_seconds": 3600.0, "safety_seconds": 120.0, "qualification_seconds": 120.0},
        architectures=[DECODER],
    )
    tokens = rng.integers(0, VOCABULARY, (SLOW_ITEMS, SLOW_TOKENS)).astype(np.int16)
    np.savez(place / "inputs.npz", id=np.arange(SLOW_ITEMS), x=tokens)
    program = Program.objects.get()
    benchmark = install_benchmark(program, place, slug="slow")
    shapes = architecture(DECODER).parameters()
    model = save({name: rng.normal(0, 0.05, shape).astype(np.float32) for name, shape in shapes.items()})
    submission = Submission.objects.submit(
        project=make_project(Cohort.objects.get()),
        benchmark=benchmark,
        artifact=receive(ContentFile(model, name="slow.safetensors"), benchmark),
        filename="slow.safetensors",
        by=None,
    )
    return {**found, "slow": submission.pk}


def weights(seed: int) -> bytes:
    """A linear model that is a little right."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((10, 64)).astype(np.float32)
    return save({"weight": matrix, "bias": np.zeros(10, dtype=np.float32)})


def sweep(seconds: str) -> dict[str, Any]:
    """What tick does, and a little more often, until everything has ended or the time is over."""
    ends = time.monotonic() + float(seconds)
    while time.monotonic() < ends:
        Run.objects.reap()
        deliver_events()
        if not Run.objects.open().exists():
            break
        time.sleep(0.5)
    return report()


def report() -> dict[str, Any]:
    runs = Run.objects.order_by("submission", "pk")
    return {
        "runs": [[run.submission_id, run.phase, run.state, run.attempts, run.losses] for run in runs],
        "scores": {
            str(row.run.submission_id): row.value
            for row in Measurement.objects.filter(metric="accuracy", slice="").select_related("run")
        },
        "measurements": Measurement.objects.filter(metric="accuracy", slice="").count(),
        "attempts": [run.attempt_rows.count() for run in runs],
    }


def running() -> dict[str, Any]:
    """Wait until some run is at work; which phase it is in."""
    for _ in range(1800):
        run = Run.objects.filter(state=Run.State.RUNNING).first()
        if run is not None:
            return {"phase": run.phase}
        time.sleep(0.05)
    return {"phase": ""}


def computing(submission: str, attempt: str) -> dict[str, Any]:
    """Wait until an attempt at a full measurement computes in its jail, by the progress that it tells."""
    runs = Run.objects.filter(submission=int(submission), phase=Run.Phase.THOROUGH, attempts=int(attempt))
    for _ in range(1800):
        run = runs.filter(state=Run.State.RUNNING, progress_done__gt=0).first()
        if run is not None:
            return {"run": run.pk}
        time.sleep(0.05)
    return {"run": None}


def cancel(run: str) -> dict[str, Any]:
    """What a person does, and how long it takes until the run has its end."""
    began = time.monotonic()
    Run.objects.get(pk=int(run)).cancel()
    while Run.objects.open().filter(pk=int(run)).exists() and time.monotonic() < began + 60:
        time.sleep(0.05)
    return {**one(run), "seconds": time.monotonic() - began}


def one(run: str) -> dict[str, Any]:
    """Where one run stands."""
    found = Run.objects.get(pk=int(run))
    return {
        "state": found.state,
        "code": found.code,
        "retries": found.crashes + found.losses,
        "endings": [attempt.ending for attempt in found.attempt_rows.order_by("number")],
        "measurements": found.measurements.count(),
    }


def ended(submission: str, seconds: str) -> dict[str, Any]:
    """Wait until the newest run of a submission has its end, sweeping as tick does; where that run stands."""
    ends = time.monotonic() + float(seconds)
    while Run.objects.open().filter(submission=int(submission)).exists() and time.monotonic() < ends:
        Run.objects.reap()
        time.sleep(0.1)
    newest = Run.objects.filter(submission=int(submission)).latest("pk")
    return one(str(newest.pk))


if __name__ == "__main__":
    deed, *arguments = sys.argv[1:]
    print(json.dumps(globals()[deed](*arguments)))
