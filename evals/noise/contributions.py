"""What a person's mean rests on, score by score and output by output.

Given the fixed effects at their estimates, the mean is a linear map of the scores and of the shifts h
that luck's stand-ins add, at each point g of hyperparameters:

    mean[i] = sum_g weight_g ( sum_n A[i, n] (y[n] - x[n] beta) + sum_o B[i, o] h[o] ).
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from evals.noise.arrays import Floats, Ints, Label
from evals.noise.fitted import Fitted
from evals.noise.gaussian import Gaussian


@dataclass(frozen=True)
class OutputContribution:
    """What one output adds to a person's mean, and how much of it is specific to this piece."""

    output: Label
    total: float
    from_scores: float
    specific: float


@dataclass(frozen=True)
class Contributions:
    """The pieces of one person's mean; ``rows`` are the observations' places in their table."""

    person: Label
    mean: float
    rows: Ints
    values: Floats
    outputs: tuple[OutputContribution, ...]
    rest: float = 0.0  # from rows without an output

    @property
    def total(self) -> float:
        return float(self.values.sum() + sum(output.specific for output in self.outputs))


def contributions_of_all(posterior: Fitted) -> Mapping[Label, Contributions]:
    """Every person's contributions, from one pass over the points."""
    model = posterior.model
    count = len(posterior.points)
    parts = np.array_split(np.arange(count), min(posterior.workers, count))
    with ThreadPoolExecutor(posterior.workers) as pool:
        sums = list(pool.map(lambda part: _weighted(posterior, part), parts))
    by_row, by_site = (sum(column[1:], start=column[0]) for column in zip(*sums, strict=True))
    return {
        person: _collect(posterior, at, by_row[at], by_site[at])
        for at, person in enumerate(model.labels("person"))
    }


def _weighted(posterior: Fitted, part: Ints) -> tuple[Floats, Floats]:
    """The weighted sum of these points' pieces."""
    people, rows = len(posterior.model.labels("person")), len(posterior.observations)
    by_row, by_site = np.zeros((people, rows)), np.zeros((people, 0))
    for at in part:
        point = posterior.points[at]
        rows_here, sites_here = _pieces(point.gaussian(posterior.model))
        by_row += point.weight * rows_here
        by_site = by_site + point.weight * sites_here if by_site.size else point.weight * sites_here
    return by_row, by_site


def _pieces(gaussian: Gaussian) -> tuple[Floats, Floats]:
    """(people, rows) and (people, outputs) at one point of hyperparameters."""
    design = gaussian.design
    reports = design.reports["person"] @ sparse.diags(gaussian.spread)
    inverse = _given_fixed(gaussian, np.asarray(reports.T.todense()))
    maps = (gaussian.weights @ (gaussian.spread[:, None] * inverse)).T * gaussian.row_precision
    beta = np.zeros(design.size)
    beta[design.fixed_slice] = gaussian.mean[design.fixed_slice]
    rows = maps * (gaussian.scores - gaussian.weights @ beta)
    if gaussian.sites.shift is None:
        return rows, np.zeros((rows.shape[0], 0))
    return rows, (inverse[design.slices[gaussian.sites.term]] * gaussian.sites.shift[:, None]).T


def _given_fixed(gaussian: Gaussian, right: Floats) -> Floats:
    """The inverse of the equations times ``right`` with the fixed effects held."""
    fixed = gaussian.design.fixed_slice
    count = fixed.stop - fixed.start
    units = np.zeros((gaussian.design.size, count))
    units[fixed] = np.eye(count)
    both = gaussian.factor.solve(np.hstack([units, right]))
    through, solution = both[:, :count], both[:, count:]
    return np.asarray(solution - through @ np.linalg.solve(through[fixed], solution[fixed]))


def _collect(posterior: Fitted, at: int, values: Floats, sites: Floats) -> Contributions:
    output = posterior.observations.column("output")
    touched = np.flatnonzero(values)
    pieces: tuple[OutputContribution, ...] = ()
    rest = float(values.sum())
    if output is not None:
        known = output.known
        scores = np.bincount(output.codes[known], values[known], len(output.levels))
        specific = sites if sites.size else np.zeros(len(output.levels))
        rest = float(values[~known].sum())
        pieces = tuple(
            OutputContribution(label, float(one + other), float(one), float(other))
            for label, one, other in zip(output.levels, scores, specific, strict=True)
            if one or other
        )
    return Contributions(
        person=posterior.model.labels("person")[at],
        mean=float(posterior.mixtures["person"].mean[at]),
        rows=touched,
        values=values[touched],
        outputs=pieces,
        rest=rest,
    )
