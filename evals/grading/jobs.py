"""What is asked of the jail: a table's answers or a network's, and checked arrays out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.grading.archives import zip_members
from evals.grading.benchmarks import Benchmark
from evals.grading.children import Bounds
from evals.grading.corruptions import corrupted
from evals.grading.frames import Frame
from evals.grading.inputs import input_texts, read_features
from evals.grading.jail import Cell
from evals.grading.limits import MEBIBYTE
from evals.grading.model_files import folder_files, weight_files, zip_files
from evals.grading.refusals import ChildCrashed, Refused
from evals.grading.running import Contents, Watch, run_job
from evals.grading.texts import pack_texts, unpack_texts
from evals.grading.warm import Key, ask_warm

FRAME_ROOM = 4 * MEBIBYTE
CELL_BYTES = 8
COVERAGE = ("texts", "any_overlap", "half_covered", "words")
ZIP_MAGIC = b"PK\x03\x04"
Arrays = dict[str, NDArray[Any]]


def read_table(path: Path, kind: str, benchmark: Benchmark, *, seconds: float, watch: Watch) -> Arrays:
    """The answers of a table of predictions, read in the jail, in the benchmark's order."""
    characters, ends = pack_texts(benchmark.ids)
    header = {
        "job": "table",
        "format": kind,
        "task": benchmark.task,
        "classes": list(benchmark.classes),
        "quantiles": list(benchmark.quantiles),
        "limits": asdict(benchmark.limits),
    }
    job = Frame(header, {"id_characters": characters, "id_ends": ends})
    cell = Cell(memory=benchmark.limits.memory_bytes, seconds=seconds)
    found = run_job(job, {path.name: path}, cell, output=room(benchmark), watch=watch)
    return checked(found.arrays, benchmark, len(benchmark.ids))


def run_weights(
    path: Path, architecture: str, benchmark: Benchmark, *, run: Run, watch: Watch
) -> tuple[Arrays, float]:
    """A network's answers for the first ``run.items`` inputs or for all, and the seconds that they took."""
    declared = next(entry for entry in benchmark.architectures if entry.name == architecture)
    features = read_features(benchmark.inputs_path, benchmark.limits, scale=benchmark.data.scale)
    if run.corruption:
        features = corrupted(features, run.corruption, seed=run.seed)
    header = {
        "job": "weights",
        "architecture": declared.as_dict(),
        "limits": asdict(benchmark.limits),
        "device": run.device,
        "seed": run.seed,
        "items": run.items,
        "whole_if_seconds": run.whole_if_seconds,
    }
    memory = benchmark.limits.memory_bytes
    cell = Cell(memory, all_phases_seconds(benchmark), threads=2, cuda=run.device != "cpu")
    found = ask_warm(
        (*run.key, architecture, run.device),
        Frame(header, {"x": features}),
        lambda: weights_of(path, benchmark),
        cell,
        bounds=Bounds(run.seconds, memory, room(benchmark)),
        watch=watch,
    )
    seconds = found.header.get("seconds")
    if not isinstance(seconds, float):
        raise ChildCrashed("The jailed reader did not say how long it took.")
    return from_outputs(found.arrays, benchmark, (run.items, len(features))), seconds


def all_phases_seconds(benchmark: Benchmark) -> float:
    """How long a network may compute in all: in each phase, and once more under each corruption."""
    limits = benchmark.limits
    thorough = limits.thorough_seconds * (1 + len(benchmark.corruptions))
    return limits.qualification_seconds + limits.safety_seconds + thorough


def weights_of(path: Path, benchmark: Benchmark) -> Contents:
    """The weights files of a submission: itself, or those in its zip or folder."""
    if path.is_dir():
        return weight_files(folder_files(path, benchmark.limits))
    with path.open("rb") as stream:
        if stream.read(4) != ZIP_MAGIC:
            return {path.name: path}
        members = zip_members(stream, benchmark.limits)
        return weight_files(zip_files(stream, members, benchmark.limits))


@dataclass(frozen=True)
class Run:
    """How much of a forward pass to do, and where."""

    items: int
    whole_if_seconds: float
    seconds: float
    seed: int
    key: Key = ()
    device: str = ""
    corruption: str = ""


def read_training(path: Path, benchmark: Benchmark, *, seconds: float, watch: Watch) -> dict[str, int]:
    """How many of the benchmark's public texts stand in declared training data; nothing where it has no texts."""
    texts = input_texts(benchmark.inputs_path, benchmark.limits)
    if not texts:
        return {}
    if path.stat().st_size > benchmark.limits.max_bytes:
        raise Refused("too-big", bytes=path.stat().st_size, limit=benchmark.limits.max_bytes)
    characters, ends = pack_texts(texts)
    job = Frame({"job": "training"}, {"characters": characters, "ends": ends})
    cell = Cell(memory=benchmark.limits.memory_bytes, seconds=seconds)
    found = run_job(job, {"training": path}, cell, output=FRAME_ROOM, watch=watch).header.get("contamination")
    if not isinstance(found, dict) or not all(type(found.get(name)) is int for name in COVERAGE):
        raise ChildCrashed("The jailed reader gave an answer of the wrong form.")
    return {name: found[name] for name in COVERAGE}


def room(benchmark: Benchmark) -> int:
    """How many bytes an honest answer can have."""
    width = 2 + len(benchmark.classes) + len(benchmark.quantiles)
    texts = benchmark.limits.max_bytes if benchmark.task == "text" else 0
    return FRAME_ROOM + CELL_BYTES * width * len(benchmark.ids) + texts


def from_outputs(arrays: Arrays, benchmark: Benchmark, counts: tuple[int, int]) -> Arrays:
    """A network's probabilities with the likeliest class of each row; as many rows as asked for, or all."""
    table = arrays.get("probabilities")
    if table is None or table.dtype != np.float64 or table.ndim != 2 or len(table) not in counts:
        raise ChildCrashed("The jailed reader gave outputs of the wrong shape.")
    if table.shape[1] != len(benchmark.classes):
        raise ChildCrashed("The jailed reader gave outputs of the wrong shape.")
    if not np.isfinite(table).all():
        raise Refused("non-finite-output")
    return checked({"probabilities": table, "classes": table.argmax(axis=1)}, benchmark, len(table))


def checked(arrays: Arrays, benchmark: Benchmark, count: int) -> Arrays:
    """Arrays of the shapes and ranges that honest code gives: the jail's inside may be anybody's by now."""
    width = {"probabilities": len(benchmark.classes), "labels": len(benchmark.classes)}
    width["quantiles"] = len(benchmark.quantiles)
    for name, array in arrays.items():
        expected = (count, width[name]) if name in width else (count,)
        if name not in KNOWN_ARRAYS or (name != "characters" and array.shape != expected):
            raise ChildCrashed("The jailed reader gave arrays of the wrong shape.")
        low, high = KNOWN_ARRAYS[name]
        top = len(benchmark.classes) - 1 if name == "classes" else high
        if not np.isfinite(array).all() or (array.size and (array.min() < low or array.max() > top)):
            raise ChildCrashed("The jailed reader gave numbers out of range.")
    if "characters" in arrays:
        check_texts(arrays)
    return arrays


def check_texts(arrays: Arrays) -> None:
    """Text arrays that fit each other."""
    try:
        unpack_texts(arrays["characters"], arrays["ends"])
    except (KeyError, ValueError) as error:
        raise ChildCrashed("The jailed reader gave texts that do not fit.") from error


LARGEST = float("inf")
KNOWN_ARRAYS: dict[str, tuple[float, float]] = {
    "classes": (0, LARGEST),
    "probabilities": (0, 1),
    "labels": (0, 1),
    "values": (-LARGEST, LARGEST),
    "quantiles": (-LARGEST, LARGEST),
    "scores": (-LARGEST, LARGEST),
    "characters": (0, 255),
    "ends": (0, LARGEST),
}
