"""Which sources of variation a design can tell apart.

The variances a, b, ... of a model have expected information

    I[a, b] = tr(P V_a P V_b) / 2,

taken at reference shares of the variance. A term of the person's side joins the default set only where
the standard error of its variance, sqrt(inverse(I)[T, T]), is less than half of that variance. Traces are
estimated with the same random signs for every row, whatever the order the rows come in.
"""

from dataclasses import dataclass

import numpy as np

from evals.noise.arrays import Floats
from evals.noise.gaussian import Gaussian, Hyper
from evals.noise.model import Model

MOST_ERROR = 0.5  # of the variance
PROBES = 128
SHARES = {
    "person": 0.30,
    "aspect": 0.05,
    "growth": 0.05,
    "form": 0.10,
    "project": 0.10,
    "output": 0.12,
    "affinity": 0.20,
    "rater": 0.08,
    "habit": 0.03,
    "halo": 0.05,
    "panel": 0.05,
}
NOISE_SHARE = 0.20


@dataclass(frozen=True)
class Identification:
    """Standard error of each variance as a part of that variance, by name."""

    error: dict[str, float]

    def is_known(self, name: str) -> bool:
        return self.error.get(name, np.inf) < MOST_ERROR


def identification(model: Model) -> Identification:
    """How well the design would know each variance at reference shares."""
    design = model.design
    sd = np.array([np.sqrt(SHARES.get(term.kind, 0.05)) * model.reference for term in design.terms])
    noise = np.full(len(design.noise_names), np.sqrt(NOISE_SHARE) * model.reference)
    gaussian = Gaussian(design, Hyper(sd, noise, np.ones(len(design.scale_names))))
    information = _information(gaussian)
    names = [*(term.name for term in design.terms), *design.noise_names]
    size = np.sqrt(information.diagonal())
    alike = information / np.outer(size, size)
    value, vector = np.linalg.eigh(alike)
    inverse = (vector / np.maximum(value, 1e-9)) @ vector.T
    variance = np.concatenate([sd, noise]) ** 2
    error = np.sqrt(inverse.diagonal()) / size / variance
    return Identification(dict(zip(names, error.tolist(), strict=True)))


def _information(gaussian: Gaussian) -> Floats:
    """Half of tr(P V_a P V_b) by random signs z: the mean of (V_a P z)' (P V_b z)."""
    design = gaussian.design
    signs = _signs(gaussian)
    outer = _projected(gaussian, signs)
    left = [_by_term(gaussian, at, outer) for at in range(len(design.terms))]
    right = [_projected(gaussian, _by_term(gaussian, at, signs)) for at in range(len(design.terms))]
    for at in range(len(design.noise_names)):
        mine = (design.noise_of_row == at)[:, None]
        left.append(np.where(mine, outer, 0.0))
        right.append(_projected(gaussian, np.where(mine, signs, 0.0)))
    crossed = np.array([[float((one * other).sum()) for other in right] for one in left]) / signs.shape[1]
    return np.asarray(0.25 * (crossed + crossed.T))


def _signs(gaussian: Gaussian) -> Floats:
    """Random signs by the place of a row among all rows sorted by their labels."""
    weights, size = gaussian.design.weights, gaussian.design.size
    mark = np.random.default_rng(5).standard_normal(size)
    order = np.argsort(weights @ mark, kind="stable")
    signs = np.random.default_rng(6).integers(0, 2, (order.size, PROBES)) * 2.0 - 1.0
    placed = np.empty_like(signs)
    placed[order] = signs
    return placed


def _by_term(gaussian: Gaussian, at: int, rows: Floats) -> Floats:
    where = gaussian.design.slices[gaussian.design.terms[at].name]
    part = gaussian.weights[:, where]
    return np.asarray(part @ (part.T @ rows))


def _projected(gaussian: Gaussian, rows: Floats) -> Floats:
    """P times the rows."""
    back = gaussian.weights @ (gaussian.spread[:, None] * gaussian.factor.solve(gaussian.project(rows)))
    return np.asarray(gaussian.row_precision[:, None] * (rows - back))
