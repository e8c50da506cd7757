"""How a submission was graded: its phases as steps, what was measured, and the claims beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from tracker.grading.models import Measurement, Run, Submission
from tracker.web.drawing import Axis, Bar

SHOWN_IN_RECORD = (
    ("device", "Device"),
    ("device_name", "Device name"),
    ("dtype", "Precision"),
    ("driver", "Driver"),
    ("torch", "torch"),
    ("isolation", "Isolation"),
    ("isolation_why", "Why this isolation"),
    ("grader_version", "Grader version"),
    ("benchmark_version", "Benchmark version"),
    ("benchmark_hash", "Benchmark hash"),
    ("artifact_hash", "File hash"),
    ("architecture", "Architecture"),
    ("seed", "Seed"),
    ("seconds", "Seconds"),
)
SHORTENED_FROM = 20


@dataclass(frozen=True)
class Step:
    """One phase of a grading: its run, or none as yet."""

    phase: str
    run: Run | None
    state: str

    @property
    def percent(self) -> int | None:
        if self.run is None or not self.run.progress_total:
            return None
        return min(100, 100 * self.run.progress_done // self.run.progress_total)

    @property
    def seconds_left(self) -> int | None:
        """By the pace so far; unknown before anything is done."""
        run = self.run
        if run is None or run.started_at is None or not 0 < run.progress_done < run.progress_total:
            return None
        passed = (timezone.now() - run.started_at).total_seconds()
        return max(1, round(passed * (run.progress_total - run.progress_done) / run.progress_done))


@dataclass(frozen=True)
class Measured:
    """A measurement with its interval as it is drawn."""

    measurement: Measurement
    is_headline: bool
    middle: str
    interval: Bar | None
    claim: str


@dataclass(frozen=True)
class Beside:
    """A claim beside what was measured, and what to make of the difference."""

    metric: str
    claimed: float
    measured: float | None
    says: str
    is_doubtful: bool


@dataclass(frozen=True)
class Grading:
    """One walk through the phases."""

    submission: Submission
    runs: list[Run]

    @property
    def is_open(self) -> bool:
        return any(run.is_open for run in self.runs)

    @property
    def open_run(self) -> Run | None:
        return next((run for run in self.runs if run.is_open), None)

    @property
    def last(self) -> Run:
        return self.runs[-1]

    @property
    def thorough(self) -> Run | None:
        return next((run for run in self.runs if run.phase == Run.Phase.THOROUGH), None)

    @property
    def steps(self) -> list[Step]:
        by_phase = {run.phase: run for run in self.runs}
        ahead = "queued" if self.is_open else "not-reached"
        return [
            Step(phase, by_phase.get(phase), self.state_of(by_phase[phase]) if phase in by_phase else ahead)
            for phase in self.phases
        ]

    @property
    def phases(self) -> list[str]:
        return [Run.Phase.QUALIFICATION] if self.submission.is_check_only else Run.Phase.values

    @property
    def is_held(self) -> bool:
        """Whether a person is to say how it goes on; asked of the newest grading only."""
        checked = (Run.Phase.SAFETY, Run.State.SUCCEEDED)
        return self.submission.held_at is not None and (self.last.phase, self.last.state) == checked

    def state_of(self, run: Run) -> str:
        if self.submission.is_check_only and run.state == Run.State.SUCCEEDED:
            return "checked"
        return "held" if run is self.last and self.is_held else state_of(run)

    @property
    def measured(self) -> list[Measured]:
        if self.thorough is None:
            return []
        claims = {entry["claim"]["metric"]: entry["claim"]["value"] for entry in self.thorough.claims}
        headline = self.thorough.benchmark.headline
        rows = sorted(self.thorough.measurements.all(), key=lambda row: (row.slice, row.metric != headline))
        axes = axes_of(rows, claims)
        return [measured_of(row, axes[row.metric], claims, headline=headline) for row in rows]

    @property
    def contamination(self) -> dict[str, Any]:
        """What the declared training data share with the benchmark's texts; for those who may see signs."""
        found: dict[str, Any] = self.runs[0].record.get("contamination", {})
        return found

    @property
    def claims(self) -> list[Beside]:
        if self.thorough is None:
            return []
        benchmark = self.thorough.benchmark
        return [
            beside_of(entry, higher_is_better=benchmark.higher_is_better(entry["claim"]["metric"]))
            for entry in self.thorough.claims
        ]

    @property
    def record(self) -> list[tuple[str, str, str]]:
        """Label, short and whole value of everything it was computed with."""
        said = self.last.record
        return [
            (label, shortened(said[key]), str(said[key])) for key, label in SHOWN_IN_RECORD if said.get(key)
        ]


def gradings_of(submission: Submission, runs: Iterable[Run]) -> list[Grading]:
    """Newest first; each begins with a qualification, and older ones stay."""
    walks: list[list[Run]] = []
    for run in runs:
        if run.phase == Run.Phase.QUALIFICATION or not walks:
            walks.append([])
        walks[-1].append(run)
    return [Grading(submission, walk) for walk in walks[::-1]]


def state_of(run: Run) -> str:
    """The key of the word for where a run stands."""
    if run.state == Run.State.QUEUED and run.crashes + run.losses:
        return "retrying"
    if run.state == Run.State.FAILED and run.code == "quarantined":
        return "quarantined"
    return str(run.state)


def axes_of(rows: list[Measurement], claims: dict[str, float]) -> dict[str, Axis]:
    """One axis for each metric, so that its slices and its claim can be compared."""
    values: dict[str, list[float | None]] = {}
    for row in rows:
        values.setdefault(row.metric, [claims.get(row.metric)]).extend((row.value, row.low, row.high))
    return {metric: Axis.over(known) for metric, known in values.items()}


def measured_of(row: Measurement, axis: Axis, claims: dict[str, float], *, headline: str) -> Measured:
    claimed = claims.get(row.metric) if not row.slice else None
    return Measured(
        measurement=row,
        is_headline=row.metric == headline and not row.slice,
        middle=axis.at(row.value),
        interval=axis.bar(row.low, row.high) if row.low is not None and row.high is not None else None,
        claim="" if claimed is None else axis.at(claimed),
    )


def beside_of(entry: dict[str, Any], *, higher_is_better: bool) -> Beside:
    difference = entry.get("difference")
    is_better = difference is not None and (difference > 0) == higher_is_better
    differs = entry.get("verdict") == "differs"
    return Beside(
        metric=entry["claim"]["metric"],
        claimed=entry["claim"]["value"],
        measured=entry.get("measured"),
        says=said_of(difference, differs=differs, is_better=is_better),
        is_doubtful=differs and is_better,
    )


def said_of(difference: float | None, *, differs: bool, is_better: bool) -> str:
    """The difference in words that accuse nobody."""
    if difference is None:
        return "This was not measured, so the claim stands alone."
    if not differs:
        return "Claim and measurement agree within what chance explains."
    size = f"{abs(difference):.2g}"
    if is_better:
        return f"The claim is better than what we measured by {size}, more than chance explains."
    return f"We measured a better value than was claimed, by {size}, more than chance explains."


def shortened(value: Any) -> str:
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    is_hash = len(text) > SHORTENED_FROM and " " not in text
    return f"{text[:12]}…" if is_hash else text
