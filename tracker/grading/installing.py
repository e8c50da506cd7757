"""Install a benchmark: its folder is copied into storage under its hash, and a row tells of it."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

import evals.grading.benchmarks
from evals.grading.benchmarks import load_benchmark
from evals.grading.inputs import input_texts
from tracker.errors import RuleBroken
from tracker.grading.models import Benchmark, RegradePlan
from tracker.people.models import Program


def install_benchmark(program: Program, folder: Path, *, slug: str, by: UUID | None = None) -> Benchmark:
    """The standing version of a benchmark folder in this program; changed content makes a new version.

    A new version proposes to grade again what counts; nothing is graded before somebody says so.
    """
    try:
        benchmark = load_benchmark(folder)
    except ValueError as error:
        raise RuleBroken(str(error), code="bad-benchmark") from error
    keep_folder(folder, benchmark.content_hash)
    with transaction.atomic():
        installed = Benchmark.objects.install(
            program, slug=slug, content_hash=benchmark.content_hash, spec=declared(benchmark), by=by
        )
        if not installed.regrade_plans.exists():
            RegradePlan.objects.propose(installed)
    return installed


def keep_folder(folder: Path, content_hash: str) -> None:
    """Copy the folder beside its place and move it there in one step, so that half a benchmark never is."""
    place = Path(settings.BENCHMARKS_DIR) / content_hash
    if place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=place.parent, prefix=".draft-"))
    try:
        copy = draft / "benchmark"
        shutil.copytree(folder, copy)
        os.replace(copy, place)
    finally:
        shutil.rmtree(draft)


def declared(benchmark: evals.grading.benchmarks.Benchmark) -> dict[str, Any]:
    """What everybody may know of a benchmark: nothing in it comes from the labels."""
    return {
        "name": benchmark.name,
        "version": benchmark.version,
        "summary": benchmark.summary,
        "task": benchmark.task,
        "licence": benchmark.licence,
        "classes": list(benchmark.classes),
        "items": len(benchmark.ids),
        "has_texts": bool(input_texts(benchmark.inputs_path, benchmark.limits)),
        "formats": list(benchmark.formats),
        "architectures": [architecture.name for architecture in benchmark.architectures],
        "gpu": benchmark.gpu,
        "headline": benchmark.headline.name,
        "metrics": {metric.name: {"direction": metric.direction} for metric in benchmark.metrics},
        "anchors": {"start": benchmark.start, "reference": benchmark.reference},
        "limits": {
            "max_bytes": benchmark.limits.max_bytes,
            "max_rows": benchmark.limits.max_rows,
            "submissions_per_day": benchmark.per_day,
        },
    }
