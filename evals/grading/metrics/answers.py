"""What graders take: a submission's answers and the hidden truth, on the device, in the same order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Answers:
    """One submission's answers; which are there depends on the task."""

    classes: Tensor | None = None  # (items,)
    probabilities: Tensor | None = None  # (items, classes)
    values: Tensor | None = None  # (items,)
    quantiles: Tensor | None = None  # (items, levels)
    scores: Tensor | None = None  # (items,)
    labels: Tensor | None = None  # (items, labels)
    texts: tuple[str, ...] | None = None

    def at(self, rows: Tensor) -> Answers:
        """The answers to some items."""
        picked = {name: value[rows] for name, value in vars(self).items() if isinstance(value, Tensor)}
        texts = None if self.texts is None else tuple(self.texts[row] for row in rows.tolist())
        return replace(self, texts=texts, **picked)


@dataclass(frozen=True)
class Truth:
    """The hidden side of the same items."""

    labels: Tensor | None = None  # (items,) classes or values, or (items, labels)
    texts: tuple[tuple[str, ...], ...] | None = None
    groups: Tensor | None = None  # (items,) the query or cluster of each
    class_count: int = 0
    levels: tuple[float, ...] = field(default=())

    def at(self, rows: Tensor) -> Truth:
        """The truth of some items."""
        picked: dict[str, Any] = {
            name: value[rows] for name, value in vars(self).items() if isinstance(value, Tensor)
        }
        if self.texts is not None:
            picked["texts"] = tuple(self.texts[row] for row in rows.tolist())
        return replace(self, **picked)


class NotMeasurable(Exception):
    """The submission gives no answers of the kind that a metric needs."""


def need(value: Tensor | None) -> Tensor:
    """The answers, which this metric needs."""
    if value is None:
        raise NotMeasurable
    return value


def one_hot(labels: Tensor, count: int) -> Tensor:
    """(items, count) of 0 and 1."""
    return torch.nn.functional.one_hot(labels.long(), count).double()
