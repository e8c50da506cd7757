"""A benchmark is a folder of data: benchmark.toml, public inputs, and labels in a hidden subfolder."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from evals.grading.architectures import Architecture, architecture
from evals.grading.corruptions import CORRUPTIONS
from evals.grading.inputs import read_ids
from evals.grading.limits import Limits
from evals.grading.tasks import DIRECTIONS, TASKS

DECLARATION = "benchmark.toml"
HIDDEN = "hidden"
FORMATS = ("csv", "jsonl", "npz", "parquet", "safetensors", "zip", "code")
KNOWN_KEYS = frozenset(
    [
        "name",
        "version",
        "summary",
        "task",
        "classes",
        "quantiles",
        "seed",
        "per_day",
        "formats",
        "seeds_required",
        "licence",
        "data",
        "headline",
        "metrics",
        "anchors",
        "limits",
        "architectures",
        "corruptions",
    ]
)
DATA_KEYS = frozenset(["inputs", "labels", "cluster", "slices", "split", "canary", "scale"])


@dataclass(frozen=True)
class Metric:
    """A metric that the benchmark reports, with its declared direction."""

    name: str
    direction: str

    @property
    def higher_is_better(self) -> bool:
        return self.direction == "higher"


@dataclass(frozen=True)
class DataFiles:
    """Where the data lie, and which columns of the labels say what."""

    inputs: str
    labels: str
    cluster: str = ""
    slices: tuple[str, ...] = ()
    split: str = ""
    canary: str = ""
    scale: float = 1.0


@dataclass(frozen=True)
class Benchmark:
    """One version of a benchmark, checked."""

    folder: Path
    name: str
    version: str
    task: str
    headline: Metric
    metrics: tuple[Metric, ...]
    start: float
    reference: float
    data: DataFiles
    licence: str
    seed: int
    summary: str = ""
    classes: tuple[str, ...] = ()
    quantiles: tuple[float, ...] = ()
    formats: tuple[str, ...] = ("csv",)
    architectures: tuple[Architecture, ...] = ()
    corruptions: tuple[str, ...] = ()
    per_day: int = 10
    seeds_required: int = 1
    limits: Limits = field(default_factory=Limits)

    @property
    def inputs_path(self) -> Path:
        return self.folder / self.data.inputs

    @property
    def labels_path(self) -> Path:
        return self.folder / self.data.labels

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The public ids, in the order of the inputs file; answers are graded in this order."""
        return read_ids(self.inputs_path, self.limits)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over the names and contents of all files, hidden ones too."""
        total = hashlib.sha256()
        for path in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            total.update(path.relative_to(self.folder).as_posix().encode() + b"\0")
            total.update(file_hash(path).encode())
        return total.hexdigest()

    def anchored(self, value: float) -> float:
        """A headline value on the scale where the declared start is 0 and the reference is 1."""
        return (value - self.start) / (self.reference - self.start)


def file_hash(path: Path) -> str:
    """SHA-256 of a file, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def load_benchmark(folder: str | Path) -> Benchmark:
    """The benchmark in a folder; a ValueError says what its author must change."""
    folder = Path(folder)
    if not (folder / DECLARATION).is_file():
        raise ValueError(f"A benchmark folder holds a file named {DECLARATION}.")
    try:
        values = tomllib.loads((folder / DECLARATION).read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{DECLARATION} is not valid TOML: {error}.") from error
    refuse_unknown(values, KNOWN_KEYS, "the benchmark")
    benchmark = from_values(folder, values)
    check_files(benchmark)
    check_sense(benchmark)
    return benchmark


def from_values(folder: Path, values: dict[str, Any]) -> Benchmark:
    """The dataclass from the declared values."""
    headline = values.get("headline", {})
    anchors = values.get("anchors", {})
    return Benchmark(
        folder=folder,
        name=text(values, "name"),
        version=text(values, "version"),
        summary=str(values.get("summary", "")),
        task=text(values, "task"),
        classes=tuple(str(name) for name in values.get("classes", [])),
        quantiles=tuple(float(level) for level in values.get("quantiles", [])),
        headline=metric(headline, key="metric"),
        metrics=tuple(metric(entry, key="name") for entry in values.get("metrics", [])),
        start=number(anchors, "start"),
        reference=number(anchors, "reference"),
        data=data_files(values.get("data", {})),
        licence=text(values, "licence"),
        seed=whole(values, "seed", least=0),
        formats=tuple(values.get("formats", ["csv"])),
        architectures=tuple(architecture(entry) for entry in values.get("architectures", [])),
        corruptions=tuple(values.get("corruptions", [])),
        per_day=whole(values, "per_day", least=1),
        seeds_required=whole({"seeds_required": 1, **values}, "seeds_required", least=1),
        limits=Limits().with_values(values.get("limits", {})),
    )


def data_files(values: dict[str, Any]) -> DataFiles:
    """The table [data]."""
    refuse_unknown(values, DATA_KEYS, "data")
    return DataFiles(
        inputs=text(values, "inputs"),
        labels=text(values, "labels"),
        cluster=str(values.get("cluster", "")),
        slices=tuple(values.get("slices", [])),
        split=str(values.get("split", "")),
        canary=str(values.get("canary", "")),
        scale=float(values.get("scale", 1.0)),
    )


def metric(values: dict[str, Any], *, key: str) -> Metric:
    """A metric whose direction is declared, never guessed."""
    name, direction = text(values, key), text(values, "direction")
    if direction not in ("higher", "lower"):
        raise ValueError(f"The direction of {name} must be higher or lower.")
    if DIRECTIONS.get(name, direction) != direction:
        raise ValueError(f"The direction of {name} is {DIRECTIONS[name]}, not {direction}.")
    return Metric(name, direction)


def check_files(benchmark: Benchmark) -> None:
    """Both files are inside the folder, the labels in its hidden part only."""
    root = benchmark.folder.resolve()
    for path in (benchmark.inputs_path, benchmark.labels_path):
        if not path.resolve().is_relative_to(root) or not path.is_file():
            raise ValueError(f"The file {path.name} must exist inside the benchmark's folder.")
    if not benchmark.labels_path.resolve().is_relative_to(root / HIDDEN):
        raise ValueError(f"The labels must lie in the subfolder {HIDDEN}.")
    if benchmark.inputs_path.resolve().is_relative_to(root / HIDDEN):
        raise ValueError(f"The inputs must lie outside the subfolder {HIDDEN}.")


def check_sense(benchmark: Benchmark) -> None:
    """Values that fit each other."""
    task = TASKS.get(benchmark.task)
    if task is None:
        raise ValueError(f"The task must be one of {', '.join(TASKS)}.")
    for entry in benchmark.metrics:
        if entry.name not in task.metrics:
            raise ValueError(f"{entry.name} is no metric of {benchmark.task}; use {', '.join(task.metrics)}.")
    if benchmark.headline not in benchmark.metrics:
        raise ValueError("The headline metric must be among the metrics, with the same direction.")
    rising = benchmark.reference > benchmark.start
    if benchmark.reference == benchmark.start or rising != benchmark.headline.higher_is_better:
        raise ValueError("The anchors must go from start to a better reference in the declared direction.")
    if set(benchmark.formats) - set(FORMATS) or not benchmark.formats:
        raise ValueError(f"The formats must be some of {', '.join(FORMATS)}.")
    if set(benchmark.corruptions) - set(CORRUPTIONS):
        raise ValueError(f"The corruptions must be some of {', '.join(CORRUPTIONS)}.")
    check_classes(benchmark, needs_classes=task.needs_classes)


def check_classes(benchmark: Benchmark, *, needs_classes: bool) -> None:
    """Distinct classes where the task has any, and architectures that answer for each."""
    count = len(benchmark.classes)
    if needs_classes and (count < 2 or len(set(benchmark.classes)) != count):
        raise ValueError("The benchmark must list at least two distinct classes.")
    if "safetensors" in benchmark.formats and not benchmark.architectures:
        raise ValueError("A benchmark that takes weights must declare at least one architecture.")
    for entry in benchmark.architectures:
        if entry.sizes.get("classes", len(entry.sizes.get("answers", []))) != count:
            raise ValueError(f"The architecture {entry.name} must have {count} classes.")


def refuse_unknown(values: dict[str, Any], known: frozenset[str], where: str) -> None:
    """Misspelt keys are errors, not silence."""
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(f"Unknown key {unknown[0]} in {where}; known are {', '.join(sorted(known))}.")


def text(values: dict[str, Any], key: str) -> str:
    """A text that must be there."""
    value = values.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"The benchmark must declare {key} as a text.")
    return value


def number(values: dict[str, Any], key: str) -> float:
    """A number that must be there."""
    value = values.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"The benchmark must declare {key} as a number.")
    return float(value)


def whole(values: dict[str, Any], key: str, *, least: int) -> int:
    """A whole number that must be there."""
    value = values.get(key)
    if type(value) is not int or value < least:
        raise ValueError(f"The benchmark must declare {key} as a whole number from {least} up.")
    return value
