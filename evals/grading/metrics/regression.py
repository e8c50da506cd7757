"""Graders of numbers: errors, variance explained, order, and quantile forecasts."""

from __future__ import annotations

import torch
from torch import Tensor

from evals.grading.metrics.answers import Answers, Truth, need
from evals.grading.metrics.classification import share
from evals.grading.metrics.grade import Grade, distinct, mean_grade, row_grade


def rmse(answers: Answers, truth: Truth) -> Grade:
    """Root of the mean squared error."""
    return mean_grade(errors(answers, truth) ** 2, Tensor.sqrt)


def mae(answers: Answers, truth: Truth) -> Grade:
    """Mean absolute error."""
    return mean_grade(errors(answers, truth).abs())


def errors(answers: Answers, truth: Truth) -> Tensor:
    """(items,) answer minus truth."""
    return need(answers.values).double() - need(truth.labels).double()


def r2(answers: Answers, truth: Truth) -> Grade:
    """Share of the truth's variance that the answers explain; 0 where the truth never varies."""
    squared, target = errors(answers, truth) ** 2, need(truth.labels).double()
    # Centred once, so that large values do not eat the digits of the variance.
    target = target - target.mean()

    def statistic(weights: Tensor) -> Tensor:  # (draws, items)
        total = weights.sum(dim=1)
        spread = weights @ target**2 - (weights @ target) ** 2 / total
        return (1 - share(weights @ squared, spread)) * (spread > 0)

    return row_grade(statistic, len(target), target.device)


def spearman(answers: Answers, truth: Truth) -> Grade:
    """Correlation of ranks, ties at their middle."""
    _, left = distinct(need(answers.values))
    _, right = distinct(need(truth.labels))

    def statistic(weights: Tensor) -> Tensor:
        return correlation(weights, middle_ranks(weights, left), middle_ranks(weights, right))

    return row_grade(statistic, len(left), left.device)


def middle_ranks(weights: Tensor, place: Tensor) -> Tensor:
    """(draws, items) the rank of each item when items count as often as they were drawn."""
    held = weights.new_zeros(weights.shape[0], int(place.max()) + 1).index_add(1, place, weights)
    return (held.cumsum(dim=1) - held / 2)[:, place]


def correlation(weights: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Pearson's correlation under weights, all (draws, items)."""
    total = weights.sum(dim=1, keepdim=True)
    left = left - (weights * left).sum(dim=1, keepdim=True) / total
    right = right - (weights * right).sum(dim=1, keepdim=True) / total
    spread = (weights * left**2).sum(dim=1) * (weights * right**2).sum(dim=1)
    return share((weights * left * right).sum(dim=1), spread.clamp(min=0).sqrt())


def crps(answers: Answers, truth: Truth) -> Grade:
    """Quantile forecasts: twice the pinball loss averaged over the declared levels."""
    quantiles = need(answers.quantiles).double()  # (items, levels)
    levels = torch.tensor(truth.levels, dtype=torch.float64, device=quantiles.device)
    gap = need(truth.labels).double()[:, None] - quantiles
    return mean_grade(2 * torch.maximum(levels * gap, (levels - 1) * gap).mean(dim=1))
