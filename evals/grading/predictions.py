"""A submission's answers, put in the benchmark's order and checked against what it expects."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.grading.inputs import id_texts
from evals.grading.refusals import Refused
from evals.grading.tables import number, numbers
from evals.grading.texts import pack_texts

SUM_TOLERANCE = 1e-3
# Squares of what is larger, and sums of them, leave the numbers that a computer has.
LARGEST_NUMBER = 1e50
QUANTILE_COLUMN = re.compile(r"q(0?\.\d+)", re.ASCII)
NUMERIC_COLUMN = re.compile(r"prob|value|score|[pl]_?\d+|q0?\.\d+", re.ASCII)
KNOWN_COLUMN = re.compile(r"id|pred|prob|value|score|answer|p_?\w{1,40}|l_?\w{1,40}|q0?\.\d+", re.ASCII)
FOREIGN_WORDS = frozenset(("true", "false", "none", "null", "yes", "no"))
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Expected:
    """What a benchmark expects of an answers table; plain values, so that it can cross into the jail."""

    ids: Sequence[str]
    task: str
    classes: Sequence[str] = ()
    quantiles: Sequence[float] = ()


def answers(columns: Mapping[str, Any], expected: Expected) -> Arrays:
    """The answers as numeric arrays in the benchmark's order of ids.

    classification: classes (n,) and, where given, probabilities (n, k); regression: values (n,) or
    quantiles (n, q); ranking: scores (n,); multilabel: labels (n, k); text: characters and ends.
    """
    if "id" not in columns:
        raise Refused("bad-columns")
    found = id_texts(columns["id"])
    rest = {name: column for name, column in columns.items() if name != "id"}
    check_lengths(columns)
    if expected.task == "text":
        order = row_order(found, expected.ids)
        return text({name: take(column, order) for name, column in rest.items()}, expected)
    # Values before ids, so that a damaged file is told its damage and not that it looks like another's.
    arrays = READERS[expected.task](rest, expected)
    order = row_order(found, expected.ids)
    return {name: array[order] for name, array in arrays.items()}


def check_lengths(columns: Mapping[str, Any]) -> None:
    """A value for each id in every column; an array of no dimension has none."""
    if any(isinstance(column, np.ndarray) and column.ndim == 0 for column in columns.values()):
        raise Refused("wrong-shape")
    if len({len(column) for column in columns.values()}) > 1:
        raise Refused("wrong-shape")


def row_order(found: list[str], wanted: Sequence[str]) -> list[int]:
    """The row of each wanted id."""
    rows = {name: row for row, name in enumerate(found)}
    if len(rows) != len(found):
        raise Refused("duplicate-id", count=len(found) - len(rows))
    unknown = len(set(rows) - set(wanted))
    if unknown:
        raise Refused("unknown-id", count=unknown)
    missing = sum(1 for name in wanted if name not in rows)
    if missing:
        raise Refused("missing-id", count=missing)
    return [rows[name] for name in wanted]


def take(column: Any, order: list[int]) -> Any:
    """The rows of a column, a list of texts or an array, in this order."""
    if isinstance(column, np.ndarray):
        return column[order]
    return [column[row] for row in order]


def classification(columns: Mapping[str, Any], expected: Expected) -> Arrays:
    """Classes, from a column of them or as the likeliest; probabilities from prob, p0 … pk or p."""
    probabilities = class_probabilities(columns, expected.classes)
    known = {"pred", *probability_names(columns, expected.classes)}
    if set(columns) - known or not columns:
        raise Refused("bad-columns")
    found: Arrays = {}
    if probabilities is not None:
        found["probabilities"] = probabilities
        found["classes"] = probabilities.argmax(axis=1).astype(np.int64)
    if "pred" in columns:
        found["classes"] = class_numbers(columns["pred"], expected.classes)
    return found


def probability_names(columns: Mapping[str, Any], classes: Sequence[str]) -> list[str]:
    """The names of the probability columns, in the order of classes, or none at all."""
    if "prob" in columns:
        return ["prob"]
    if "p" in columns:
        return ["p"]
    for names in (
        [f"p_{name}" for name in classes],
        [f"p{name}" for name in classes],
        [f"p{place}" for place in range(len(classes))],
    ):
        if all(name in columns for name in names):
            return names
    return []


def class_probabilities(columns: Mapping[str, Any], classes: Sequence[str]) -> NDArray[np.float64] | None:
    """(n, k) probabilities, or None where the submission gives none."""
    names = probability_names(columns, classes)
    if not names:
        return None
    if names == ["prob"]:
        if len(classes) != 2:
            raise Refused("bad-columns")
        positive = real_column(columns["prob"])
        return checked_probabilities(np.column_stack([1.0 - positive, positive]))
    if names == ["p"]:
        return checked_probabilities(matrix(columns["p"], len(classes)))
    return checked_probabilities(np.column_stack([real_column(columns[name]) for name in names]))


def checked_probabilities(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows within 0 to 1 that sum to 1, then scaled to sum exactly."""
    bad = (table < 0).any(axis=1) | (table > 1).any(axis=1) | (abs(table.sum(axis=1) - 1) > SUM_TOLERANCE)
    if bad.any():
        raise Refused("bad-probability", count=int(bad.sum()))
    return np.asarray(table / table.sum(axis=1, keepdims=True), np.float64)


def class_numbers(column: Any, classes: Sequence[str]) -> NDArray[np.int64]:
    """The place of each answer in the benchmark's list of classes."""
    if isinstance(column, np.ndarray) and column.dtype.kind == "f":
        check_finite(column)
        column = column.astype(str)
    places = {name: place for place, name in enumerate(classes)}
    texts = one_dimension(column)
    numeric = all(name.lstrip("-").isdigit() for name in classes)
    numbered = enumerate(texts, start=1)
    return np.array([class_place(text, places, numeric=numeric, row=row) for row, text in numbered], np.int64)


def class_place(text: str, places: dict[str, int], *, numeric: bool, row: int) -> int:
    """One answer's place; 3.0 names the class 3."""
    if text in places:
        return places[text]
    if numeric:
        value = number(text, row=row)
        whole = str(int(value)) if value.is_integer() else ""
        if whole in places:
            return places[whole]
    raise Refused("bad-class", row=row)


def one_dimension(column: Any) -> list[str]:
    """A column as texts."""
    if not isinstance(column, np.ndarray):
        return list(column)
    if column.ndim != 1 or column.dtype.kind not in "iufUS":
        raise Refused("wrong-shape")
    if column.dtype.kind == "S":
        column = np.char.decode(column, "ascii", "replace")
    return [str(value).strip() for value in column.tolist()]


def real_column(column: Any) -> NDArray[np.float64]:
    """A column of finite numbers."""
    if not isinstance(column, np.ndarray):
        return np.array(numbers(list(column)), np.float64)
    if column.ndim != 1 or column.dtype.kind not in "iuf":
        raise Refused("wrong-shape")
    return check_finite(column.astype(np.float64))


def matrix(column: Any, width: int) -> NDArray[np.float64]:
    """An (n, width) array of finite numbers."""
    if not isinstance(column, np.ndarray) or column.ndim != 2 or column.shape[1] != width:
        raise Refused("wrong-shape", expected=width)
    if column.dtype.kind not in "iuf":
        raise Refused("bad-dtype")
    return check_finite(column.astype(np.float64))


def check_finite(array: NDArray[Any]) -> NDArray[Any]:
    """The array, if every number of it is finite."""
    if not np.isfinite(array).all():
        raise Refused("non-finite", count=int((~np.isfinite(array)).sum()))
    return array


def regression(columns: Mapping[str, Any], expected: Expected) -> Arrays:
    """A value per item, or rising quantiles at the declared levels."""
    names = sorted((name for name in columns if QUANTILE_COLUMN.fullmatch(name)), key=quantile_level)
    if names and set(names) == set(columns):
        if [quantile_level(name) for name in names] != list(expected.quantiles):
            raise Refused("bad-columns")
        quantiles = np.column_stack([measurable_column(columns[name]) for name in names])
        if (np.diff(quantiles, axis=1) < 0).any():
            raise Refused("bad-quantiles")
        return {"quantiles": quantiles, "values": quantiles[:, quantiles.shape[1] // 2]}
    return {"values": only_column(columns, "value", "pred")}


def quantile_level(name: str) -> float:
    """The level that a quantile column's name states."""
    return float(name[1:])


def ranking(columns: Mapping[str, Any], expected: Expected) -> Arrays:
    """A score per item; within a query, higher comes first."""
    return {"scores": only_column(columns, "score", "pred")}


def only_column(columns: Mapping[str, Any], *names: str) -> NDArray[np.float64]:
    """The one column of numbers, under one of these names."""
    if len(columns) != 1 or next(iter(columns)) not in names:
        raise Refused("bad-columns")
    return measurable_column(next(iter(columns.values())))


def measurable_column(column: Any) -> NDArray[np.float64]:
    """A column of numbers whose errors can be squared and summed."""
    values = real_column(column)
    beyond = np.flatnonzero(abs(values) > LARGEST_NUMBER)
    if beyond.size:
        raise Refused("bad-number", row=int(beyond[0]) + 1)
    return values


def multilabel(columns: Mapping[str, Any], expected: Expected) -> Arrays:
    """A probability, or 0 or 1, per item and label: columns l_<label>, or an array labels."""
    width = len(expected.classes)
    if set(columns) == {"labels"}:
        table = matrix(columns["labels"], width)
    else:
        names = [f"l_{name}" for name in expected.classes]
        if set(columns) != set(names):
            raise Refused("bad-columns")
        table = np.column_stack([real_column(columns[name]) for name in names])
    if ((table < 0) | (table > 1)).any():
        raise Refused("bad-probability")
    return {"labels": table}


def text(columns: Mapping[str, Any], expected: Expected) -> Arrays:
    """Free answers as UTF-8 bytes laid end to end, with the end of each."""
    if set(columns) != {"answer"}:
        raise Refused("bad-columns")
    characters, ends = pack_texts(one_dimension(columns["answer"]))
    return {"characters": characters, "ends": ends}


READERS = {
    "classification": classification,
    "regression": regression,
    "ranking": ranking,
    "multilabel": multilabel,
    "text": text,
}


def check_plain(columns: Mapping[str, Any]) -> None:
    """What can be checked without a benchmark: known columns, plain finite numbers, probabilities."""
    if len(columns) < 2 or not all(KNOWN_COLUMN.fullmatch(name) for name in columns):
        raise Refused("bad-columns")
    check_lengths(columns)
    numeric = {name: real_column(columns[name]) for name in columns if NUMERIC_COLUMN.fullmatch(name)}
    if "pred" in columns:
        check_plain_answers(columns["pred"])
    parts = [values for name, values in numeric.items() if name.startswith("p")]
    if any(((values < 0) | (values > 1)).any() for values in parts):
        raise Refused("bad-probability")
    if len(parts) > 1 and (abs(np.sum(parts, axis=0) - 1) > SUM_TOLERANCE).any():
        raise Refused("bad-probability")


def check_plain_answers(column: Any) -> None:
    """Answers that are plain numbers or class names, not another language's truth values or digits."""
    if isinstance(column, np.ndarray):
        if column.dtype.kind == "b":
            raise Refused("bad-number")
        return
    for row, value in enumerate(column, start=1):
        strange_digits = not value.isascii() and any(character.isdigit() for character in value)
        if value.lower() in FOREIGN_WORDS or strange_digits:
            raise Refused("bad-number", row=row)
        if value.lower().lstrip("+-") in ("nan", "inf", "infinity"):
            raise Refused("non-finite", row=row)
