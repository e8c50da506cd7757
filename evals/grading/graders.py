"""The table of graders: name → label and where its function is; torch is loaded only when one is."""

from __future__ import annotations

import importlib
from typing import Any

CLASSES = "evals.grading.metrics.classification"
PROBABILITIES = "evals.grading.metrics.probabilities"
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
}


def grader(name: str) -> Any:
    """The function of a grader: (Answers, Truth) → Grade."""
    if name not in GRADERS:
        raise ValueError(f"{name!r} is no grader; use one of {', '.join(GRADERS)}.")
    module, _, function = GRADERS[name][1].rpartition(".")
    return getattr(importlib.import_module(module), function)
