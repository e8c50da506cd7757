"""Frozen tables of results: a row per person, rater or output, read by label or as columns."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from evals.noise.arrays import Floats, Ints, Label

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}


@dataclass(frozen=True)
class Summary:
    """What is known of one level: mean, sd, quantiles, and how much stands behind it."""

    id: Label
    mean: float
    sd: float
    q05: float
    q25: float
    q50: float
    q75: float
    q95: float
    observations: int
    raters: int
    outputs: int
    luck: float = 0.0
    luck_sd: float = 0.0
    noise_factor: float = 1.0


@dataclass(frozen=True)
class SummaryTable:
    """Columns of summaries; ``table[label]`` is one row, iteration gives all."""

    id: tuple[Label, ...]
    mean: Floats
    sd: Floats
    q05: Floats
    q25: Floats
    q50: Floats
    q75: Floats
    q95: Floats
    observations: Ints
    raters: Ints
    outputs: Ints
    luck: Floats | None = None
    luck_sd: Floats | None = None
    noise_factor: Floats | None = None  # of a rater, on the noise sd

    @cached_property
    def place(self) -> dict[Label, int]:
        return {label: at for at, label in enumerate(self.id)}

    def __len__(self) -> int:
        return len(self.id)

    def __contains__(self, label: Label) -> bool:
        return label in self.place

    def __getitem__(self, label: Label) -> Summary:
        if label not in self.place:
            raise KeyError(f"{label!r} is not among these {len(self)} labels.")
        return self._row(self.place[label])

    def __iter__(self) -> Iterator[Summary]:
        return (self._row(at) for at in range(len(self)))

    def _row(self, at: int) -> Summary:
        columns = {column.name: getattr(self, column.name) for column in fields(self)}
        return Summary(**{name: _plain(values[at]) for name, values in columns.items() if values is not None})


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


@dataclass(frozen=True)
class Interval:
    """A number with its uncertainty; at a mode, without one."""

    mean: float
    sd: float
    q05: float
    q95: float
