"""Ordered categories by a cumulative probit: expectation propagation with one site per score.

    P(category c | level x) = Phi(t[c + 1] - x) - Phi(t[c] - x),

thresholds t per instrument, in units of the noise, which is 1; there is no grand mean. Thresholds have a
normal(0, 3) prior on their ordered values and stand at their mode.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import optimize, special

from evals.noise.arrays import Floats, Ints, tally
from evals.noise.gaussian import LOG_2PI, Gaussian, Hyper, Sites
from evals.noise.gradient import criterion_gradient
from evals.noise.model import Model

REFERENCE = 3.0
MOST_SWEEPS = 200
MOST_STEPS = 200
LEAST_PRECISION = 1e-8


@dataclass(frozen=True)
class Categories:
    """Which category each row is in, and which thresholds bound it."""

    low: Ints  # place of the lower threshold of each row; -1 where there is none
    high: Ints
    values: tuple[tuple[float, ...], ...]  # the categories of each instrument

    @classmethod
    def of(cls, model: Model) -> "Categories":
        seen = model.observations
        score, code = seen.score, seen.instrument.codes
        low, high = np.full(score.size, -1), np.full(score.size, -1)
        values, start = [], 0
        for at, level in enumerate(seen.instrument.levels):
            mine = code == at
            used, place = np.unique(score[mine], return_inverse=True)
            if used.size < 2:
                raise ValueError(f"All scores of {level!r} are equal: leave this instrument out.")
            low[mine] = np.where(place > 0, start + place - 1, -1)
            high[mine] = np.where(place < used.size - 1, start + place, -1)
            values.append(tuple(used.tolist()))
            start += used.size - 1
        return cls(low, high, tuple(values))

    @property
    def sizes(self) -> list[int]:
        return [len(values) - 1 for values in self.values]

    def bounds(self, thresholds: Floats) -> tuple[Floats, Floats]:
        low = np.where(self.low >= 0, thresholds[self.low], -np.inf)
        return low, np.where(self.high >= 0, thresholds[self.high], np.inf)

    def start(self) -> Floats:
        """Thresholds by the shares of categories."""
        size = sum(self.sizes)
        below = tally(self.high[self.high >= 0], np.ones(int((self.high >= 0).sum())), size)
        parts, first = [], 0
        for values in self.values:
            top = float((self.low == first + len(values) - 2).sum())
            counts = below[first : first + len(values) - 1]
            shares = np.cumsum(counts) / (counts.sum() + top)
            parts.append(special.ndtri(np.clip(shares, 0.01, 0.99)) * 1.3)
            first += len(values) - 1
        return np.concatenate(parts)


@dataclass(frozen=True)
class ScorePosterior:
    """Converged sites of all scores."""

    gaussian: Gaussian
    precision: Floats
    shift: Floats
    cavity_mean: Floats
    cavity_variance: Floats
    log_mass: Floats
    slope_low: Floats  # of the log mass by each row's lower bound
    slope_high: Floats
    converged: bool

    @cached_property
    def criterion(self) -> float:
        """-2 times the log evidence."""
        w, b = self.precision, self.shift
        mean, variance = self.cavity_mean, self.cavity_variance
        unnormalised = self.gaussian.criterion - w.size * LOG_2PI + float((np.log(w) - b**2 / w).sum())
        shrunk = 1.0 + w * variance
        against = (2.0 * mean * b + b**2 * variance - w * mean**2) / shrunk - np.log(shrunk)
        return unnormalised - float((2.0 * self.log_mass - against).sum())

    def threshold_slope(self, categories: Categories, size: int) -> Floats:
        low, high = categories.low >= 0, categories.high >= 0
        total = tally(categories.low[low], self.slope_low[low], size)
        return -2.0 * (total + tally(categories.high[high], self.slope_high[high], size))


def propagate_scores(
    model: Model, hyper: Hyper, thresholds: Floats, *, tolerance: float = 1e-6
) -> ScorePosterior:
    """Sweep over all scores at once until means and variances of their levels stand still."""
    low, high = Categories.of(model).bounds(thresholds)
    middle = np.clip(
        np.where(np.isinf(low), high - 1.0, np.where(np.isinf(high), low + 1.0, 0.5 * (low + high))), -8, 8
    )
    precision = np.full(low.size, 0.5)
    shift = precision * middle
    before, converged = np.full(low.size, np.inf), False
    step, last = 1.0, np.inf
    for _ in range(MOST_SWEEPS):
        gaussian = _at(model, hyper, precision, shift)
        mean, variance = gaussian.weights @ gaussian.mean, gaussian.leverage
        moved = float((np.abs(mean - before) / np.sqrt(variance)).max())
        cavity = np.maximum(1.0 / variance - precision, 1e-8 / variance)
        v = 1.0 / cavity
        m = v * (mean / variance - shift)
        tilted = _interval(m, v, low, high)
        if moved < tolerance:
            converged = True
            break
        gain = np.maximum(1.0 / tilted.variance - cavity, LEAST_PRECISION)
        wanted = tilted.mean * (cavity + gain) - m * cavity
        # Steps that make the change grow are too long.
        step, last = (max(0.5 * step, 0.05) if moved > 1.2 * last else step), moved
        precision = precision + step * (gain - precision)
        shift = shift + step * (wanted - shift)
        before = mean
    return ScorePosterior(
        gaussian, precision, shift, m, v, tilted.log_mass, tilted.slope_low, tilted.slope_high, converged
    )


def _at(model: Model, hyper: Hyper, precision: Floats, shift: Floats) -> Gaussian:
    sites = Sites(row_score=shift / precision, row_precision=precision)
    return Gaussian(model.design, hyper, sites, model.settings.device)


@dataclass(frozen=True)
class _Interval:
    log_mass: Floats
    mean: Floats
    variance: Floats
    slope_low: Floats
    slope_high: Floats


def _interval(mean: Floats, variance: Floats, low: Floats, high: Floats) -> _Interval:
    """Moments of N(mean, variance) times the probability of a category."""
    scale = np.sqrt(1.0 + variance)
    a, c = (low - mean) / scale, (high - mean) / scale
    # In the upper tail both distribution values are near 1: use the mirrored ones.
    mirrored = a + c > 0
    one, other = np.where(mirrored, -c, a), np.where(mirrored, -a, c)
    log_upper, log_lower = special.log_ndtr(other), special.log_ndtr(one)
    log_mass = log_upper + np.log1p(-np.exp(np.minimum(log_lower - log_upper, -1e-16)))
    at_low, at_high = (np.exp(-0.5 * np.minimum(at**2, 1e4) - 0.5 * LOG_2PI - log_mass) for at in (a, c))
    at_low, at_high = np.where(np.isinf(a), 0.0, at_low), np.where(np.isinf(c), 0.0, at_high)
    first = at_low - at_high
    finite_a, finite_c = np.where(np.isinf(a), 0.0, a), np.where(np.isinf(c), 0.0, c)
    bend = first**2 + finite_c * at_high - finite_a * at_low
    return _Interval(
        log_mass=log_mass,
        mean=mean + variance / scale * first,
        variance=variance - variance**2 / scale**2 * bend,
        slope_low=-at_low / scale,
        slope_high=at_high / scale,
    )


def with_thresholds(model: Model) -> Model:
    """The model with thresholds at their joint mode with the sds."""
    categories = Categories.of(model)
    start, terms = categories.start(), len(model.design.terms)
    floor = 1e-3

    def unpack(vector: Floats) -> tuple[Hyper, Floats]:
        return Hyper(vector[:terms], np.zeros(0), np.zeros(0)), _ordered(vector[terms:], categories.sizes)

    def objective(vector: Floats) -> tuple[float, Floats]:
        hyper, thresholds = unpack(vector)
        found = propagate_scores(model, hyper, thresholds)
        value = found.criterion + sum(
            prior.cost(float(at)) for prior, at in zip(model.priors, hyper.sd, strict=True)
        )
        slope = criterion_gradient(found.gaussian) + [
            prior.slope(float(at)) for prior, at in zip(model.priors, hyper.sd, strict=True)
        ]
        by_threshold = found.threshold_slope(categories, thresholds.size)
        if model.settings.prior != "flat":
            value += float((thresholds / REFERENCE) @ (thresholds / REFERENCE))
            by_threshold = by_threshold + 2.0 * thresholds / REFERENCE**2
        return value, np.concatenate([slope, _to_gaps(by_threshold, vector[terms:], categories.sizes)])

    begin = np.concatenate([np.full(terms, 0.5), _gaps(start, categories.sizes)])
    bounds = [(floor, None)] * terms + [(None, None)] * start.size
    found = optimize.minimize(
        objective,
        begin,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": MOST_STEPS, "gtol": 1e-4},
    )
    hyper, thresholds = unpack(found.x)
    return replace(model, thresholds=thresholds, best_sds=hyper.sd)


def _gaps(thresholds: Floats, sizes: list[int]) -> Floats:
    """First threshold and logs of the steps to the next, instrument by instrument."""
    parts = np.split(thresholds, np.cumsum(sizes)[:-1])
    return np.concatenate([np.append(part[:1], np.log(np.maximum(np.diff(part), 1e-3))) for part in parts])


def _ordered(gaps: Floats, sizes: list[int]) -> Floats:
    parts = np.split(gaps, np.cumsum(sizes)[:-1])
    return np.concatenate([np.cumsum(np.append(part[:1], np.exp(part[1:]))) for part in parts])


def _to_gaps(slope: Floats, gaps: Floats, sizes: list[int]) -> Floats:
    """The gradient by thresholds turned into one by first threshold and log steps."""
    ends = np.cumsum(sizes)[:-1]
    found = []
    for part, gap in zip(np.split(slope, ends), np.split(gaps, ends), strict=True):
        later = np.cumsum(part[::-1])[::-1]
        found.append(np.append(later[:1], later[1:] * np.exp(gap[1:])))
    return np.concatenate(found)
