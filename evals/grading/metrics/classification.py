"""Graders of classes: all but accuracy are statistics of the confusion matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from evals.grading.metrics.answers import Answers, Truth, need, one_hot
from evals.grading.metrics.grade import Grade, mean_grade, occurring

TINY = 1e-300


def accuracy(answers: Answers, truth: Truth) -> Grade:
    """Share of items whose class is right."""
    return mean_grade((need(answers.classes) == need(truth.labels)).double())


def balanced_accuracy(answers: Answers, truth: Truth) -> Grade:
    """Mean over the classes that occur of the share found."""

    def statistic(table: Margins) -> Tensor:
        found = share(table.right, table.actual).sum(dim=1)
        return found / (table.actual > 0).sum(dim=1).clamp(min=1)

    return confusion_grade(answers, truth, statistic)


def macro_f1(answers: Answers, truth: Truth) -> Grade:
    """Mean over the classes that occur, in truth or answers, of the harmonic mean of precision and recall."""

    def statistic(table: Margins) -> Tensor:
        either = table.actual + table.answered
        return share(2 * table.right, either).sum(dim=1) / (either > 0).sum(dim=1).clamp(min=1)

    return confusion_grade(answers, truth, statistic)


def kappa(answers: Answers, truth: Truth) -> Grade:
    """Cohen's kappa: agreement beyond what the margins alone would give."""

    def statistic(table: Margins) -> Tensor:
        expected = (table.actual * table.answered).sum(dim=1) / table.total**2
        return share(table.right.sum(dim=1) / table.total - expected, 1 - expected)

    return confusion_grade(answers, truth, statistic)


def mcc(answers: Answers, truth: Truth) -> Grade:
    """Matthews' correlation for any number of classes; 0 where it is undefined."""

    def statistic(table: Margins) -> Tensor:
        above = table.right.sum(dim=1) * table.total - (table.actual * table.answered).sum(dim=1)
        squares = [table.total**2 - (side**2).sum(dim=1) for side in (table.answered, table.actual)]
        below = squares[0] * squares[1]
        return share(above, below.clamp(min=0).add(TINY).sqrt()) * (below > 0)

    return confusion_grade(answers, truth, statistic)


@dataclass(frozen=True)
class Margins:
    """What these statistics need of a confusion matrix, for many draws at once."""

    right: Tensor  # (draws, classes) on the diagonal
    actual: Tensor  # (draws, classes) by true class
    answered: Tensor  # (draws, classes) by answered class

    @property
    def total(self) -> Tensor:
        return self.actual.sum(dim=1)


def confusion_grade(answers: Answers, truth: Truth, statistic: Callable[[Margins], Tensor]) -> Grade:
    """A grade over the cells of (true class, answered class) that occur."""
    count = truth.class_count
    cell = need(truth.labels).long() * count + need(answers.classes).long()
    found, counts, unit = occurring(cell, count * count)
    actual, answered = one_hot(found // count, count), one_hot(found % count, count)
    # One product gives all three margins of all draws.
    margins = torch.cat([actual * answered, actual, answered], dim=1)

    def of_weights(weights: Tensor) -> Tensor:  # (draws, cells that occur)
        right, by_actual, by_answered = torch.split(weights @ margins, count, dim=1)
        return statistic(Margins(right, by_actual, by_answered))

    return Grade(of_weights, counts, unit)


def share(part: Tensor, whole: Tensor) -> Tensor:
    """part / whole, 0 where there is no whole."""
    return (part / whole.where(whole != 0, whole.new_ones(()))) * (whole != 0)
