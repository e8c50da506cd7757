"""How sure a grade is: multinomial draws over its units, by clusters where items repeat, and analytic errors.

Draws are made on the host by a seeded Philox generator, so that CPU and GPU give the same interval.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import torch
from torch import Tensor

from evals.grading.limits import RESAMPLES
from evals.grading.metrics.grade import Grade, distinct

LEVEL = 0.95
ROUNDING = 1e-9
BLOCK_WEIGHTS = 1 << 22
BLOCK_DRAWS = 1024
THREADS = min(4, os.cpu_count() or 1)
Z = NormalDist().inv_cdf(0.5 + LEVEL / 2)
Draw = Callable[[np.random.Generator, int], Tensor]


@dataclass(frozen=True)
class Interval:
    """A standard error and an interval, with the way they were found."""

    standard_error: float
    low: float
    high: float
    method: str
    clusters: int | None = None


def bootstrap(
    grade: Grade, *, seed: int, resamples: int = RESAMPLES, clusters: Tensor | None = None
) -> Interval:
    """Percentile interval of a grade; ``clusters`` (items,) are drawn whole."""
    values = draws(grade, seed=seed, resamples=resamples, clusters=clusters)
    # Units may round a value; its draws are moved by as much.
    values = values + (grade.value - grade.binned)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    what = "items" if grade.counts.numel() == grade.n else "cells"
    return Interval(
        standard_error=float(values.std(ddof=1)),
        low=float(low),
        high=float(high),
        method=f"bootstrap of {what if clusters is None else 'clusters'}, {resamples} draws",
        clusters=None if clusters is None else int(distinct(clusters)[0].numel()),
    )


def draws(
    grade: Grade, *, seed: int, resamples: int, clusters: Tensor | None = None
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """(resamples,) values of the grade under resampled weights.

    Every block has its own stream of the seed, so that the numbers do not depend on how many threads drew them.
    """
    draw = unit_weights(grade) if clusters is None else cluster_weights(grade, clusters)
    width = grade.counts.numel() if clusters is None else grade.n

    def block(number: int, size: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        generator = np.random.Generator(np.random.Philox(seed).jumped(number))
        return np.asarray(
            grade.statistic(draw(generator, size).to(grade.counts.device)).cpu().numpy(), np.float64
        )

    sizes = list(block_sizes(resamples, width))
    with ThreadPoolExecutor(THREADS) as pool:
        return np.concatenate(list(pool.map(block, range(len(sizes)), sizes)))


def unit_weights(grade: Grade) -> Draw:
    """Draws (draws, units) of multinomial counts."""
    counts = grade.counts.cpu().numpy()
    chances = counts / counts.sum()
    return lambda generator, size: torch.from_numpy(
        generator.multinomial(grade.n, chances, size=size)
    ).double()


def cluster_weights(grade: Grade, clusters: Tensor) -> Draw:
    """Draws (draws, units) of counts when whole clusters are drawn."""
    _, member = distinct(clusters.cpu())
    count, unit = int(member.max()) + 1, grade.unit.cpu()
    chances = np.full(count, 1 / count)

    def drawn(generator: np.random.Generator, size: int) -> Tensor:
        return torch.from_numpy(generator.multinomial(count, chances, size=size)).double()

    if grade.counts.numel() == grade.n:
        order = member[unit.argsort()]
        return lambda generator, size: drawn(generator, size)[:, order]
    table = torch.zeros(count, grade.counts.numel(), dtype=torch.float64)
    table.index_put_((member, unit), torch.ones(grade.n, dtype=torch.float64), accumulate=True)
    return lambda generator, size: drawn(generator, size) @ table


def block_sizes(resamples: int, width: int) -> Iterator[int]:
    """Draws per block: few enough that a block is small and that every thread has some."""
    most = max(1, min(BLOCK_DRAWS, BLOCK_WEIGHTS // max(1, width)))
    for start in range(0, resamples, most):
        yield min(most, resamples - start)


def analytic(grade: Grade, *, name: str = "", clusters: Tensor | None = None) -> Interval:
    """The textbook error beside the bootstrap: Wilson for shares, else by influence (CLT, DeLong)."""
    if clusters is not None:
        return clustered(grade, clusters)
    pull = grade.influence()
    error = float(pull.pow(2).mean().sqrt()) / math.sqrt(max(1, grade.n - 1))
    if name == "accuracy":
        return wilson(grade.value, grade.n, error)
    # The infinitesimal jackknife of the area under the curve is DeLong's variance.
    method = {"auroc": "DeLong"}.get(name, "CLT" if grade.items is not None else "delta method")
    return Interval(error, grade.value - Z * error, grade.value + Z * error, method)


def not_certain(value: float, interval: Interval, *, n: int) -> Interval:
    """The interval of a share, or Wilson's where it is 0 or 1 and no draw differs: so few items never make sure.

    The standard error is then half of Wilson's width in units of z.
    """
    edge = round(value)
    if interval.standard_error > ROUNDING or abs(value - edge) > ROUNDING:
        return interval
    found = wilson(edge, n, 0.0)
    low, high = (found.low, 1.0) if edge else (0.0, found.high)
    return Interval((high - low) / (2 * Z), low, high, "Wilson, as no draw differs", interval.clusters)


def wilson(value: float, n: int, error: float) -> Interval:
    """Wilson's interval of a share, which never leaves 0 to 1."""
    centre = (value + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z * math.sqrt(value * (1 - value) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return Interval(error, centre - half, centre + half, "Wilson")


def clustered(grade: Grade, clusters: Tensor) -> Interval:
    """The error when items of a cluster go together, with the small-sample factor C / (C - 1)."""
    _, member = distinct(clusters)
    pull = grade.influence()
    count = int(member.max()) + 1
    sums = torch.zeros(count, dtype=pull.dtype, device=pull.device).index_add_(0, member, pull)
    variance = float(sums.pow(2).sum()) / grade.n**2 * (count / max(1, count - 1))
    error = math.sqrt(variance)
    return Interval(error, grade.value - Z * error, grade.value + Z * error, "clustered CLT", count)
