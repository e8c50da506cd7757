"""One job in the jail: the job's frame and the submitter's bytes in, checked arrays out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.grading.archives import zip_members
from evals.grading.benchmarks import Benchmark
from evals.grading.children import CHUNK_BYTES, Bounds, Supervisor, never
from evals.grading.corruptions import corrupted
from evals.grading.frames import Frame
from evals.grading.inputs import read_features
from evals.grading.jail import Cell, jailed
from evals.grading.limits import MEBIBYTE
from evals.grading.model_files import weight_files, zip_files
from evals.grading.refusals import REFUSALS, ChildCrashed, Refused
from evals.grading.texts import pack_texts, unpack_texts

FRAME_ROOM = 4 * MEBIBYTE
CELL_BYTES = 8
ZIP_MAGIC = b"PK\x03\x04"
Arrays = dict[str, NDArray[Any]]
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Watch:
    """How a caller looks at a running job and stops it."""

    on_progress: Report = lambda done, total: None
    should_stop: Callable[[], bool] = never


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
    cell = Cell(
        memory=benchmark.limits.memory_bytes, seconds=run.seconds, threads=2, cuda=run.device != "cpu"
    )
    found = run_job(
        Frame(header, {"x": features}), weights_of(path, benchmark), cell, output=room(benchmark), watch=watch
    )
    seconds = found.header.get("seconds")
    if not isinstance(seconds, float):
        raise ChildCrashed("The jailed reader did not say how long it took.")
    return from_outputs(found.arrays, benchmark, (run.items, len(features))), seconds


def weights_of(path: Path, benchmark: Benchmark) -> Mapping[str, Path | bytes]:
    """The weights files of a submission: itself, or those in its zip."""
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
    device: str = ""
    corruption: str = ""


def room(benchmark: Benchmark) -> int:
    """How many bytes an honest answer can have."""
    width = 2 + len(benchmark.classes) + len(benchmark.quantiles)
    texts = benchmark.limits.max_bytes if benchmark.task == "text" else 0
    return FRAME_ROOM + CELL_BYTES * width * len(benchmark.ids) + texts


def run_job(job: Frame, files: Mapping[str, Path | bytes], cell: Cell, *, output: int, watch: Watch) -> Frame:
    """The jailed reader's answer to a job over these files."""
    sizes = [{"name": name, "bytes": size_of(content)} for name, content in files.items()]
    request = Frame({**job.header, "files": sizes}, job.arrays)
    with jailed(cell) as start:
        supervisor = Supervisor(
            start.popen(),
            Bounds(seconds=cell.seconds, memory=cell.memory, output=output),
            should_stop=watch.should_stop,
            on_frame=lambda frame: tell(frame, watch),
        )
        answer = supervisor.run(parts(request, files.values()))
    return judged(answer)


def size_of(content: Path | bytes) -> int:
    """Bytes of a file, on disk or at hand."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def parts(request: Frame, files: Iterable[Path | bytes]) -> Iterator[bytes]:
    """The request's frame, then the files' bytes in blocks."""
    yield request.pack()
    for content in files:
        if isinstance(content, bytes):
            yield content
            continue
        with content.open("rb") as stream:
            while block := stream.read(CHUNK_BYTES):
                yield block


def tell(frame: Frame, watch: Watch) -> None:
    """Hand on a progress report if it is one: two whole numbers."""
    report = frame.header["progress"]
    if isinstance(report, list) and len(report) == 2 and all(type(number) is int for number in report):
        watch.on_progress(*report)


def judged(answer: Frame) -> Frame:
    """The answer, or the refusal that it states, in our own words."""
    state = answer.header.get("state")
    if state == "done":
        return answer
    code, details = answer.header.get("code"), answer.header.get("details")
    if state != "refused" or code not in REFUSALS or not isinstance(details, dict):
        raise ChildCrashed("The jailed reader gave an answer of the wrong form.")
    raise Refused(code, **{str(word): n for word, n in details.items() if type(n) in (int, float)})


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
