"""The three phases of grading one submission: qualification, safety, thorough."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.grading import VERSION
from evals.grading.benchmarks import Benchmark, file_hash
from evals.grading.children import never
from evals.grading.frames import Frame
from evals.grading.intake import TABLE_FORMATS, Artifact, inspect_artifact
from evals.grading.jail import isolation
from evals.grading.jobs import Arrays, Run, Watch, read_table, run_weights
from evals.grading.refusals import Refused
from evals.grading.scoring import Scorer

RESAMPLES = 4000
PHASES = ("qualification", "safety", "thorough")
SAMPLE_ITEMS = 32
PROBE_ITEMS = 512
SMALLEST_VARIED = 8
HELD = frozenset(("constant-answer", "non-finite-output", "resource-hungry"))


@dataclass(frozen=True)
class GradeRequest:
    """What to grade, on which benchmark, and how."""

    benchmark: Benchmark
    artifact: Path
    filename: str = ""
    artifact_hash: str = ""
    seed: int | None = None
    device: str = ""
    split: str = "public"
    resamples: int = RESAMPLES

    @property
    def chosen_seed(self) -> int:
        return self.benchmark.seed if self.seed is None else self.seed


@dataclass(frozen=True)
class PhaseResult:
    """What came of one phase: state succeeded, refused or held; a record that makes it repeatable."""

    phase: str
    state: str
    code: str = ""
    message: str = ""
    seconds: float = 0.0
    measurements: list[dict[str, Any]] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)
    items: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Outcome:
    """What a phase found when nothing was wrong."""

    measurements: list[dict[str, Any]] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)
    items: NDArray[np.float64] | None = None


def run_phase(
    phase: str,
    request: GradeRequest,
    *,
    scorer: Scorer | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = never,
) -> PhaseResult:
    """Run one phase. The submitter's faults come back as a refused or held result.

    Raises ``ChildCrashed`` when a child process ended without an answer (try again), ``Stopped`` when
    ``should_stop`` said so, ``ScorerFault`` or ``ValueError`` when the fault is ours. ``should_stop`` is
    asked about twenty times a second; ``scorer`` is needed by the thorough phase only.
    """
    if phase not in PHASES:
        raise ValueError(f"The phase must be one of {', '.join(PHASES)}, not {phase!r}.")
    started = time.monotonic()
    watch = Watch(on_progress, should_stop)
    record = base_record(request)
    try:
        outcome = STEPS[phase](request, watch, scorer)
    except Refused as error:
        state = "held" if phase == "safety" and error.code in HELD else "refused"
        seconds = time.monotonic() - started
        return PhaseResult(
            phase, state, error.code, error.message, seconds, record={**record, "seconds": seconds}
        )
    seconds = time.monotonic() - started
    record |= {**outcome.record, "seconds": seconds}
    return PhaseResult(phase, "succeeded", "", "", seconds, outcome.measurements, record, outcome.items)


def base_record(request: GradeRequest) -> dict[str, Any]:
    """Who, what and where, before anything is read; an artifact that changed since is our fault."""
    found = file_hash(request.artifact) if request.artifact.is_file() else ""
    if request.artifact_hash and request.artifact_hash != found:
        raise ValueError("The stored artifact is not the one that was submitted: its hash differs.")
    walls = isolation()
    return {
        "grader_version": VERSION,
        "benchmark": request.benchmark.name,
        "benchmark_version": request.benchmark.version,
        "benchmark_hash": request.benchmark.content_hash,
        "artifact_hash": found,
        "seed": request.chosen_seed,
        "split": request.split,
        "isolation": walls.level,
        "isolation_why": walls.why,
    }


def qualify(request: GradeRequest, watch: Watch, _: Scorer | None) -> Outcome:
    """Format, size, schema, safe reading; weights answer a small sample."""
    artifact = inspected(request, deep=True)
    run_or_read(request, artifact, watch, phase="qualification", items=SAMPLE_ITEMS)
    return Outcome(record={"format": artifact.format, "bytes": artifact.bytes, **artifact.facts})


def inspected(request: GradeRequest, *, deep: bool) -> Artifact:
    """Intake; tables are read value by value in the jail, so here only their form is looked at."""
    name = request.filename or request.artifact.name
    shallow = inspect_artifact(request.artifact, benchmark=request.benchmark, filename=name, deep=False)
    if not deep or shallow.format in TABLE_FORMATS:
        return shallow
    return inspect_artifact(request.artifact, benchmark=request.benchmark, filename=name)


def run_or_read(
    request: GradeRequest, artifact: Artifact, watch: Watch, *, phase: str, items: int
) -> tuple[Arrays, float]:
    """Answers: of a table all of them, of weights those for the first ``items`` inputs."""
    seconds = request.benchmark.limits.seconds(phase)
    if artifact.format in TABLE_FORMATS:
        started = time.monotonic()
        found = read_table(request.artifact, artifact.format, request.benchmark, seconds=seconds, watch=watch)
        return found, time.monotonic() - started
    run = Run(items=items, seconds=seconds, seed=request.chosen_seed, device=request.device)
    return run_weights(
        request.artifact, artifact.facts["architecture"], request.benchmark, run=run, watch=watch
    )


def look_for_harm(request: GradeRequest, watch: Watch, _: Scorer | None) -> Outcome:
    """Would the thorough run be unsafe or worthless? What is raised here holds the submission for a person."""
    artifact = inspected(request, deep=False)
    answers, seconds = run_or_read(request, artifact, watch, phase="safety", items=PROBE_ITEMS)
    if is_constant(answers):
        raise Refused("constant-answer")
    items = len(request.benchmark.ids)
    if artifact.format not in TABLE_FORMATS:
        expected = seconds * items / min(items, PROBE_ITEMS)
        if expected > request.benchmark.limits.thorough_seconds:
            raise Refused("resource-hungry", seconds=round(expected))
    return Outcome(record={"format": artifact.format, "probe_seconds": seconds})


def is_constant(answers: Arrays) -> bool:
    """Whether every item gets the same answer, in every way in which it is answered."""
    first = next(iter(answers.values()))
    if "characters" in answers or len(first) < SMALLEST_VARIED:
        return False
    return all(bool((array == array[:1]).all()) for array in answers.values())


def measure_all(request: GradeRequest, watch: Watch, scorer: Scorer | None) -> Outcome:
    """The full measurement: answers from the jail, metrics from the scorer."""
    if scorer is None:
        raise ValueError("The thorough phase needs a scorer.")
    artifact = inspected(request, deep=False)
    items = len(request.benchmark.ids)
    answers, seconds = run_or_read(request, artifact, watch, phase="thorough", items=items)
    header = {
        "benchmark": str(request.benchmark.folder.resolve()),
        "benchmark_hash": request.benchmark.content_hash,
        "seed": request.chosen_seed,
        "resamples": request.resamples,
        "split": request.split,
    }
    found = scorer.measure(
        Frame(header, answers), on_progress=watch.on_progress, should_stop=watch.should_stop
    )
    return Outcome(
        found.header["measurements"],
        {"format": artifact.format, "forward_seconds": seconds, **found.header["record"]},
        found.arrays.get("items"),
    )


STEPS: dict[str, Callable[[GradeRequest, Watch, Scorer | None], Outcome]] = {
    "qualification": qualify,
    "safety": look_for_harm,
    "thorough": measure_all,
}
