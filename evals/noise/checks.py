"""Checks of a fit: every score predicted from all others.

At fixed hyperparameters, with P y = W r and P[n, n] = w[n] - w[n]^2 h[n] (h the leverage),

    y[n] | others ~ N(y[n] - (P y)[n] / P[n, n], 1 / P[n, n]),

and over points g, p(y[n] | others) = 1 / sum_g weight_g / p_g(y[n] | others).
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from evals.noise.arrays import Floats
from evals.noise.fitted import Fitted
from evals.noise.gaussian import LOG_2PI, Gaussian


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


def check(posterior: Fitted) -> Check:
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


def _predict(posterior: Fitted) -> Check:
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
