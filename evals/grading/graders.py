"""The table of graders: name → label and where its function is; torch is loaded only when one is."""

from __future__ import annotations

import importlib
import math
from typing import Any

METRICS = "evals.grading.metrics"
CLASSES = f"{METRICS}.classification"
PROBABILITIES = f"{METRICS}.probabilities"
GRADERS: dict[str, tuple[str, str]] = {
    "accuracy": ("Accuracy", f"{CLASSES}.accuracy"),
    "balanced_accuracy": ("Balanced accuracy", f"{CLASSES}.balanced_accuracy"),
    "macro_f1": ("Macro F1", f"{CLASSES}.macro_f1"),
    "kappa": ("Cohen's kappa", f"{CLASSES}.kappa"),
    "mcc": ("Matthews correlation", f"{CLASSES}.mcc"),
    "log_loss": ("Log loss", f"{PROBABILITIES}.log_loss"),
    "brier": ("Brier score", f"{PROBABILITIES}.brier"),
    "calibration_error": ("Calibration error", f"{PROBABILITIES}.calibration_error"),
    "auroc": ("Area under the ROC curve", f"{PROBABILITIES}.auroc"),
    "average_precision": ("Average precision", f"{PROBABILITIES}.average_precision"),
    "rmse": ("Root mean squared error", f"{METRICS}.regression.rmse"),
    "mae": ("Mean absolute error", f"{METRICS}.regression.mae"),
    "r2": ("Variance explained", f"{METRICS}.regression.r2"),
    "spearman": ("Spearman correlation", f"{METRICS}.regression.spearman"),
    "crps": ("Quantile score", f"{METRICS}.regression.crps"),
    "ndcg": ("Normalised discounted gain", f"{METRICS}.ranking.ndcg"),
    "mrr": ("Mean reciprocal rank", f"{METRICS}.ranking.mrr"),
    "subset_accuracy": ("All labels right", f"{METRICS}.multilabel.subset_accuracy"),
    "hamming_loss": ("Labels wrong", f"{METRICS}.multilabel.hamming_loss"),
    "micro_f1": ("Micro F1", f"{METRICS}.multilabel.micro_f1"),
    "mean_iou": ("Mean overlap over union", f"{METRICS}.multilabel.mean_iou"),
    "exact_match": ("Exact match", f"{METRICS}.text.exact_match"),
    "rouge_l": ("ROUGE-L", f"{METRICS}.text.rouge_l"),
}
# What a metric's value can be; a claim outside it is a slip of the pen.
SHARE, SIGNED, UNBOUNDED = (0.0, 1.0), (-1.0, 1.0), (0.0, math.inf)
RANGES: dict[str, tuple[float, float]] = dict.fromkeys(GRADERS, SHARE) | {
    "kappa": SIGNED,
    "mcc": SIGNED,
    "spearman": SIGNED,
    "r2": (-math.inf, 1.0),
    "brier": (0.0, 2.0),
    "log_loss": UNBOUNDED,
    "rmse": UNBOUNDED,
    "mae": UNBOUNDED,
    "crps": UNBOUNDED,
}


def range_in_words(name: str) -> str:
    """What a metric's value can be, as a sentence goes on after "a number".

    >>> range_in_words("accuracy"), range_in_words("rmse")
    ('from 0 to 1', 'of at least 0')
    """
    low, high = RANGES[name]
    if math.isinf(high):
        return f"of at least {low:g}"
    return f"of at most {high:g}" if math.isinf(low) else f"from {low:g} to {high:g}"


def grader(name: str) -> Any:
    """The function of a grader: (Answers, Truth) → Grade."""
    if name not in GRADERS:
        raise ValueError(f"{name!r} is no grader; use one of {', '.join(GRADERS)}.")
    module, _, function = GRADERS[name][1].rpartition(".")
    return getattr(importlib.import_module(module), function)
