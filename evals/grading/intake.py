"""Intake: what a file is, or why it is refused; reads headers and plain text, runs nothing, needs no torch."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from evals.grading.archives import Member, kind_inside, read_member, zip_members
from evals.grading.arrays import npz_layout, read_npz
from evals.grading.benchmarks import Benchmark
from evals.grading.limits import Limits
from evals.grading.model_files import MAXIMUM_JSON_BYTES, Files, folder_files, zip_files
from evals.grading.model_folders import inspect_files
from evals.grading.predictions import Expected, answers, check_plain
from evals.grading.refusals import Refused
from evals.grading.sniffing import PICKLE_MAGIC, SNIFF_BYTES, UNSAFE_MAGIC, sniff
from evals.grading.strict_json import parse_json
from evals.grading.tables import check_header, clean_text, named, read_csv, read_jsonl
from evals.grading.weights import check_finite, check_names_and_shapes, parse_safetensors

PARQUET_FOOTER = 8
HEAD_BYTES = 64 * 1024
TABLE_FORMATS = ("csv", "jsonl", "npz", "parquet")


@dataclass(frozen=True)
class Artifact:
    """What intake found: a format, its size, and plain facts about it."""

    format: str
    bytes: int
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def is_table(self) -> bool:
        """Whether it holds answers, plainly or as the one file of a zip."""
        return self.facts.get("inside", self.format) in TABLE_FORMATS


@dataclass(frozen=True)
class Door:
    """What intake compares with: limits, and the benchmark where one is at hand."""

    limits: Limits
    benchmark: Benchmark | None
    deep: bool


def inspect_artifact(
    path: str | Path,
    *,
    benchmark: Benchmark | None = None,
    limits: Limits | None = None,
    filename: str | None = None,
    deep: bool = True,
) -> Artifact:
    """What an uploaded file is; Refused says why it cannot be taken.

    Headers and structure are always checked. ``deep`` also looks at every value, which takes as long
    as the file is large; a web process leaves it to qualification.
    """
    path = Path(path)
    door = Door(limits or (benchmark.limits if benchmark else Limits()), benchmark, deep)
    if path.is_dir():
        return inspect_folder(path, door)
    if path.exists() and not path.is_file():
        raise Refused("special-entry")
    size = path.stat().st_size
    if size > door.limits.max_bytes:
        raise Refused("too-big", bytes=size, limit=door.limits.max_bytes)
    with path.open("rb") as stream:
        return inspect_stream(stream, size, door=door, filename=filename or path.name)


def inspect_folder(path: Path, door: Door) -> Artifact:
    """The same for a model folder, which a benchmark that takes zips takes as if it had been zipped."""
    check_taken("zip", door.benchmark)
    files = folder_files(path, door.limits)
    if not files:
        raise Refused("empty")
    size = sum(file.size for file in files.values())
    if size > door.limits.max_bytes:
        raise Refused("too-big", bytes=size, limit=door.limits.max_bytes)
    return Artifact("model", size, model_facts(files, door))


def inspect_stream(stream: BinaryIO, size: int, *, door: Door, filename: str) -> Artifact:
    """The same for an open file."""
    kind = sniff(stream.read(SNIFF_BYTES), filename)
    stream.seek(0)
    if kind == "zip" and door.benchmark and "code" in door.benchmark.formats:
        members = zip_members(stream, door.limits)
        return Artifact("code", size, {"files": len(members)})
    check_taken(kind, door.benchmark)
    return Artifact(kind, size, READERS[kind](stream, door))


def check_taken(kind: str, benchmark: Benchmark | None) -> None:
    """The benchmark's door takes this format."""
    if benchmark and kind not in benchmark.formats:
        raise Refused("wrong-format", names=benchmark.formats)


def csv_facts(stream: BinaryIO, door: Door) -> dict[str, Any]:
    """Rows and columns of a CSV file."""
    if not door.deep:
        head = clean_text(whole_lines(stream.read(HEAD_BYTES)))
        header = [name.strip().strip('"') for name in head.split("\n", 1)[0].split(",")]
        check_header(named(header), door.limits)
        return {}
    return table_facts(read_csv(stream.read(), door.limits), door)


def jsonl_facts(stream: BinaryIO, door: Door) -> dict[str, Any]:
    """Rows and columns of a JSON-lines file."""
    if not door.deep:
        read_jsonl(whole_lines(stream.read(HEAD_BYTES)), door.limits)
        return {}
    return table_facts(read_jsonl(stream.read(), door.limits), door)


def whole_lines(head: bytes) -> bytes:
    """The beginning of a file up to its last whole line, so that no character is cut in two."""
    return head if len(head) < HEAD_BYTES else head[: head.rfind(b"\n") + 1] or head[:-4]


def npz_facts(stream: BinaryIO, door: Door) -> dict[str, Any]:
    """Arrays of an .npz file."""
    layout = npz_layout(stream, door.limits)
    arrays = {name: f"{dtype} {list(shape)}" for name, (dtype, shape) in layout.items()}
    if door.deep:
        stream.seek(0)
        return {"arrays": arrays, **table_facts(read_npz(stream, door.limits), door)}
    return {"arrays": arrays}


def table_facts(columns: dict[str, Any], door: Door) -> dict[str, Any]:
    """Facts about answers, checked against the benchmark or, without one, for plain sense."""
    if door.benchmark:
        answers(columns, expected_of(door.benchmark))
    elif "id" in columns:
        check_plain(columns)
    first = next(iter(columns.values()))
    return {"columns": len(columns), "rows": len(first) if np.ndim(first) else 1}


def expected_of(benchmark: Benchmark) -> Expected:
    """What this benchmark expects of a table."""
    return Expected(benchmark.ids, benchmark.task, benchmark.classes, benchmark.quantiles)


def parquet_facts(stream: BinaryIO, door: Door) -> dict[str, Any]:
    """A parquet file's frame only: its pages are read in the jail."""
    size = stream.seek(0, 2)
    if size < 2 * PARQUET_FOOTER:
        raise Refused("bad-header")
    stream.seek(size - PARQUET_FOOTER)
    footer = stream.read()
    length = int.from_bytes(footer[:4], "little")
    if footer[4:] != b"PAR1" or not 0 < length <= min(size - 12, door.limits.max_header_bytes):
        raise Refused("bad-header")
    return {}


def safetensors_facts(stream: BinaryIO, door: Door) -> dict[str, Any]:
    """Tensors of a weights file, matched with the benchmark's architectures."""
    size = stream.seek(0, 2)
    stream.seek(0)
    tensors = parse_safetensors(stream, size, door.limits)
    facts: dict[str, Any] = {
        "tensors": len(tensors),
        "parameters": sum(tensor.count for tensor in tensors.values()),
    }
    if door.benchmark:
        facts["architecture"] = matching_architecture(tensors, door.benchmark)
    if door.deep:
        check_finite(stream, tensors)
    return facts


def matching_architecture(tensors: dict[str, Any], benchmark: Benchmark) -> str:
    """The declared architecture whose names and shapes these are; else the nearest one's complaint."""
    complaints: list[tuple[int, Refused]] = []
    for declared in benchmark.architectures:
        wanted = declared.parameters()
        try:
            check_names_and_shapes(tensors, wanted)
        except Refused as error:
            complaints.append((len(set(wanted) ^ set(tensors)), error))
        else:
            return declared.name
    raise min(complaints, key=lambda pair: pair[0])[1]


def zip_facts(stream: BinaryIO, door: Door) -> dict[str, Any]:
    """A zip: arrays, or a model folder; members that can run code are refused by name and by content."""
    members = zip_members(stream, door.limits)
    if not members:
        raise Refused("empty")
    if all(member.name.endswith(".npy") for member in members):
        return npz_facts(stream, door)
    if len(members) == 1:
        return one_file_facts(stream, members[0], door)
    for member in members:
        check_member(stream, member)
    return model_facts(zip_files(stream, members, door.limits), door)


def model_facts(files: Files, door: Door) -> dict[str, Any]:
    """A model of several files, matched with the benchmark's architectures."""
    model = inspect_files(files, door.limits, deep=door.deep)
    if not door.benchmark:
        return model.facts
    name = matching_architecture(model.tensors, door.benchmark)
    check_agreement(model.config, next(a.sizes for a in door.benchmark.architectures if a.name == name))
    return {**model.facts, "architecture": name}


def one_file_facts(stream: BinaryIO, member: Member, door: Door) -> dict[str, Any]:
    """A zip around one table or one weights file, which is judged as if it had come alone."""
    kind = kind_inside(stream, member)
    check_taken(kind, door.benchmark)
    inner = io.BytesIO(read_member(stream, member))
    return {**READERS[kind](inner, door), "inside": kind}


def check_agreement(config: dict[str, Any], sizes: dict[str, Any]) -> None:
    """The configuration's numbers that no shape shows are the declared ones."""
    theta = config.get("rope_theta") or config.get("rope_parameters", {}).get(
        "rope_theta", sizes.get("theta")
    )
    eps = config.get("rms_norm_eps", sizes.get("eps"))
    if (theta, eps) != (sizes.get("theta"), sizes.get("eps")):
        raise Refused("bad-config", names=("rope_theta and rms_norm_eps must be the declared ones",))


def check_member(stream: BinaryIO, member: Member) -> None:
    """A member's first bytes are of a format that may be opened."""
    head = read_member(stream, member, limit=SNIFF_BYTES)
    if PICKLE_MAGIC.match(head) or head.startswith((*UNSAFE_MAGIC, b"PK\x03\x04")):
        raise Refused("unsafe-format")


def json_facts(stream: BinaryIO, door: Door) -> dict[str, Any]:
    """A single strict JSON value."""
    size = stream.seek(0, 2)
    if size > MAXIMUM_JSON_BYTES:
        raise Refused("too-big", bytes=size, limit=MAXIMUM_JSON_BYTES)
    stream.seek(0)
    parse_json(clean_text(stream.read()), code="bad-document")
    return {}


def text_facts(stream: BinaryIO, door: Door) -> dict[str, Any]:
    """Plain text, e.g. a model card; whoever shows it must clean it first."""
    clean_text(stream.read(HEAD_BYTES) if not door.deep else stream.read())
    return {"note": "sanitise before showing"}


READERS: dict[str, Callable[[BinaryIO, Door], dict[str, Any]]] = {
    "csv": csv_facts,
    "jsonl": jsonl_facts,
    "json": json_facts,
    "text": text_facts,
    "npz": npz_facts,
    "parquet": parquet_facts,
    "safetensors": safetensors_facts,
    "zip": zip_facts,
}
