"""The three phases of grading one submission: qualification, safety, thorough."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.grading import VERSION, cards
from evals.grading.answering import Answered, Question, answered
from evals.grading.benchmarks import Benchmark, file_hash, folder_hash
from evals.grading.children import never
from evals.grading.frames import Frame
from evals.grading.intake import Artifact, inspect_artifact
from evals.grading.jail import isolation
from evals.grading.jobs import Arrays, read_training
from evals.grading.limits import RESAMPLES
from evals.grading.refusals import Refused
from evals.grading.reproduction import over_seeds, rerun, submitted_files
from evals.grading.running import Watch
from evals.grading.scoring import Scorer

CODE = "code"
MODEL_DTYPE = "float32"
PHASES = ("qualification", "safety", "thorough")
SAMPLE_ITEMS = 32
PROBE_ITEMS = 512
SMALLEST_VARIED = 8
HELD = frozenset(("constant-answer", "non-finite-output", "resource-hungry"))


@dataclass(frozen=True)
class GradeRequest:
    """What to grade, on which benchmark, and how.

    ``training`` is the training data that its senders declare, looked at for the benchmark's own texts.
    ``submitter`` names whoever sent it: nothing of a submission is kept for another submitter's.
    """

    benchmark: Benchmark
    artifact: Path
    filename: str = ""
    artifact_hash: str = ""
    submitter: str = ""
    seed: int | None = None
    device: str = ""
    split: str = "public"
    resamples: int = RESAMPLES
    training: Path | None = None

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
    clusters: NDArray[np.int64] | None = None
    mistakes: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Outcome:
    """What a phase found when nothing was wrong."""

    measurements: list[dict[str, Any]] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)
    items: NDArray[np.float64] | None = None
    clusters: NDArray[np.int64] | None = None
    mistakes: NDArray[np.uint8] | None = None


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
    cards.check(request.device)
    started = time.monotonic()
    watch = Watch(on_progress, should_stop)
    record = base_record(request)
    request = replace(request, artifact_hash=record["artifact_hash"])
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
    found = {**vars(outcome), "record": record}
    return PhaseResult(phase, "succeeded", seconds=seconds, **found)


def base_record(request: GradeRequest) -> dict[str, Any]:
    """Who, what and where, before anything is read; an artifact that changed since is our fault."""
    found = hash_of(request.artifact)
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


def hash_of(artifact: Path) -> str:
    """Of a file or a model folder; nothing of what is neither."""
    if artifact.is_dir():
        return folder_hash(artifact)
    return file_hash(artifact) if artifact.is_file() else ""


def qualify(request: GradeRequest, watch: Watch, _: Scorer | None) -> Outcome:
    """Format, size, schema, safe reading; weights answer a small sample; code is unpacked, not run."""
    artifact = inspected(request, deep=True)
    if artifact.format == CODE:
        submitted_files(request.artifact, request.benchmark)
    else:
        ask(request, artifact, watch, phase="qualification", items=SAMPLE_ITEMS)
    facts = {"format": artifact.format, "bytes": artifact.bytes, **artifact.facts}
    return Outcome(record=facts | contamination(request, watch))


def contamination(request: GradeRequest, watch: Watch) -> dict[str, Any]:
    """What declared training data shares with the benchmark's texts: a sign in the record, never a refusal."""
    if request.training is None:
        return {}
    seconds = request.benchmark.limits.qualification_seconds
    try:
        found: dict[str, Any] = read_training(
            request.training, request.benchmark, seconds=seconds, watch=watch
        )
    except Refused as error:
        found = {"unread": error.code}
    return {"contamination": found}


def inspected(request: GradeRequest, *, deep: bool) -> Artifact:
    """Intake; tables are read value by value in the jail, so here only their form is looked at."""
    name = request.filename or request.artifact.name
    shallow = inspect_artifact(request.artifact, benchmark=request.benchmark, filename=name, deep=False)
    if not deep or shallow.is_table or shallow.format == CODE:
        return shallow
    return inspect_artifact(request.artifact, benchmark=request.benchmark, filename=name)


def ask(
    request: GradeRequest, artifact: Artifact, watch: Watch, *, phase: str, items: int, corruption: str = ""
) -> Answered:
    """Answers: of a table all of them, of weights at least those for the first ``items`` inputs."""
    question = Question(
        request.benchmark,
        request.artifact,
        artifact,
        request.artifact_hash,
        request.chosen_seed,
        request.device,
        corruption,
        request.submitter,
    )
    return answered(question, phase=phase, items=items, watch=watch)


def look_for_harm(request: GradeRequest, watch: Watch, _: Scorer | None) -> Outcome:
    """Would the thorough run be unsafe or worthless? What is raised here holds the submission for a person."""
    artifact = inspected(request, deep=False)
    if artifact.format == CODE:
        return Outcome(record={"format": CODE})
    found = ask(request, artifact, watch, phase="safety", items=PROBE_ITEMS)
    if is_constant(found.arrays):
        raise Refused("constant-answer")
    if not artifact.is_table:
        expected = found.seconds * len(request.benchmark.ids) / found.items
        if expected > request.benchmark.limits.thorough_seconds:
            raise Refused("resource-hungry", seconds=round(expected))
    return Outcome(record={"format": artifact.format, "probe_seconds": found.seconds})


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
    if artifact.format == CODE:
        return measure_code(request, watch, scorer)
    found = ask(request, artifact, watch, phase="thorough", items=len(request.benchmark.ids))
    scored = score(request, found.arrays, watch, scorer)
    record = {
        "format": artifact.format,
        "forward_seconds": found.seconds,
        **({} if artifact.is_table else {"model_dtype": MODEL_DTYPE}),
        "answers_hash": answers_hash(found.arrays),
        **scored.header["record"],
    }
    rows = scored.header["measurements"]
    if not artifact.is_table:
        rows = rows + robustness(request, artifact, watch, scorer)
    return Outcome(rows, record, **scored.arrays)


def robustness(
    request: GradeRequest, artifact: Artifact, watch: Watch, scorer: Scorer
) -> list[dict[str, Any]]:
    """The same measurements under each declared corruption of the inputs."""
    rows = []
    for name in request.benchmark.corruptions:
        items = len(request.benchmark.ids)
        found = ask(request, artifact, watch, phase="thorough", items=items, corruption=name)
        scored = score(request, found.arrays, watch, scorer)
        plain = [row for row in scored.header["measurements"] if not row["slice"]]
        rows += [{**row, "slice": f"corruption={name}"} for row in plain]
    return rows


def answers_hash(answers: Arrays) -> str:
    """SHA-256 over the answers themselves: equal for equal answers, in whatever file they came."""
    total = hashlib.sha256()
    for name in sorted(answers):
        total.update(name.encode() + np.ascontiguousarray(answers[name]).tobytes())
    return total.hexdigest()


def measure_code(request: GradeRequest, watch: Watch, scorer: Scorer) -> Outcome:
    """The submitted code run once per required seed; the spread between seeds is part of the error."""
    count = max(2, request.benchmark.seeds_required)
    seeds = [request.chosen_seed + number for number in range(count)]
    scored = []
    for number, seed in enumerate(seeds):
        answers = rerun(request.artifact, request.benchmark, seed=seed, watch=watch)
        scored.append(score(request, answers, watch, scorer))
        watch.on_progress(number + 1, count)
    record = {"format": CODE, "seeds": seeds, **scored[0].header["record"]}
    rows = over_seeds([frame.header["measurements"] for frame in scored])
    items = np.mean([frame.arrays["items"] for frame in scored], axis=0)
    return Outcome(rows, record, **{**scored[0].arrays, "items": items})


def score(request: GradeRequest, answers: Arrays, watch: Watch, scorer: Scorer) -> Frame:
    """The scorer's measurements of these answers."""
    header = {
        "benchmark": str(request.benchmark.folder.resolve()),
        "benchmark_hash": request.benchmark.content_hash,
        "seed": request.chosen_seed,
        "resamples": request.resamples,
        "split": request.split,
    }
    return scorer.measure(
        Frame(header, answers), on_progress=watch.on_progress, should_stop=watch.should_stop
    )


STEPS: dict[str, Callable[[GradeRequest, Watch, Scorer | None], Outcome]] = {
    "qualification": qualify,
    "safety": look_for_harm,
    "thorough": measure_all,
}
