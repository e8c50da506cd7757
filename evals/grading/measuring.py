"""Measurements of one submission's answers against the hidden labels; runs inside the scorer only."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evals.grading.benchmarks import Benchmark, load_benchmark
from evals.grading.controls import controls, mistakes
from evals.grading.devices import described, device
from evals.grading.frames import Frame
from evals.grading.graders import RANGES, SHARE, grader
from evals.grading.hidden import Hidden, load_hidden
from evals.grading.metrics.answers import Answers, NotMeasurable, Truth
from evals.grading.metrics.grade import Grade
from evals.grading.texts import unpack_texts
from evals.grading.uncertainty import Interval, analytic, bootstrap, not_certain

CACHED_BENCHMARKS = 8
SMALLEST_SLICE = 2
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Part:
    """A slice of the items: all of them, or those with one value of a declared column."""

    name: str
    rows: torch.Tensor


@lru_cache(CACHED_BENCHMARKS)
def loaded(folder: str, content_hash: str) -> tuple[Benchmark, Hidden]:
    """A benchmark and its labels, kept while its content stays the same."""
    benchmark = load_benchmark(Path(folder))
    if benchmark.content_hash != content_hash:
        raise ValueError("The benchmark's files have changed since the run was asked for.")
    return benchmark, load_hidden(benchmark)


def measure(request: Frame, *, report: Report) -> Frame:
    """All metrics over all slices, with intervals, and each item's share in the headline."""
    header = request.header
    benchmark, hidden = loaded(header["benchmark"], header["benchmark_hash"])
    place = device(header["device"])
    answers = on_device(request.arrays, place)
    truth = hidden.truth(benchmark, place)
    parts = list(slices(benchmark, hidden, split=header["split"], place=place))
    tasks = [(metric.name, part) for part in parts for metric in benchmark.metrics]
    measurements = []
    for number, (name, part) in enumerate(tasks):
        found = measured(name, part, (answers, truth), header | {"clusters": hidden.clusters})
        measurements += [found] if found else []
        report(number + 1, len(tasks))
    pulls = item_scores(benchmark.headline.name, answers.at(parts[0].rows), truth.at(parts[0].rows))
    items = {"items": pulls} if pulls is not None else {}
    if pulls is not None and hidden.clusters is not None and len(pulls) == parts[0].rows.numel():
        items["clusters"] = hidden.clusters[parts[0].rows.cpu()].numpy().astype(np.int64)
    sketched = mistakes(benchmark, hidden, (answers, truth), split=header["split"])
    items |= {"mistakes": sketched} if sketched is not None else {}
    signs = controls(benchmark, hidden, (answers, truth), seed=header["seed"])
    facts = {**record(place, pulls), "controls": signs}
    return Frame({"measurements": measurements, "record": facts}, items)


def on_device(arrays: dict[str, Any], place: torch.device) -> Answers:
    """The answers of a frame as tensors."""
    values = dict(arrays)
    texts = None
    if "characters" in values:
        texts = tuple(unpack_texts(values.pop("characters"), values.pop("ends")))
    tensors = {name: torch.from_numpy(np.array(value)).to(place) for name, value in values.items()}
    return Answers(texts=texts, **tensors)


def slices(benchmark: Benchmark, hidden: Hidden, *, split: str, place: torch.device) -> Iterator[Part]:
    """The whole of the asked split first, then each value of each declared column."""
    counted = hidden.rows(split)
    yield Part("", torch.from_numpy(np.flatnonzero(counted)).to(place))
    for column in benchmark.data.slices:
        values = hidden.columns[column]
        for value in sorted(set(values)):
            rows = np.flatnonzero(counted & (np.array(values) == value))
            if len(rows) >= SMALLEST_SLICE:
                yield Part(f"{column}={value}", torch.from_numpy(rows).to(place))


def measured(name: str, part: Part, pair: tuple[Answers, Truth], settings: dict[str, Any]) -> dict[str, Any]:
    """One metric on one slice, or nothing where the answers lack what it needs."""
    try:
        grade = grader(name)(pair[0].at(part.rows), pair[1].at(part.rows))
    except NotMeasurable:
        return {}
    clusters = settings["clusters"]
    # A ranking's queries are what is drawn already: its items are not the rows of the labels file.
    clusters = clusters[part.rows.cpu()] if clusters is not None and grade.n == part.rows.numel() else None
    interval = bootstrap(grade, seed=settings["seed"], resamples=settings["resamples"], clusters=clusters)
    if RANGES[name] == SHARE:
        interval = not_certain(grade.value, interval, n=interval.clusters or grade.n)
    return row(name, part.name, grade, interval) | {"seed": settings["seed"]} | beside(grade, name, clusters)


def row(name: str, part: str, grade: Grade, interval: Interval) -> dict[str, Any]:
    """One measurement as plain values; what is not a number is said to be nothing."""
    values = {"value": grade.value, **asdict(interval)}
    finite = {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in values.items()}
    return {"metric": name, "slice": part, "n": grade.n, **finite}


def beside(grade: Grade, name: str, clusters: torch.Tensor | None) -> dict[str, Any]:
    """The analytic errors, unclustered always and clustered where clusters are declared."""
    shown = [analytic(grade, name=name)]
    if clusters is not None:
        shown.append(analytic(grade, name=name, clusters=clusters))
    kept = [asdict(entry) for entry in shown if math.isfinite(entry.standard_error)]
    return {"analytic": kept}


def item_scores(name: str, answers: Answers, truth: Truth) -> np.ndarray[Any, Any] | None:
    """(items,) numbers that average to the headline, for paired comparisons; for operators only."""
    try:
        grade = grader(name)(answers, truth)
    except NotMeasurable:
        return None
    return np.asarray((grade.influence() + grade.value).detach().cpu().numpy(), np.float64)


def record(place: torch.device, pulls: np.ndarray[Any, Any] | None) -> dict[str, Any]:
    """Where and on what this was computed."""
    items = "" if pulls is None else hashlib.sha256(pulls.tobytes()).hexdigest()
    return {**described(place), "items_hash": items}
