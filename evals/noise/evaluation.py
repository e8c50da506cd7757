"""The penalised criterion at one point of hyperparameters, whatever kind of luck the model has.

Hyperparameters stand in one vector: sds of terms, noise sds, free scales, and luck's exponential part.
The search and the integration move in coordinates where noise sds are logarithms.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evals.noise.arrays import Flags, Floats
from evals.noise.gaussian import NO_SITES, Gaussian, Hyper, Sites
from evals.noise.gradient import criterion_gradient
from evals.noise.model import Model
from evals.noise.ordinal import ScorePosterior, propagate_scores
from evals.noise.propagation import TERM, TOLERANCE_AT_MODE, LuckPosterior, LuckSites, propagate


def to_vector(model: Model, hyper: Hyper) -> Floats:
    parts = [hyper.sd, hyper.noise, hyper.scale]
    return np.concatenate([*parts, [hyper.luck]] if model.is_asymmetric else parts)


def from_vector(model: Model, vector: Floats) -> Hyper:
    like = model.start
    ends = np.cumsum([like.sd.size, like.noise.size, like.scale.size])
    luck = float(vector[-1]) if model.is_asymmetric else 0.0
    noise = np.maximum(vector[ends[0] : ends[1]], model.least_noise)
    return Hyper(vector[: ends[0]], noise, vector[ends[1] : ends[2]], luck)


def is_noise(model: Model) -> Flags:
    """Which places of the vector are noise sds, logarithms in working coordinates."""
    flags = np.zeros(len(model.priors), dtype=bool)
    first = len(model.design.terms)
    flags[first : first + len(model.design.noise_names)] = True
    return flags


def to_working(model: Model, vector: Floats) -> Floats:
    logs = is_noise(model)
    return np.where(logs, np.log(np.where(logs, vector, 1.0)), vector)


def from_working(model: Model, working: Floats) -> Floats:
    logs = is_noise(model)
    return np.where(logs, np.exp(np.where(logs, working, 0.0)), np.abs(working))


def penalty(model: Model, vector: Floats) -> float:
    """-2 log prior density."""
    return float(sum(prior.cost(float(at)) for prior, at in zip(model.priors, vector, strict=True)))


@dataclass(frozen=True)
class State:
    """One evaluated point of hyperparameters."""

    model: Model
    gaussian: Gaussian
    luck: LuckPosterior | None
    scores: ScorePosterior | None = None

    @property
    def hyper(self) -> Hyper:
        return self.gaussian.hyper

    @property
    def sites(self) -> Sites:
        return self.gaussian.sites

    @property
    def converged(self) -> bool:
        if self.scores is not None:
            return self.scores.converged
        return self.luck is None or self.luck.converged

    @cached_property
    def objective(self) -> float:
        found = self.luck or self.scores or self.gaussian
        return found.criterion + penalty(self.model, to_vector(self.model, self.hyper))

    @cached_property
    def slope(self) -> Floats:
        """Gradient of the objective by the vector of hyperparameters."""
        slope = criterion_gradient(self.gaussian)
        if self.luck is not None:
            slope[[term.name for term in self.model.design.terms].index(TERM)] += self.luck.slope_by_sd
            slope = np.append(slope, self.luck.slope_by_luck)
        vector = to_vector(self.model, self.hyper)
        ours = [prior.slope(float(at)) for prior, at in zip(self.model.priors, vector, strict=True)]
        return np.asarray(slope + ours)

    @property
    def working_slope(self) -> Floats:
        vector = to_vector(self.model, self.hyper)
        return np.asarray(self.slope * np.where(is_noise(self.model), vector, 1.0))


def evaluate(
    model: Model, vector: Floats, *, start: LuckSites | None = None, tolerance: float = TOLERANCE_AT_MODE
) -> State:
    """The state at these hyperparameters; raises ``LinAlgError`` where there is none."""
    hyper = from_vector(model, vector)
    if model.thresholds is not None:
        scores = propagate_scores(model, hyper, model.thresholds, tolerance=tolerance)
        return State(model, scores.gaussian, None, scores)
    if not model.is_asymmetric or hyper.luck <= 0:
        return State(model, Gaussian(model.design, hyper, NO_SITES, model.settings.device), None)
    luck = propagate(model, hyper, start=start, tolerance=tolerance)
    return State(model, luck.gaussian, luck)
