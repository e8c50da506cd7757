"""The hidden labels of a benchmark, read in the scorer only, in the order of the public ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from evals.grading.benchmarks import Benchmark
from evals.grading.inputs import id_texts, read_columns
from evals.grading.metrics.answers import Truth
from evals.grading.refusals import Refused
from evals.grading.tables import numbers

PUBLIC, PRIVATE = "public", "private"
FEWEST_ITEMS = 2
MOST_SLICES, LONGEST_SLICE = 100, 100
YES = ("1", "yes", "true")


@dataclass(frozen=True)
class Hidden:
    """Columns of the labels file, in grading order."""

    columns: dict[str, list[str]]
    clusters: torch.Tensor | None
    splits: NDArray[Any] | None
    canaries: NDArray[np.bool_]

    def truth(self, benchmark: Benchmark, place: torch.device) -> Truth:
        """The labels as tensors, in the form that the task's graders take."""
        built = TRUTHS[benchmark.task](self.columns, benchmark)
        groups = None if self.clusters is None else self.clusters.to(place)
        labels = None if built.labels is None else built.labels.to(place)
        return Truth(
            labels=labels,
            texts=built.texts,
            groups=groups,
            class_count=len(benchmark.classes),
            levels=benchmark.quantiles,
        )

    def rows(self, split: str) -> NDArray[np.bool_]:
        """Which items count: those of the split, canaries never."""
        counted = ~self.canaries
        if self.splits is not None and split != "all":
            counted &= self.splits == split
        return counted


def load_hidden(benchmark: Benchmark) -> Hidden:
    """The labels file, checked against the public ids."""
    table = read_columns(benchmark.labels_path, benchmark.limits)
    if "id" not in table:
        raise ValueError("The labels file must have a column id.")
    rows = {name: row for row, name in enumerate(id_texts(table["id"]))}
    if set(rows) != set(benchmark.ids) or len(table["id"]) != len(rows):
        raise ValueError("The labels file must have exactly the ids of the inputs file, each once.")
    order = [rows[name] for name in benchmark.ids]
    columns = {name: [str(column[row]) for row in order] for name, column in table.items() if name != "id"}
    declared = benchmark.data
    for name in filter(None, (declared.cluster, declared.split, declared.canary, *declared.slices)):
        if name not in columns:
            raise ValueError(f"The labels file must have the declared column {name}.")
    hidden = Hidden(
        columns=columns,
        clusters=numbered(columns[declared.cluster]) if declared.cluster else None,
        splits=np.array(columns[declared.split]) if declared.split else None,
        canaries=np.array([columns[declared.canary][row] in YES for row in range(len(order))])
        if declared.canary
        else np.zeros(len(order), bool),
    )
    check_labels(hidden, benchmark)
    check_parts(hidden, benchmark)
    return hidden


def check_labels(hidden: Hidden, benchmark: Benchmark) -> None:
    """Every label is there and is what the task's graders take."""
    wanted = [f"l_{name}" for name in benchmark.classes] if benchmark.task == "multilabel" else ["label"]
    for name in wanted:
        if name not in hidden.columns:
            raise ValueError(f"The labels file must have a column {name}.")
    try:
        hidden.truth(benchmark, torch.device("cpu"))
    except Refused as error:
        raise ValueError(f"The labels file cannot be read: {error.message}") from error


def check_parts(hidden: Hidden, benchmark: Benchmark) -> None:
    """Splits, canaries, clusters and slices leave something to measure, and names that can be kept."""
    declared = benchmark.data
    if declared.split and set(hidden.columns[declared.split]) - {PUBLIC, PRIVATE}:
        raise ValueError(f"The column {declared.split} must say {PUBLIC} or {PRIVATE} for every item.")
    if hidden.rows(PUBLIC).sum() < FEWEST_ITEMS:
        raise ValueError(f"At least {FEWEST_ITEMS} items must be public and no canaries.")
    if hidden.clusters is not None and len(set(hidden.clusters.tolist())) < FEWEST_ITEMS:
        raise ValueError(f"The column {declared.cluster} must tell at least {FEWEST_ITEMS} clusters apart.")
    for column in declared.slices:
        values = set(hidden.columns[column])
        if len(values) > MOST_SLICES or max(len(f"{column}={value}") for value in values) > LONGEST_SLICE:
            raise ValueError(
                f"The column {column} must have at most {MOST_SLICES} values for slices, and short ones:"
                f" name and value together at most {LONGEST_SLICE} characters."
            )


def numbered(column: list[str]) -> torch.Tensor:
    """Each distinct text as a number from 0 up."""
    places = {name: place for place, name in enumerate(dict.fromkeys(column))}
    return torch.tensor([places[name] for name in column])


def class_truth(columns: dict[str, list[str]], benchmark: Benchmark) -> Truth:
    """The place of each label in the list of classes."""
    places = {name: place for place, name in enumerate(benchmark.classes)}
    unknown = set(columns["label"]) - set(places)
    if unknown:
        raise ValueError(f"The labels file has {len(unknown)} classes that the benchmark does not list.")
    return Truth(labels=torch.tensor([places[name] for name in columns["label"]]))


def value_truth(columns: dict[str, list[str]], benchmark: Benchmark) -> Truth:
    """Labels as numbers."""
    return Truth(labels=torch.tensor(numbers(columns["label"]), dtype=torch.float64))


def many_truth(columns: dict[str, list[str]], benchmark: Benchmark) -> Truth:
    """0 or 1 for every label, from columns named l_<label>."""
    table = [numbers(columns[f"l_{name}"]) for name in benchmark.classes]
    return Truth(labels=torch.tensor(table, dtype=torch.float64).T.contiguous())


def text_truth(columns: dict[str, list[str]], benchmark: Benchmark) -> Truth:
    """The accepted answers of each item, separated by a bar."""
    return Truth(texts=tuple(tuple(label.split("|")) for label in columns["label"]))


TRUTHS = {
    "classification": class_truth,
    "regression": value_truth,
    "ranking": value_truth,
    "multilabel": many_truth,
    "text": text_truth,
}
