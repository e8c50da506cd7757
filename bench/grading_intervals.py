"""Bootstrap intervals by cells against scipy.stats.bootstrap with scikit-learn's metrics.

    python -m bench.grading_intervals

SciPy is timed over a counted number of resamples and extrapolated, which the output says.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.stats
import torch
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from evals.grading.graders import grader
from evals.grading.metrics.answers import Answers, Truth
from evals.grading.uncertainty import bootstrap

ITEMS, RESAMPLES, REPEATS = 100_000, 10_000, 5


@dataclass(frozen=True)
class Case:
    """A metric, over how many classes, how many of SciPy's resamples are counted, and the ratio to reach."""

    metric: str
    classes: int
    counted: int
    bar: float


CASES = (
    Case("macro_f1", 10, 40, 2000.0),
    Case("auroc", 2, 40, 50.0),
    Case("auroc", 10, 12, 50.0),
    Case("average_precision", 10, 12, 50.0),
)


def make_case(classes: int) -> tuple[Answers, Truth]:
    """Uneven answers to many items."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, classes, ITEMS)
    table = torch.tensor(rng.normal(size=(ITEMS, classes)) + 1.5 * np.eye(classes)[labels]).softmax(dim=1)
    truth = Truth(labels=torch.tensor(labels), class_count=classes)
    return Answers(classes=table.argmax(dim=1), probabilities=table), truth


def scipy_interval(case: Case, answers: Answers, truth: Truth) -> Any:
    """The same interval by resampled rows."""
    labels, table = truth.labels.numpy(), answers.probabilities.numpy()

    def of_classes(y: np.ndarray, *answered: np.ndarray) -> float:
        return f1_score(y, answered[0], average="macro")

    def of_scores(y: np.ndarray, *columns: np.ndarray) -> float:
        one = roc_auc_score if case.metric == "auroc" else average_precision_score
        return float(np.mean([one(y == k, columns[k]) for k in places]))

    places = [1] if case.classes == 2 else range(case.classes)
    by_class = case.metric == "macro_f1"
    data = (labels, answers.classes.numpy()) if by_class else (labels, *table.T)
    return scipy.stats.bootstrap(
        data,
        of_classes if by_class else of_scores,
        paired=True,
        vectorized=False,
        n_resamples=case.counted,
        method="percentile",
        rng=1,
    )


def compare(case: Case) -> bool:
    """Time both and look at their intervals; whether the bar is reached."""
    answers, truth = make_case(case.classes)
    times = []
    for _ in range(REPEATS + 1):
        started = time.perf_counter()
        ours = bootstrap(grader(case.metric)(answers, truth), seed=1, resamples=RESAMPLES)
        times.append(time.perf_counter() - started)
    seconds = statistics.median(times[1:])
    started = time.perf_counter()
    theirs = scipy_interval(case, answers, truth)
    extrapolated = (time.perf_counter() - started) * RESAMPLES / case.counted
    ratio = extrapolated / seconds
    # A standard error from k resamples has itself a relative error of 1 / sqrt(2 k).
    gap = abs(theirs.standard_error / ours.standard_error - 1) * np.sqrt(2 * case.counted)
    print(
        f"{case.metric}, {case.classes} classes: {ratio:,.0f} times as fast (bar {case.bar:,.0f}); {seconds:.3f} s for "
        f"{RESAMPLES:,} draws over {ITEMS:,} items against {extrapolated:,.0f} s extrapolated from {case.counted} "
        f"resamples; standard errors {ours.standard_error:.6f} and {theirs.standard_error:.6f}, "
        f"{gap:.1f} Monte-Carlo errors apart"
    )
    return bool(ratio >= case.bar and gap < 3)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(0 if sum(map(compare, CASES)) == len(CASES) else 1)
