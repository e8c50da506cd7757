"""The public inputs of a benchmark: ids in grading order, and features where weights are graded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.grading.arrays import read_npz
from evals.grading.limits import Limits
from evals.grading.refusals import Refused
from evals.grading.tables import Table, read_csv, read_jsonl

FIRST_ROWS = 20
HAS_WORDS = re.compile(r"[^\W\d_]{2}.*\s").search


def read_columns(path: Path, limits: Limits) -> dict[str, Any]:
    """Columns of a benchmark's own file, whichever of the table formats it is in."""
    try:
        if path.suffix == ".npz":
            with path.open("rb") as stream:
                return dict(read_npz(stream, limits))
        reader = {".csv": read_csv, ".jsonl": read_jsonl}[path.suffix]
        table: Table = reader(path.read_bytes(), limits)
    except Refused as error:
        raise ValueError(f"The benchmark's file {path.name} cannot be read: {error.message}") from error
    except KeyError as error:
        raise ValueError(f"The benchmark's file {path.name} must be .npz, .csv or .jsonl.") from error
    return dict(table)


def read_ids(path: Path, limits: Limits) -> tuple[str, ...]:
    """The ids of an inputs file, in order, each once."""
    columns = read_columns(path, limits)
    if "id" not in columns:
        raise ValueError(f"The benchmark's file {path.name} must have a column id.")
    ids = id_texts(columns["id"])
    if len(set(ids)) != len(ids):
        raise ValueError(f"The benchmark's file {path.name} has an id twice.")
    return tuple(ids)


def id_texts(column: Any) -> list[str]:
    """Ids as text, whether they were saved as numbers or as text."""
    if not isinstance(column, np.ndarray):
        return [str(value).strip() for value in column]
    array = column
    if array.ndim != 1 or array.dtype.kind not in "iuUS":
        raise Refused("wrong-shape", names=("id must be a single column of whole numbers or text",))
    if array.dtype.kind == "S":
        return [value.decode("ascii", "replace").strip() for value in array.tolist()]
    return [str(value).strip() for value in array.tolist()]


def input_texts(path: Path, limits: Limits) -> list[str]:
    """Each item's texts, joined; none where the inputs are numbers."""
    columns = [column for name, column in read_columns(path, limits).items() if name != "id"]
    words = [column for column in columns if any(map(HAS_WORDS, map(str, np.ravel(column)[:FIRST_ROWS])))]
    return [" ".join(map(str, row)) for row in zip(*words, strict=True)]


def read_features(path: Path, limits: Limits, *, scale: float = 1.0) -> NDArray[np.float32]:
    """The array x of an .npz inputs file, divided by the declared scale."""
    columns = read_columns(path, limits)
    if "x" not in columns:
        raise ValueError(f"The benchmark's file {path.name} must hold an array x to grade weights.")
    return np.ascontiguousarray(columns["x"], np.float32) / np.float32(scale)
