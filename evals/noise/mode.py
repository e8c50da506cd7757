"""The most likely hyperparameters: Newton's method with average information, projected at zero.

The search runs on sds and scales themselves and on log noise; an sd that wants to be negative rests at
a small floor while the others move, and is set to zero at the end where that is better.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evals.noise.arrays import Flags, Floats
from evals.noise.gaussian import Gaussian, Hyper
from evals.noise.gradient import average_information, criterion_gradient, from_vector, to_vector
from evals.noise.model import Model

FLOOR = 1e-4  # of the reference sd
ENOUGH = 1e-9  # expected decrease of the criterion at which the search stops
MOST_STEPS = 60
MOST_HALVINGS = 30


@dataclass(frozen=True)
class Mode:
    """Where the search ended, and whether it converged."""

    gaussian: Gaussian
    objective: float
    curvature: Floats
    evaluations: int
    converged: bool

    @property
    def hyper(self) -> Hyper:
        return self.gaussian.hyper


def penalty(model: Model, vector: Floats) -> float:
    return float(sum(prior.cost(float(at)) for prior, at in zip(model.priors, vector, strict=False)))


@dataclass(frozen=True)
class Place:
    """One step of the search: the objective, its slope and curvature by (sds, log noise, scales)."""

    gaussian: Gaussian
    objective: float

    def slope_and_curvature(self, model: Model) -> tuple[Floats, Floats]:
        hyper = self.gaussian.hyper
        vector = to_vector(hyper)
        slope = criterion_gradient(self.gaussian)
        curvature = average_information(self.gaussian)
        bend = np.zeros(vector.size)
        terms = hyper.sd.size
        bend[:terms] = slope[:terms] / np.maximum(hyper.sd, np.finfo(float).tiny)
        for at, (prior, value) in enumerate(zip(model.priors, vector, strict=False)):
            slope[at] += prior.slope(float(value))
            bend[at] += prior.curvature(float(value))
        noise = slice(terms, terms + hyper.noise.size)
        to_log = np.ones(vector.size)
        to_log[noise] = hyper.noise
        slope = slope * to_log
        bend = bend * to_log**2
        bend[noise] += slope[noise]
        curvature = curvature * np.outer(to_log, to_log)
        return slope, _positive(curvature, bend)


def _positive(curvature: Floats, bend: Floats) -> Floats:
    """Curvature with the bend of the coordinates added, as far as it stays positive definite."""
    full = curvature + np.diag(bend)
    size = np.sqrt(np.maximum(full.diagonal(), np.finfo(float).tiny))
    if np.all(full.diagonal() > 0) and np.linalg.eigvalsh(full / np.outer(size, size))[0] > 1e-3:
        return full
    safe = curvature + np.diag(np.maximum(bend, 0.0))
    return np.asarray(
        safe + np.diag(1e-6 * np.maximum(safe.diagonal(), 1e-6 * safe.diagonal().max() + 1e-12))
    )


def find_mode(model: Model, start: Hyper | None = None) -> Mode:
    """Minimise the penalised criterion of the Gaussian model."""
    search = _Search(model)
    return search.run(start or model.start)


class _Search:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.like = model.start
        self.floor = FLOOR * model.reference
        self.evaluations = 0

    def evaluate(self, hyper: Hyper) -> Place:
        self.evaluations += 1
        gaussian = Gaussian(self.model.design, hyper, device=self.model.settings.device)
        try:
            objective = gaussian.criterion + penalty(self.model, to_vector(hyper))
        except np.linalg.LinAlgError:
            objective = np.inf
        return Place(gaussian, objective if np.isfinite(objective) else np.inf)

    def run(self, start: Hyper) -> Mode:
        place, converged = self.evaluate(start), False
        curvature = np.eye(to_vector(start).size)
        for _ in range(MOST_STEPS):
            slope, curvature = place.slope_and_curvature(self.model)
            free = self.free(place.gaussian.hyper, slope)
            step = np.zeros(slope.size)
            step[free] = -np.linalg.solve(curvature[np.ix_(free, free)], slope[free])
            promised = float(-slope @ step)
            if promised < ENOUGH:
                converged = True
                break
            better = self.along(place, step, promised)
            if better is None:
                converged = promised < 1e-6
                break
            place = better
        place = self.try_zeros(place)
        return Mode(place.gaussian, place.objective, curvature, self.evaluations, converged)

    def free(self, hyper: Hyper, slope: Floats) -> Flags:
        """All but the sds and scales that rest at the floor and would go lower."""
        vector = to_vector(hyper)
        rests = (vector <= self.floor) & (slope > 0)
        rests[hyper.sd.size : hyper.sd.size + hyper.noise.size] = False
        return ~rests

    def along(self, place: Place, step: Floats, promised: float) -> Place | None:
        """The first of ever shorter steps that keeps a part of what was promised."""
        length = 1.0
        for _ in range(MOST_HALVINGS):
            there = self.evaluate(self.moved(place.gaussian.hyper, length * step))
            if there.objective <= place.objective - 1e-4 * length * promised:
                return there
            length /= 2.0
        return None

    def moved(self, hyper: Hyper, step: Floats) -> Hyper:
        vector = to_vector(hyper)
        noise = slice(hyper.sd.size, hyper.sd.size + hyper.noise.size)
        new = np.clip(
            vector + step, np.maximum(self.floor, 0.05 * vector), 10.0 * vector + self.model.reference
        )
        new[noise] = vector[noise] * np.exp(np.clip(step[noise], -1.5, 1.5))
        return from_vector(new, self.like)

    def try_zeros(self, place: Place) -> Place:
        """Set to zero what rests at the floor, where that is no worse."""
        vector = to_vector(place.gaussian.hyper)
        noise = slice(self.like.sd.size, self.like.sd.size + self.like.noise.size)
        low = vector <= 1.01 * self.floor
        low[noise] = False
        if not low.any():
            return place
        there = self.evaluate(from_vector(np.where(low, 0.0, vector), self.like))
        return there if there.objective <= place.objective + 1e-9 else place


Objective = Callable[[Floats], float]
