"""Proposals for the integration over hyperparameters: multivariate t, folded at zero where sds are.

A folded density sums over the signs of the coordinates that could have been negative.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from scipy import special, stats

from evals.noise.arrays import Flags, Floats

DEGREES = 8.0
REACH = 8.0  # in sds: a coordinate farther from zero than this doesn't fold
MOST_FOLDED = 8
WIDER = 1.1
ENOUGH_BY_SIZE = 4.0  # effective points for each coordinate, to tell a covariance by


@dataclass(frozen=True)
class Proposal:
    """A t distribution on the working coordinates; coordinates in ``folds`` are absolute values."""

    center: Floats
    covariance: Floats
    folds: Flags

    @cached_property
    def root(self) -> Floats:
        return np.asarray(np.linalg.cholesky(self.covariance))

    @property
    def size(self) -> int:
        return int(self.center.size)

    def points(self, count: int, *, seed: int) -> Floats:
        """Scrambled Sobol points (count, coordinates) of this distribution."""
        uniform = stats.qmc.Sobol(self.size + 1, rng=np.random.default_rng(seed)).random(count)
        uniform = np.clip(uniform, 1e-9, 1.0 - 1e-9)
        normal = special.ndtri(uniform[:, :-1])
        shrink = np.sqrt(DEGREES / stats.chi2.ppf(uniform[:, -1], DEGREES))
        free = self.center + (normal * shrink[:, None]) @ self.root.T
        return np.asarray(np.where(self.folds, np.abs(free), free))

    @cached_property
    def signs(self) -> Floats:
        """All combinations of signs of the coordinates that may have folded."""
        sd = np.sqrt(self.covariance.diagonal())
        nearness = np.where(self.folds, sd / np.maximum(self.center, 1e-300), 0.0)
        near = np.argsort(-nearness)[:MOST_FOLDED]
        flips = [at for at in near if nearness[at] > 1.0 / REACH]
        signs = np.ones((2 ** len(flips), self.size))
        signs[:, flips] = list(product((1.0, -1.0), repeat=len(flips)))
        return signs

    def log_density(self, points: Floats) -> Floats:
        """Log density of folded points (count, coordinates)."""
        spread = points[None] * self.signs[:, None] - self.center
        scaled = np.linalg.solve(self.root, spread.reshape(-1, self.size).T)
        distance = (scaled**2).sum(axis=0).reshape(self.signs.shape[0], -1)
        kernel = -0.5 * (DEGREES + self.size) * np.log1p(distance / DEGREES)
        constant = (
            special.gammaln(0.5 * (DEGREES + self.size))
            - special.gammaln(0.5 * DEGREES)
            - 0.5 * self.size * np.log(DEGREES * np.pi)
            - np.log(self.root.diagonal()).sum()
        )
        return np.asarray(special.logsumexp(kernel, axis=0) + constant)


def refit(points: Floats, weights: Floats, folds: Flags, like: Proposal) -> Proposal:
    """The t with the moments of points whose largest weights are cut (Ionides)."""
    cut = _cut(weights)
    center, covariance = _moments(points, cut)
    # Few effective points tell a covariance badly: keep a part of the one they came from.
    trust = min(1.0, _effective(cut) / (ENOUGH_BY_SIZE * center.size))
    return Proposal(center, WIDER * (trust * covariance + (1.0 - trust) * like.covariance), folds)


def fitted(points: Floats, weights: Floats, folds: Flags) -> Proposal | None:
    """The t with the moments of these points alone; None where they are too few."""
    cut = _cut(weights)
    if _effective(cut) < ENOUGH_BY_SIZE * points.shape[1]:
        return None
    center, covariance = _moments(points, cut)
    return Proposal(center, WIDER * covariance, folds)


def _cut(weights: Floats) -> Floats:
    cut = np.minimum(weights, weights.mean() * np.sqrt(weights.size))
    return np.asarray(cut / cut.sum())


def _effective(weights: Floats) -> float:
    return 1.0 / float((weights**2).sum())


def _moments(points: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Center and shape of the t with these points' mean and covariance."""
    center = weights @ points
    around = points - center
    return center, np.asarray((around.T * weights) @ around * (DEGREES - 2.0) / DEGREES)


def pareto_k(log_weights: Floats) -> float:
    """Shape of the generalised Pareto tail of importance weights (Zhang and Stephens)."""
    count = int(min(0.2 * log_weights.size, 3.0 * np.sqrt(log_weights.size)))
    weights = np.sort(np.exp(log_weights - log_weights.max()))
    tail = weights[-count:] - weights[-count - 1]
    tail = tail[tail > 0]
    size = tail.size
    if size < 5:
        return -np.inf
    grid = 30 + int(np.sqrt(size))
    middle = tail[int(0.25 * size + 0.5) - 1]
    theta = 1.0 / tail[-1] + (1.0 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))) / (3.0 * middle)
    shape = np.log1p(-theta[:, None] * tail).mean(axis=1)
    profile = size * (np.log(-theta / shape) - shape - 1.0)
    mean = float(special.softmax(profile) @ theta)
    k = float(np.log1p(-mean * tail).mean())
    return float((size * k + 5.0) / (size + 10.0))
