"""Tasks: what a submission answers per item, and which metrics can judge it."""

from __future__ import annotations

from dataclasses import dataclass

HIGHER = [
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "kappa",
    "mcc",
    "auroc",
    "average_precision",
    "r2",
    "spearman",
    "ndcg",
    "mrr",
    "exact_match",
    "rouge_l",
    "subset_accuracy",
    "micro_f1",
    "mean_iou",
]
LOWER = ["log_loss", "brier", "calibration_error", "rmse", "mae", "crps", "hamming_loss"]
DIRECTIONS = {**dict.fromkeys(HIGHER, "higher"), **dict.fromkeys(LOWER, "lower")}


@dataclass(frozen=True)
class Task:
    """One kind of benchmark."""

    name: str
    metrics: tuple[str, ...]
    needs_classes: bool = False


CLASSIFICATION = (
    "accuracy balanced_accuracy macro_f1 kappa mcc log_loss brier calibration_error auroc average_precision"
)
TASKS = {
    task.name: task
    for task in (
        Task("classification", tuple(CLASSIFICATION.split()), needs_classes=True),
        Task("regression", ("rmse", "mae", "r2", "spearman", "crps")),
        Task("ranking", ("ndcg", "mrr")),
        Task(
            "multilabel",
            ("subset_accuracy", "hamming_loss", "micro_f1", "mean_iou"),
            needs_classes=True,
        ),
        Task("text", ("exact_match", "rouge_l")),
    )
}
