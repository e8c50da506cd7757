"""Mixtures of nearly normal distributions: moments, distribution, quantiles, draws.

A component with mean m, sd s and standardised third cumulant g has, by one Edgeworth term,

    F(x) = Phi(z) - g (z^2 - 1) phi(z) / 6,      z = (x - m) / s.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from evals.noise.arrays import Floats

MOST_STEPS = 60
ENOUGH = 1e-8  # in sds
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
        return self._cdf_and_density(x)[0]

    def _cdf_and_density(self, x: Floats) -> tuple[Floats, Floats]:
        sds = np.maximum(self.sds, np.finfo(float).tiny)
        z = (x - self.means) / sds
        below, density = special.ndtr(z), np.exp(-0.5 * np.minimum(z**2, 1400.0)) / np.sqrt(2.0 * np.pi)
        slope = density
        if self.bounded_skews is not None:
            g = self.bounded_skews / 6.0
            below = np.clip(below - g * (z**2 - 1.0) * density, 0.0, 1.0)
            slope = density * (1.0 + g * z * (z**2 - 3.0))
        return np.asarray(self.weight @ below), np.asarray(self.weight @ (slope / sds))

    def quantile(self, level: float) -> Floats:
        """Where the distribution reaches this level: Newton's steps, halving the bracket where they leave it."""
        if self.weight.size == 1 and self.skews is None:
            return np.asarray(self.means[0] + special.ndtri(level) * self.sds[0])
        if not self.sds.any():
            return self._step_quantile(level)
        reach = abs(special.ndtri(level)) + 3.0
        low = (self.means - reach * self.sds).min(axis=0)
        high = (self.means + reach * self.sds).max(axis=0)
        x = np.clip(self.mean + special.ndtri(level) * self.sd, low, high)
        for _ in range(MOST_STEPS):
            value, slope = self._cdf_and_density(x)
            below = value < level
            low, high = np.where(below, x, low), np.where(below, high, x)
            newton = x - (value - level) / np.maximum(slope, np.finfo(float).tiny)
            inside = (newton > low) & (newton < high)
            after = np.where(inside, newton, 0.5 * (low + high))
            if np.all(np.abs(after - x) <= ENOUGH * self.sd):
                return np.asarray(after)
            x = after
        return np.asarray(x)

    def _step_quantile(self, level: float) -> Floats:
        """The weighted quantile of components without spread."""
        order = np.argsort(self.means, axis=0)
        reached = np.cumsum(self.weight[order], axis=0) >= level
        at = np.take_along_axis(order, reached.argmax(axis=0)[None], axis=0)
        return np.asarray(np.take_along_axis(self.means, at, axis=0)[0])
