"""What the fault tests do in processes of their own: `python -m tests.faults.deeds DEED [ARGUMENTS]`.

Each deed works on the database that PLUMBLINE_VAR names, as `make run` would, and prints one line of JSON.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")

import django

django.setup()

import numpy as np
from django.core.files.base import ContentFile
from django.core.management import call_command
from safetensors.numpy import save

from tests.factories import make_cohort, make_program, make_project
from tracker.events.delivery import deliver_events
from tracker.grading.installing import install_benchmark
from tracker.grading.intake import receive
from tracker.grading.models import Measurement, Run, Submission

DIGITS = Path("evals/grading/demo/digits")


def prepare(count: str) -> dict[str, Any]:
    """A fresh database with so many submissions of weights, all waiting."""
    call_command("migrate", verbosity=0)
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
    for _ in range(600):
        run = Run.objects.filter(state=Run.State.RUNNING).first()
        if run is not None:
            return {"phase": run.phase}
        time.sleep(0.05)
    return {"phase": ""}


if __name__ == "__main__":
    deed, *arguments = sys.argv[1:]
    print(json.dumps(globals()[deed](*arguments)))
