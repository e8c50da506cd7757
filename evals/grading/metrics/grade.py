"""A grade: a statistic of weighted units, so that one engine gives its value, interval and influence.

    value = T(counts),   draws = T(w),  w ~ multinomial(n, counts / n)

A unit is a cell of a table of counts where the statistic has a count form, else an item.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

MAXIMUM_MEAN_UNITS = 4096
Statistic = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Grade:
    """``statistic`` maps weights (draws, units) to values (draws,)."""

    statistic: Statistic
    counts: Tensor  # (units,) how many items each unit holds
    unit: Tensor  # (items,) the unit of each item
    items: Tensor | None = None  # (items,) whose plain mean the value is, where it is one
    exact: float | None = None  # the value, where units round it

    @property
    def value(self) -> float:
        """The statistic of the data as they are."""
        return self.binned if self.exact is None else self.exact

    @property
    def binned(self) -> float:
        """The statistic of the units as they are."""
        return float(self.statistic(self.counts[None].double())[0])

    @property
    def n(self) -> int:
        return int(self.unit.numel())

    def influence(self) -> Tensor:
        """(items,) how much each item pulls: value + influence averages to the value."""
        if self.items is not None:
            return self.items - self.items.mean()
        weights = self.counts[None].double().clone().requires_grad_()
        slope = torch.autograd.grad(self.statistic(weights).sum(), weights)[0][0]
        pull = slope[self.unit] * self.n
        return pull - pull.mean()


def distinct(values: Tensor) -> tuple[Tensor, Tensor]:
    """The distinct values in rising order, and the place of each value among them."""
    found: tuple[Tensor, Tensor] = torch.unique(values, return_inverse=True)
    return found


def row_grade(statistic: Statistic, n: int, place: torch.device) -> Grade:
    """A grade whose units are the items themselves."""
    return Grade(statistic, torch.ones(n, device=place), torch.arange(n, device=place))


def mean_grade(values: Tensor, transform: Callable[[Tensor], Tensor] | None = None) -> Grade:
    """A mean of per-item values, or a smooth function of it.

    Items with equal values share a unit. Where there are more different values than
    ``MAXIMUM_MEAN_UNITS``, neighbours in size share one at their mean: the value stays exact.
    """
    values = values.double()
    found, unit = distinct(values)
    if found.numel() > MAXIMUM_MEAN_UNITS:
        unit = values.argsort().argsort() * MAXIMUM_MEAN_UNITS // values.numel()
    counts = torch.bincount(unit).double()
    centres = torch.zeros_like(counts).scatter_add_(0, unit, values) / counts

    def statistic(weights: Tensor) -> Tensor:
        mean = (weights @ centres) / weights.sum(dim=1)
        return mean if transform is None else transform(mean)

    return Grade(statistic, counts, unit, items=values if transform is None else None)


def cell_grade(cell: Tensor, cells: int, statistic: Statistic, *, exact: float | None = None) -> Grade:
    """A statistic of dense cell counts (draws, cells); only cells that occur become units."""
    found, counts, unit = occurring(cell, cells)

    def of_units(weights: Tensor) -> Tensor:
        dense = weights.new_zeros(weights.shape[0], cells)
        return statistic(dense.index_copy(1, found, weights))

    return Grade(of_units, counts, unit, exact=exact)


def occurring(cell: Tensor, cells: int) -> tuple[Tensor, Tensor, Tensor]:
    """The cells that occur, how often, and the place among them of each item's cell; no sorting."""
    counts = torch.bincount(cell, minlength=cells)
    found = counts.nonzero()[:, 0]
    place = torch.zeros(cells, dtype=torch.long, device=cell.device)
    place[found] = torch.arange(len(found), device=cell.device)
    return found, counts[found].double(), place[cell]
