"""Paired differences of two submissions on the same items, and how many items would tell them apart.

difference = mean(a - b),  a and b each item's share in the headline;  n for power .8 as in Miller (2024)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

DRAWS = 4000
LEVEL = 0.95
POWER = 0.8
BLOCK_WEIGHTS = 1 << 24


@dataclass(frozen=True)
class Comparison:
    """How far two submissions differ, by the same items."""

    difference: float
    standard_error: float
    low: float
    high: float
    correlation: float
    p_value: float
    n: int
    items_needed: int | None
    clusters: int | None = None

    @property
    def sentence(self) -> str:
        """The comparison in words."""
        told = "differ" if self.p_value < 1 - LEVEL else "cannot be told apart"
        needed = f"; about {self.items_needed} items would tell" if self.items_needed else ""
        return (
            f"The two {told}: {self.difference:+.4g} ({self.low:+.4g} to {self.high:+.4g}), "
            f"p = {self.p_value:.2g}, correlation {self.correlation:.2f}, {self.n} items{needed}."
        )


def paired(
    first: NDArray[Any], second: NDArray[Any], *, seed: int, clusters: NDArray[Any] | None = None
) -> Comparison:
    """First minus second, by the same draws for both."""
    if first.shape != second.shape or first.ndim != 1 or first.size < 2:
        raise ValueError("Paired results need the same items, at least two of them.")
    gap = first - second
    values = resampled_means(gap, seed=seed, clusters=clusters)
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    error = standard_error(gap, clusters)
    difference = float(gap.mean())
    return Comparison(
        difference=difference,
        standard_error=error,
        low=float(low),
        high=float(high),
        correlation=correlation(first, second),
        p_value=p_value(difference, error),
        n=gap.size,
        items_needed=items_needed(difference, error, gap.size),
        clusters=None if clusters is None else int(np.unique(clusters).size),
    )


def resampled_means(gap: NDArray[Any], *, seed: int, clusters: NDArray[Any] | None) -> NDArray[np.float64]:
    """Means of the gap under multinomial draws of items, or of whole clusters."""
    sums, sizes = gap, np.ones(gap.size)
    if clusters is not None:
        _, member = np.unique(clusters, return_inverse=True)
        sums, sizes = np.bincount(member, gap), np.bincount(member).astype(float)
    generator = np.random.Generator(np.random.Philox(seed))
    parts = []
    for start in range(0, DRAWS, block := max(1, BLOCK_WEIGHTS // sums.size)):
        size = min(block, DRAWS - start)
        weights = generator.multinomial(sums.size, np.full(sums.size, 1 / sums.size), size=size)
        parts.append((weights @ sums) / (weights @ sizes))
    return np.concatenate(parts)


def standard_error(gap: NDArray[Any], clusters: NDArray[Any] | None) -> float:
    """The error of the mean gap, clustered with C / (C - 1) where clusters are declared."""
    pull = gap - gap.mean()
    if clusters is None:
        return float(np.sqrt((pull**2).sum() / (gap.size - 1) / gap.size))
    _, member = np.unique(clusters, return_inverse=True)
    sums = np.bincount(member, pull)
    return float(np.sqrt((sums**2).sum() * sums.size / max(1, sums.size - 1)) / gap.size)


def correlation(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Pearson's correlation, 0 where one side never varies."""
    if first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def p_value(difference: float, error: float) -> float:
    """Two-sided, by the normal law."""
    if error == 0:
        return 1.0 if difference == 0 else 0.0
    return 2 * NormalDist().cdf(-abs(difference) / error)


def items_needed(difference: float, error: float, n: int) -> int | None:
    """Items at which a difference of this size is found with power 0.8, or None where there is none."""
    if difference == 0 or error == 0:
        return None
    reach = NormalDist().inv_cdf((1 + LEVEL) / 2) + NormalDist().inv_cdf(POWER)
    return math.ceil((reach * error * math.sqrt(n) / difference) ** 2)


def compare_results(first: Any, second: Any) -> Comparison:
    """Two results as the command line writes them."""
    if not all(isinstance(side, dict) and isinstance(side.get("record"), dict) for side in (first, second)):
        raise ValueError("These are no results: compare two files that grade --json has written.")
    for key in ("benchmark_hash", "split"):
        if first["record"].get(key) != second["record"].get(key):
            raise ValueError("The two results are of different benchmarks, versions or splits.")
    if not first.get("items") or not second.get("items"):
        raise ValueError("Both results need their per-item numbers: grade them again with --json.")
    seed = first["record"].get("seed")
    if type(seed) is not int or seed < 0:
        raise ValueError("The first result does not say its seed: grade it again with --json.")
    clusters = numbers_of(first, "clusters") if first.get("clusters") else None
    if clusters is not None and len(clusters) != len(first["items"]):
        raise ValueError("The first result has other clusters than items: grade it again with --json.")
    return paired(numbers_of(first, "items"), numbers_of(second, "items"), seed=seed, clusters=clusters)


def numbers_of(result: dict[str, Any], name: str) -> NDArray[np.float64]:
    """A result's list of finite numbers."""
    try:
        found = np.array(result[name], np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"The {name} of a result are no numbers: grade it again with --json.") from error
    if found.ndim != 1 or not np.isfinite(found).all():
        raise ValueError(f"The {name} of a result are no finite numbers: grade it again with --json.")
    return found
