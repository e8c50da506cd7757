"""A benchmark is a folder of data: benchmark.toml, public inputs, and labels in a hidden subfolder."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

from evals.grading.architectures import Architecture, architecture
from evals.grading.corruptions import CORRUPTIONS
from evals.grading.inputs import read_ids
from evals.grading.limits import Limits
from evals.grading.tasks import DIRECTIONS, TASKS

DECLARATION = "benchmark.toml"
HIDDEN = "hidden"
# Draws of several seeds are numbered on from the first, and all of them are kept as 64-bit numbers.
LARGEST_SEED = 2**62
LONGEST_NAME, LONGEST_VERSION, LONGEST_SUMMARY = 200, 40, 2_000
LARGEST = 1e300
MOST_PER_DAY, MOST_SEEDS = 100_000, 100
GPU_CHOICES = ("no", "prefers", "needs")
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
        "gpu",
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
    gpu: str = "no"
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
        return folder_hash(self.folder)

    def anchored(self, value: float) -> float:
        """A headline value on the scale where the declared start is 0 and the reference is 1."""
        return (value - self.start) / (self.reference - self.start)


def folder_hash(folder: Path) -> str:
    """SHA-256 over the names and contents of all files of a folder."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0")
        total.update(file_hash(path).encode())
    return total.hexdigest()


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
    headline, anchors = table(values, "headline"), table(values, "anchors")
    return Benchmark(
        folder=folder,
        name=label(values, "name", longest=LONGEST_NAME),
        version=label(values, "version", longest=LONGEST_VERSION),
        summary=label({"summary": " ", **values}, "summary", longest=LONGEST_SUMMARY).strip(),
        task=text(values, "task"),
        classes=tuple(words(values, "classes")),
        quantiles=tuple(levels(values)),
        headline=metric(headline, key="metric"),
        metrics=tuple(metric(entry, key="name") for entry in tables(values, "metrics")),
        start=number(anchors, "start"),
        reference=number(anchors, "reference"),
        data=data_files(table(values, "data")),
        licence=label(values, "licence", longest=LONGEST_SUMMARY),
        seed=whole(values, "seed", least=0, most=LARGEST_SEED),
        formats=tuple(words({"formats": ["csv"], **values}, "formats")),
        architectures=tuple(architecture(entry) for entry in tables(values, "architectures")),
        corruptions=tuple(words(values, "corruptions")),
        gpu=values.get("gpu", "no"),
        per_day=whole(values, "per_day", least=1, most=MOST_PER_DAY),
        seeds_required=whole({"seeds_required": 1, **values}, "seeds_required", least=1, most=MOST_SEEDS),
        limits=Limits().with_values(table(values, "limits")),
    )


def data_files(values: dict[str, Any]) -> DataFiles:
    """The table [data]."""
    refuse_unknown(values, DATA_KEYS, "data")
    scale = number({"scale": 1.0, **values}, "scale")
    if scale <= 0:
        raise ValueError("The scale that x is divided by must be above zero.")
    return DataFiles(
        inputs=text(values, "inputs"),
        labels=text(values, "labels"),
        cluster=str(values.get("cluster", "")),
        slices=tuple(words(values, "slices")),
        split=str(values.get("split", "")),
        canary=str(values.get("canary", "")),
        scale=scale,
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
    """Both files are inside the folder, the labels in its hidden part only; no links, which a copy would follow."""
    root = benchmark.folder.resolve()
    for path in root.rglob("*"):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise ValueError(f"{path.name} must be an ordinary file or folder, not a link or device.")
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
    if benchmark.gpu not in GPU_CHOICES:
        raise ValueError(f"gpu must be one of {', '.join(GPU_CHOICES)}.")
    check_classes(benchmark, needs_classes=task.needs_classes)


def check_classes(benchmark: Benchmark, *, needs_classes: bool) -> None:
    """Distinct classes where the task has any, and architectures that answer for each."""
    count = len(benchmark.classes)
    if needs_classes and (count < 2 or len(set(benchmark.classes)) != count):
        raise ValueError("The benchmark must list at least two distinct classes.")
    if "safetensors" in benchmark.formats and not benchmark.architectures:
        raise ValueError("A benchmark that takes weights must declare at least one architecture.")
    for entry in benchmark.architectures:
        if parameters_of(entry) > benchmark.limits.max_parameters:
            raise ValueError(f"The architecture {entry.name} has more parameters than limits.max_parameters.")
        if entry.sizes.get("classes", len(entry.sizes.get("answers", []))) != count:
            raise ValueError(f"The architecture {entry.name} must have {count} classes.")


def parameters_of(entry: Architecture) -> int:
    """How many numbers its weights have."""
    return sum(prod(shape) for shape in entry.parameters().values())


def refuse_unknown(values: dict[str, Any], known: frozenset[str], where: str) -> None:
    """Misspelt keys are errors, not silence."""
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(f"Unknown key {unknown[0]} in {where}; known are {', '.join(sorted(known))}.")


def table(values: dict[str, Any], key: str) -> dict[str, Any]:
    """A table, empty where it is not there."""
    value = values.get(key, {})
    if not isinstance(value, dict):
        raise ValueError(f"The benchmark must declare {key} as a table.")
    return value


def tables(values: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """A list of tables, empty where it is not there."""
    value = values.get(key, [])
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise ValueError(f"The benchmark must declare {key} as a list of tables.")
    return value


def words(values: dict[str, Any], key: str) -> list[str]:
    """A list of texts or whole numbers, each as text."""
    value = values.get(key, [])
    if not isinstance(value, list) or not all(type(entry) in (str, int) and entry != "" for entry in value):
        raise ValueError(f"The benchmark must declare {key} as a list of texts.")
    return [str(entry) for entry in value]


def levels(values: dict[str, Any]) -> list[float]:
    """The quantiles: rising, each between 0 and 1."""
    value = values.get("quantiles", [])
    plain = isinstance(value, list) and all(type(level) in (int, float) and 0 < level < 1 for level in value)
    if not plain or sorted(set(value)) != value:
        raise ValueError("The benchmark must declare quantiles as a rising list of numbers between 0 and 1.")
    return [float(level) for level in value]


def label(values: dict[str, Any], key: str, *, longest: int) -> str:
    """A text that people read: one line of signs that can be seen."""
    value = text(values, key)
    if len(value) > longest or not value.isprintable():
        raise ValueError(f"The benchmark's {key} must be one line of at most {longest} plain characters.")
    return value


def text(values: dict[str, Any], key: str) -> str:
    """A text that must be there."""
    value = values.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"The benchmark must declare {key} as a text.")
    return value


def number(values: dict[str, Any], key: str) -> float:
    """A finite number that must be there."""
    value = values.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -LARGEST < value < LARGEST:
        raise ValueError(f"The benchmark must declare {key} as a number.")
    return float(value)


def whole(values: dict[str, Any], key: str, *, least: int, most: int) -> int:
    """A whole number that must be there."""
    value = values.get(key)
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"The benchmark must declare {key} as a whole number from {least} to {most}.")
    return value
