"""Bootstrap intervals by cells against scipy.stats.bootstrap with scikit-learn's metrics.

    python bench/grading_intervals.py

SciPy is timed over a counted number of resamples and extrapolated, which the output says.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import scipy.stats
import torch
from sklearn.metrics import f1_score, roc_auc_score

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from evals.grading.graders import grader
from evals.grading.metrics.answers import Answers, Truth
from evals.grading.uncertainty import bootstrap

ITEMS, RESAMPLES, COUNTED, REPEATS = 100_000, 10_000, 40, 5
BARS = {"macro_f1": 2000.0, "auroc": 50.0}


def make_case(name: str) -> tuple[Answers, Truth]:
    """Ten classes for macro-F1, two for the area."""
    classes = 10 if name == "macro_f1" else 2
    rng = np.random.default_rng(1)
    labels = rng.integers(0, classes, ITEMS)
    table = torch.tensor(rng.normal(size=(ITEMS, classes)) + 1.5 * np.eye(classes)[labels]).softmax(dim=1)
    truth = Truth(labels=torch.tensor(labels), class_count=classes)
    return Answers(classes=table.argmax(dim=1), probabilities=table), truth


def scipy_interval(name: str, answers: Answers, truth: Truth, resamples: int):
    """The same interval by resampled rows."""
    labels = truth.labels.numpy()
    if name == "macro_f1":
        data, metric = (labels, answers.classes.numpy()), lambda y, a: f1_score(y, a, average="macro")
    else:
        data, metric = (labels, answers.probabilities[:, 1].numpy()), roc_auc_score
    return scipy.stats.bootstrap(
        data, metric, paired=True, vectorized=False, n_resamples=resamples, method="percentile", rng=1
    )


def compare(name: str) -> bool:
    """Time both and look at their intervals; whether the bar is reached."""
    answers, truth = make_case(name)
    times = []
    for _ in range(REPEATS + 1):
        started = time.perf_counter()
        ours = bootstrap(grader(name)(answers, truth), seed=1, resamples=RESAMPLES)
        times.append(time.perf_counter() - started)
    seconds = statistics.median(times[1:])
    started = time.perf_counter()
    theirs = scipy_interval(name, answers, truth, COUNTED)
    extrapolated = (time.perf_counter() - started) * RESAMPLES / COUNTED
    ratio = extrapolated / seconds
    # A standard error from k resamples has itself a relative error of 1 / sqrt(2 k).
    gap = abs(theirs.standard_error / ours.standard_error - 1) * np.sqrt(2 * COUNTED)
    print(
        f"{name}: {ratio:,.0f} times as fast (bar {BARS[name]:,.0f}); {seconds:.3f} s for {RESAMPLES:,} draws over "
        f"{ITEMS:,} items against {extrapolated:,.0f} s extrapolated from {COUNTED} resamples; "
        f"standard errors {ours.standard_error:.6f} and {theirs.standard_error:.6f}, {gap:.1f} Monte-Carlo errors apart"
    )
    return bool(ratio >= BARS[name] and gap < 3)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(0 if sum(map(compare, BARS)) == len(BARS) else 1)
