"""Graders of probabilities: how likely the truth was said to be, how well that is calibrated and ordered."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from evals.grading.metrics.answers import Answers, Truth, need, one_hot
from evals.grading.metrics.classification import share
from evals.grading.metrics.grade import MAXIMUM_MEAN_UNITS, Grade, cell_grade, distinct, mean_grade, row_grade

SMALLEST = 1e-15
CALIBRATION_BINS = 15
FINE_BINS = 64
SCORE_BINS = 1024
Binned = Callable[[Tensor, Tensor], Tensor]
Weighted = Callable[[Tensor, Tensor, "Order"], Tensor]


def log_loss(answers: Answers, truth: Truth) -> Grade:
    """Mean of minus the natural log of the true class's probability, which is held above 1e-15."""
    return mean_grade(-chosen(answers, truth).clamp(min=SMALLEST).log())


def brier(answers: Answers, truth: Truth) -> Grade:
    """Mean over items of the squared distance between the probabilities and the truth."""
    table = need(answers.probabilities).double()
    return mean_grade(((table - one_hot(need(truth.labels), truth.class_count)) ** 2).sum(dim=1))


def chosen(answers: Answers, truth: Truth) -> Tensor:
    """(items,) probability of the true class."""
    table = need(answers.probabilities).double()
    return table.gather(1, need(truth.labels).long()[:, None])[:, 0]


def calibration_error(answers: Answers, truth: Truth) -> Grade:
    """Expected calibration error: mean gap between confidence and accuracy over 15 equal bins."""
    confidence, answered = need(answers.probabilities).double().max(dim=1)
    right = answered == need(truth.labels)
    fine = (confidence * CALIBRATION_BINS * FINE_BINS).ceil().long().sub(1)
    fine = fine.clamp(0, CALIBRATION_BINS * FINE_BINS - 1)
    cells = CALIBRATION_BINS * FINE_BINS * 2
    cell = fine * 2 + right
    size = torch.bincount(cell, minlength=cells).double()
    total = torch.zeros_like(size).scatter_add_(0, cell, confidence)
    centre = share(total, size)

    def statistic(table: Tensor) -> Tensor:  # (draws, cells)
        confident = (table * centre).view(-1, CALIBRATION_BINS, FINE_BINS * 2).sum(dim=2)
        correct = table[:, 1::2].view(-1, CALIBRATION_BINS, FINE_BINS).sum(dim=2)
        return (confident - correct).abs().sum(dim=1) / table.sum(dim=1)

    return cell_grade(cell, cells, statistic)


def auroc(answers: Answers, truth: Truth) -> Grade:
    """Chance that a member of a class scores above a non-member; mean over classes when more than two."""
    return ordered_grade(answers, truth, binned_area, weighted_area)


def average_precision(answers: Answers, truth: Truth) -> Grade:
    """Mean precision over the members found, from the highest score down; mean over classes."""
    return ordered_grade(answers, truth, binned_precision, weighted_precision)


def ordered_grade(answers: Answers, truth: Truth, binned: Binned, weighted: Weighted) -> Grade:
    """Two classes: cells of 1,024 score bins. More: class against the rest, by item weights.

    The classes share the items, so that no table of scores holds them all; of many items their pulls are drawn,
    which the statistic follows up to 1 / n.
    """
    table, labels = need(answers.probabilities).double(), need(truth.labels).long()
    if truth.class_count == 2:
        return binned_grade(table[:, 1], labels == 1, binned, weighted)
    members = one_hot(labels, truth.class_count)
    orders = [Order.of(table[:, place]) for place in range(truth.class_count)]

    def statistic(weights: Tensor) -> Tensor:  # (draws, items)
        values = [weighted(weights, members[:, place], order) for place, order in enumerate(orders)]
        present = [(weights @ members[:, place]) > 0 for place in range(truth.class_count)]
        stacked, there = torch.stack(values), torch.stack(present).double()
        return (stacked * there).sum(dim=0) / there.sum(dim=0).clamp(min=1)

    by_items = row_grade(statistic, len(labels), labels.device)
    if by_items.n <= MAXIMUM_MEAN_UNITS:
        return by_items
    return mean_grade(by_items.value + by_items.influence())


def binned_grade(score: Tensor, member: Tensor, binned: Binned, weighted: Weighted) -> Grade:
    """Score bins hold equally many items, ties together; the value itself is exact."""
    order = Order.of(score)
    step = torch.div(order.tie * SCORE_BINS, int(order.tie.max()) + 1, rounding_mode="floor")
    if int(order.tie.max()) + 1 <= SCORE_BINS:
        step = order.tie
    cell = step * 2 + member
    ones = torch.ones(1, len(score), dtype=torch.float64, device=score.device)
    exact = float(weighted(ones, member.double(), order)[0])

    def statistic(table: Tensor) -> Tensor:
        return binned(table[:, 1::2], table[:, 0::2])

    return cell_grade(cell, SCORE_BINS * 2, statistic, exact=exact)


class Order:
    """The rank of items by score, equal scores sharing one."""

    def __init__(self, tie: Tensor, count: int) -> None:
        self.tie = tie
        self.count = count

    @classmethod
    def of(cls, score: Tensor) -> Order:
        found, tie = distinct(score)
        return cls(tie, found.numel())

    def gathered(self, weights: Tensor) -> Tensor:
        """(draws, ranks) the weight at each rank, from the lowest score up."""
        table = weights.new_zeros(weights.shape[0], self.count)
        return table.index_add(1, self.tie, weights)


def weighted_area(weights: Tensor, member: Tensor, order: Order) -> Tensor:
    """The area for item weights (draws, items)."""
    return binned_area(order.gathered(weights * member), order.gathered(weights * (1 - member)))


def binned_area(inside: Tensor, outside: Tensor) -> Tensor:
    """The area for counts of members and others by rising score, both (draws, bins)."""
    below = outside.cumsum(dim=1) - outside / 2
    return share((inside * below).sum(dim=1), inside.sum(dim=1) * outside.sum(dim=1))


def weighted_precision(weights: Tensor, member: Tensor, order: Order) -> Tensor:
    """Average precision for item weights (draws, items)."""
    return binned_precision(order.gathered(weights * member), order.gathered(weights * (1 - member)))


def binned_precision(inside: Tensor, outside: Tensor) -> Tensor:
    """Average precision for counts by rising score."""
    found, all_found = inside.flip(1), (inside + outside).flip(1).cumsum(dim=1)
    return share((found * share(found.cumsum(dim=1), all_found)).sum(dim=1), inside.sum(dim=1))
