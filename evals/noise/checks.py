"""Checks of a fit: every score predicted from all others, and raters who don't fit.

At fixed hyperparameters, with P y = W r and P[n, n] = w[n] - w[n]^2 h[n] (h the leverage),

    y[n] | others ~ N(y[n] - (P y)[n] / P[n, n], 1 / P[n, n]),

and over points g, p(y[n] | others) = 1 / sum_g weight_g / p_g(y[n] | others).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from evals.noise.arrays import Floats, Label, tally
from evals.noise.gaussian import LOG_2PI, Gaussian

if TYPE_CHECKING:
    from evals.noise.posterior import Posterior

BOOTSTRAPS = 400
FALSE_FLAGS = 0.05


@dataclass(frozen=True)
class Comparison:
    """Difference of expected log predictive density, asymmetric minus symmetric luck."""

    difference: float
    error: float


@dataclass(frozen=True)
class Check:
    """Leave-one-out predictions of every score."""

    log_density: Floats  # of each score given all others
    mean: Floats
    sd: Floats
    level: Floats  # the predictive distribution's value at each score: uniform where the model is right
    comparison: Comparison | None

    @property
    def expected_log_density(self) -> float:
        return float(self.log_density.sum())

    def coverage(self, share: float) -> float:
        """How many scores lie in the central predictive interval of this probability."""
        return float((np.abs(self.level - 0.5) <= 0.5 * share).mean())

    @property
    def residual(self) -> Floats:
        """Residuals in units of their predictive sd."""
        return np.asarray(special.ndtri(np.clip(self.level, 1e-12, 1.0 - 1e-12)))


def left_out(gaussian: Gaussian) -> tuple[Floats, Floats]:
    """Mean and sd of each score's prediction from all others, at one point of hyperparameters."""
    w = gaussian.row_precision
    own = np.maximum(w - w**2 * gaussian.leverage, 1e-12 * w)
    return gaussian.scores - w * gaussian.residual / own, 1.0 / np.sqrt(own)


def check(posterior: "Posterior") -> Check:
    """Leave-one-out predictions in closed form, and the comparison with symmetric luck where there is one."""
    if posterior.model.thresholds is not None:
        raise ValueError("Leave-one-out checks need the numeric link: fit without the ordinal one.")
    found = _predict(posterior)
    if posterior.symmetric is None:
        return found
    difference = found.log_density - _predict(posterior.symmetric).log_density
    error = float(difference.std(ddof=1) * np.sqrt(difference.size))
    comparison = Comparison(float(difference.sum()), error)
    return Check(found.log_density, found.mean, found.sd, found.level, comparison)


def _predict(posterior: "Posterior") -> Check:
    weights = np.array([point.weight for point in posterior.points])
    parts = [left_out(point.gaussian(posterior.model)) for point in posterior.points]
    means, sds = (np.stack(part) for part in zip(*parts, strict=True))
    y = posterior.model.design.y
    z = (y - means) / sds
    log_each = -0.5 * z**2 - np.log(sds) - 0.5 * LOG_2PI
    against = np.log(weights)[:, None] - log_each
    log_density = -special.logsumexp(against, axis=0)
    own = special.softmax(against, axis=0)
    mean = (own * means).sum(axis=0)
    sd = np.sqrt((own * (sds**2 + (means - mean) ** 2)).sum(axis=0))
    return Check(np.asarray(log_density), mean, sd, (own * special.ndtr(z)).sum(axis=0), None)


@dataclass(frozen=True)
class RaterFit:
    """A rater's mean squares of residuals, and the limits that chance alone would keep them in."""

    rater: Label
    infit: float
    infit_limits: tuple[float, float]
    outfit: float
    outfit_limits: tuple[float, float]
    scores: int

    @property
    def is_flagged(self) -> bool:
        """Whether the infit lies outside its limits: noisier, or more alike, than the other raters."""
        return not self.infit_limits[0] <= self.infit <= self.infit_limits[1]


def rater_fit(
    posterior: "Posterior", *, seed: int = 0, false_flags: float = FALSE_FLAGS
) -> tuple[RaterFit, ...]:
    """Infit and outfit of every rater, with limits by parametric bootstrap at the heaviest point."""
    rater = posterior.observations.column("rater")
    if rater is None:
        raise ValueError("There is no rater to check: give the observations a rater column.")
    heaviest = max(posterior.points, key=lambda point: point.weight)
    gaussian = heaviest.gaussian(posterior.model)
    rows = np.flatnonzero(rater.known)
    code, size = rater.codes[rows], len(rater.levels)
    w = gaussian.row_precision
    expected = np.maximum(1.0 / w - gaussian.leverage, 1e-12 / w)[rows]
    count = tally(code, np.ones(rows.size), size)

    def squares(residual: Floats) -> tuple[Floats, Floats]:
        square = residual[rows] ** 2
        infit = tally(code, square, size) / tally(code, expected, size)
        return infit, tally(code, square / expected, size) / count

    chance = _bootstrap_residuals(gaussian, np.random.default_rng(seed))
    alike = [np.stack(column) for column in zip(*(squares(residual) for residual in chance.T), strict=True)]
    limits = [np.quantile(column, [false_flags / 2, 1 - false_flags / 2], axis=0) for column in alike]
    infit, outfit = squares(gaussian.residual)
    return tuple(
        RaterFit(
            rater=level,
            infit=float(infit[at]),
            infit_limits=(float(limits[0][0, at]), float(limits[0][1, at])),
            outfit=float(outfit[at]),
            outfit_limits=(float(limits[1][0, at]), float(limits[1][1, at])),
            scores=int(count[at]),
        )
        for at, level in enumerate(rater.levels)
    )


def _bootstrap_residuals(gaussian: Gaussian, rng: np.random.Generator) -> Floats:
    """Residuals (rows, bootstraps) of scores drawn from the model and fitted at the same point."""
    size = gaussian.design.size
    inner = gaussian.spread[:, None] * rng.standard_normal((size, BOOTSTRAPS))
    inner[gaussian.design.fixed_slice] = 0.0
    if gaussian.sites.precision is not None:
        where = gaussian.design.slices[gaussian.sites.term]
        at = list(gaussian.design.slices).index(gaussian.sites.term)
        inner[where] *= np.hypot(gaussian.hyper.sd[at], gaussian.hyper.luck)
    noise = rng.standard_normal((gaussian.scores.size, BOOTSTRAPS)) / np.sqrt(gaussian.row_precision)[:, None]
    scores = gaussian.weights @ inner + noise
    back = gaussian.spread[:, None] * gaussian.factor.solve(gaussian.project(scores))
    return np.asarray(scores - gaussian.weights @ back)
