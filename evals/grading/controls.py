"""Controls that need the labels: shuffled labels, the best constant answer, canary items; inside the scorer."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np
import torch

from evals.grading.benchmarks import Benchmark, file_hash
from evals.grading.graders import grader
from evals.grading.hidden import Hidden
from evals.grading.metrics.answers import Answers, NotMeasurable, Truth, one_hot
from evals.grading.metrics.multilabel import ON
from evals.grading.metrics.text import is_accepted, plain
from evals.grading.signs import binomial_tail, chance_p_value
from evals.grading.sketches import Sketch, sketch

SHUFFLES = 20


def controls(
    benchmark: Benchmark, hidden: Hidden, pair: tuple[Answers, Truth], *, seed: int
) -> dict[str, Any]:
    """What the headline would be by chance and by a constant answer, and how canaries were answered."""
    counted = torch.from_numpy(np.flatnonzero(hidden.rows("all"))).to(place_of(pair[1]))
    answers, truth = pair[0].at(counted), pair[1].at(counted)
    found: dict[str, Any] = {"canaries": canaries(hidden, pair)}
    try:
        found["shuffled"] = shuffled(benchmark, answers, truth, seed=seed)
        if benchmark.task == "classification":
            found["constant"] = best_constant(benchmark, truth)
    except NotMeasurable:
        pass
    return found


def place_of(truth: Truth) -> torch.device:
    """The device that the labels are on."""
    return truth.labels.device if truth.labels is not None else torch.device("cpu")


def shuffled(benchmark: Benchmark, answers: Answers, truth: Truth, *, seed: int) -> dict[str, float]:
    """The headline against labels in random order: what an answer that knows nothing gets."""
    generator = torch.Generator().manual_seed(seed)
    measure = grader(benchmark.headline.name)
    count = truth.labels.shape[0] if truth.labels is not None else len(truth.texts or ())
    orders = [torch.randperm(count, generator=generator).to(place_of(truth)) for _ in range(SHUFFLES)]
    values = np.array([measure(answers, truth.at(order)).value for order in orders])
    value = measure(answers, truth).value
    rising = benchmark.headline.higher_is_better
    return {
        "value": float(values.mean()),
        "sd": float(values.std(ddof=1)),
        "p_value": chance_p_value(value, values, higher_is_better=rising),
    }


def best_constant(benchmark: Benchmark, truth: Truth) -> float:
    """The best headline that one answer to everything can get."""
    assert truth.labels is not None
    measure = grader(benchmark.headline.name)
    values: list[float] = []
    for place in range(truth.class_count):
        classes = torch.full_like(truth.labels, place)
        table = one_hot(classes, truth.class_count)
        values.append(measure(Answers(classes=classes, probabilities=table), truth).value)
    return max(values) if benchmark.headline.higher_is_better else min(values)


def canaries(hidden: Hidden, pair: tuple[Answers, Truth]) -> dict[str, float] | None:
    """Items whose stored label is drawn at random: who matches them more often than chance has seen the labels."""
    answers, truth = pair
    if not hidden.canaries.any() or answers.classes is None or truth.labels is None:
        return None
    rows = torch.from_numpy(np.flatnonzero(hidden.canaries)).to(truth.labels.device)
    hits = int((answers.classes[rows] == truth.labels[rows]).sum())
    chance = 1 / truth.class_count
    return {"items": len(rows), "hits": hits, "p_value": binomial_tail(hits, len(rows), chance)}


def mistakes(
    benchmark: Benchmark, hidden: Hidden, pair: tuple[Answers, Truth], *, split: str
) -> Sketch | None:
    """The sketch of the wrong answers, for a comparison between teams; nothing where no answer is simply wrong."""
    counted = torch.from_numpy(np.flatnonzero(hidden.rows(split))).to(place_of(pair[1]))
    found = wrong_answers(benchmark.task, pair[0].at(counted), pair[1].at(counted))
    if found is None:
        return None
    return sketch(*found, secret=file_hash(benchmark.labels_path).encode())


def wrong_answers(task: str, answers: Answers, truth: Truth) -> tuple[Any, Any] | None:
    """(items,) a number for each answer, and whether it is wrong."""
    if task == "classification" and answers.classes is not None and truth.labels is not None:
        return answers.classes.long().cpu().numpy(), (answers.classes != truth.labels).cpu().numpy()
    if task == "multilabel" and answers.labels is not None and truth.labels is not None:
        answered, actual = (side.cpu().numpy() >= ON for side in (answers.labels, truth.labels))
        codes = np.array([crc32(row.tobytes()) for row in answered], np.int64)
        return codes, (answered != actual).any(axis=1)
    if task == "text" and answers.texts is not None and truth.texts is not None:
        codes = np.array([crc32(plain(text).encode()) for text in answers.texts], np.int64)
        accepted = [is_accepted(text, every) for text, every in zip(answers.texts, truth.texts, strict=True)]
        return codes, ~np.array(accepted, bool)
    return None
