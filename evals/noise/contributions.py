"""What a person's mean rests on, score by score and output by output.

Given the fixed effects at their estimates, the mean is a linear map of the scores and of the shifts h
that luck's stand-ins add, at each point g of hyperparameters:

    mean[i] = sum_g weight_g ( sum_n A[i, n] (y[n] - x[n] beta) + sum_o B[i, o] h[o] ).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from evals.noise.arrays import Floats, Ints, Label
from evals.noise.gaussian import Gaussian

if TYPE_CHECKING:
    from evals.noise.posterior import Posterior


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


def contributions_of_all(posterior: "Posterior") -> Mapping[Label, Contributions]:
    """Every person's contributions, from one pass over the points."""
    model = posterior.model
    by_row, by_site = None, None
    for point in posterior.points:
        rows, sites = _pieces(point.gaussian(model))
        by_row = point.weight * rows + (0.0 if by_row is None else by_row)
        by_site = point.weight * sites + (0.0 if by_site is None else by_site)
    assert by_row is not None
    assert by_site is not None
    return {
        person: _collect(posterior, at, by_row[at], by_site[at])
        for at, person in enumerate(model.labels("person"))
    }


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
    units = np.zeros((gaussian.design.size, fixed.stop - fixed.start))
    units[fixed] = np.eye(fixed.stop - fixed.start)
    through = gaussian.factor.solve(units)
    solution = gaussian.factor.solve(right)
    return np.asarray(solution - through @ np.linalg.solve(through[fixed], solution[fixed]))


def _collect(posterior: "Posterior", at: int, values: Floats, sites: Floats) -> Contributions:
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
