"""Mixtures of nearly normal distributions: moments, distribution, quantiles, draws.

A component with mean m, sd s and standardised third cumulant g has, by one Edgeworth term,

    F(x) = Phi(z) - g (z^2 - 1) phi(z) / 6,      z = (x - m) / s.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from evals.noise.arrays import Floats

BISECTIONS = 50
MOST_SKEW = 1.0  # beyond this, one term of the expansion is no longer a distribution


@dataclass(frozen=True)
class Mixture:
    """Component by component (rows) for several quantities (columns)."""

    weight: Floats  # (components,)
    means: Floats  # (components, quantities)
    sds: Floats
    skews: Floats | None = None  # standardised third cumulants

    @cached_property
    def mean(self) -> Floats:
        return np.asarray(self.weight @ self.means)

    @cached_property
    def sd(self) -> Floats:
        around = self.means - self.mean
        return np.asarray(np.sqrt(self.weight @ (self.sds**2 + around**2)))

    @cached_property
    def bounded_skews(self) -> Floats | None:
        return None if self.skews is None else np.clip(self.skews, -MOST_SKEW, MOST_SKEW)

    def cdf(self, x: Floats) -> Floats:
        """Probability of at most ``x``, one bar for each quantity."""
        z = (x - self.means) / np.maximum(self.sds, np.finfo(float).tiny)
        below = special.ndtr(z)
        if self.bounded_skews is not None:
            density = np.exp(-0.5 * np.minimum(z**2, 1400.0)) / np.sqrt(2.0 * np.pi)
            below = np.clip(below - self.bounded_skews * (z**2 - 1.0) * density / 6.0, 0.0, 1.0)
        return np.asarray(self.weight @ below)

    def quantile(self, level: float) -> Floats:
        """Where the distribution reaches this level, by bisection."""
        if self.weight.size == 1 and self.skews is None:
            return np.asarray(self.means[0] + special.ndtri(level) * self.sds[0])
        reach = abs(special.ndtri(level)) + 3.0
        low = (self.means - reach * self.sds).min(axis=0)
        high = (self.means + reach * self.sds).max(axis=0)
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            below = self.cdf(middle) < level
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.asarray(0.5 * (low + high))
