"""Graders of classes: all but accuracy are statistics of the confusion matrix."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from evals.grading.metrics.answers import Answers, Truth, need
from evals.grading.metrics.grade import Grade, cell_grade, mean_grade

TINY = 1e-300


def accuracy(answers: Answers, truth: Truth) -> Grade:
    """Share of items whose class is right."""
    return mean_grade((need(answers.classes) == need(truth.labels)).double())


def balanced_accuracy(answers: Answers, truth: Truth) -> Grade:
    """Mean over the classes that occur of the share found."""

    def statistic(table: Tensor) -> Tensor:  # (draws, true, answered)
        right, actual, _ = margins(table)
        return share(right, actual).sum(dim=1) / (actual > 0).sum(dim=1).clamp(min=1)

    return confusion_grade(answers, truth, statistic)


def macro_f1(answers: Answers, truth: Truth) -> Grade:
    """Mean over the classes that occur, in truth or answers, of the harmonic mean of precision and recall."""

    def statistic(table: Tensor) -> Tensor:
        right, actual, answered = margins(table)
        present = (actual + answered) > 0
        return share(2 * right, actual + answered).sum(dim=1) / present.sum(dim=1).clamp(min=1)

    return confusion_grade(answers, truth, statistic)


def kappa(answers: Answers, truth: Truth) -> Grade:
    """Cohen's kappa: agreement beyond what the margins alone would give."""

    def statistic(table: Tensor) -> Tensor:
        right, actual, answered = margins(table)
        total = table.sum(dim=(1, 2))
        expected = (actual * answered).sum(dim=1) / total**2
        return share(right.sum(dim=1) / total - expected, 1 - expected)

    return confusion_grade(answers, truth, statistic)


def mcc(answers: Answers, truth: Truth) -> Grade:
    """Matthews' correlation for any number of classes; 0 where it is undefined."""

    def statistic(table: Tensor) -> Tensor:
        right, actual, answered = margins(table)
        total = table.sum(dim=(1, 2))
        above = right.sum(dim=1) * total - (actual * answered).sum(dim=1)
        below = (total**2 - (answered**2).sum(dim=1)) * (total**2 - (actual**2).sum(dim=1))
        return share(above, below.clamp(min=0).add(TINY).sqrt()) * (below > 0)

    return confusion_grade(answers, truth, statistic)


def confusion_grade(answers: Answers, truth: Truth, statistic: Callable[[Tensor], Tensor]) -> Grade:
    """A grade over the cells of (true class, answered class)."""
    count = truth.class_count
    cell = need(truth.labels).long() * count + need(answers.classes).long()
    return cell_grade(cell, count * count, lambda flat: statistic(flat.view(-1, count, count)))


def margins(table: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Right answers, true and answered counts per class, each (draws, classes)."""
    return table.diagonal(dim1=1, dim2=2), table.sum(dim=2), table.sum(dim=1)


def share(part: Tensor, whole: Tensor) -> Tensor:
    """part / whole, 0 where there is no whole."""
    return (part / whole.where(whole != 0, whole.new_ones(()))) * (whole != 0)
