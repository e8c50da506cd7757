"""Graders of many labels per item, segmentation masks among them: answers are 0 to 1, on at a half."""

from __future__ import annotations

from torch import Tensor

from evals.grading.metrics.answers import Answers, Truth, need
from evals.grading.metrics.classification import share
from evals.grading.metrics.grade import Grade, mean_grade, row_grade

ON = 0.5


def subset_accuracy(answers: Answers, truth: Truth) -> Grade:
    """Share of items whose every label is right."""
    answered, actual = both(answers, truth)
    return mean_grade((answered == actual).all(dim=1).double())


def hamming_loss(answers: Answers, truth: Truth) -> Grade:
    """Share of labels that are wrong."""
    answered, actual = both(answers, truth)
    return mean_grade((answered != actual).double().mean(dim=1))


def micro_f1(answers: Answers, truth: Truth) -> Grade:
    """F1 over all items and labels together."""
    answered, actual = both(answers, truth)
    right = (answered * actual).sum(dim=1)
    either = answered.sum(dim=1) + actual.sum(dim=1)
    return row_grade(lambda weights: share(weights @ (2 * right), weights @ either), len(right), right.device)


def mean_iou(answers: Answers, truth: Truth) -> Grade:
    """Mean over labels of the overlap over the union; labels that occur nowhere do not count."""
    answered, actual = both(answers, truth)
    overlap, union = answered * actual, (answered + actual).clamp(max=1)

    def statistic(weights: Tensor) -> Tensor:  # (draws, items)
        inside, whole = weights @ overlap, weights @ union
        return share(inside, whole).sum(dim=1) / (whole > 0).sum(dim=1).clamp(min=1)

    return row_grade(statistic, len(overlap), overlap.device)


def both(answers: Answers, truth: Truth) -> tuple[Tensor, Tensor]:
    """(items, labels) of 0 and 1: answered, and true."""
    return (need(answers.labels) >= ON).double(), (need(truth.labels) >= ON).double()
