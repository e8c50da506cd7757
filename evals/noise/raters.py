"""Raters who don't fit: noisier than others, using less of the scale, agreeing less.

With residual e[n] and its expected square E e[n]^2 under the model, rater by rater,

    outfit = mean of e^2 / E e^2,      infit = sum of e^2 / sum of E e^2;

use of the scale is the slope of a rater's scores on the quality that the fit sees in what they rated, both
less their means by criterion, over the slope to be expected; agreement is the correlation of a rater's mean
scores with the true quality of the outputs they rated, from joint draws. Limits are quantiles of what the
model gives for the same design when nobody differs.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from evals.noise.arrays import Floats, Ints, Label, combine_codes, tally
from evals.noise.fitted import Fitted
from evals.noise.gaussian import Gaussian
from evals.noise.labels import Column
from evals.noise.memory import require
from evals.noise.reports import QUALITY_TERMS
from evals.noise.tables import Interval
from evals.noise.terms import indicator

BOOTSTRAPS = 400
BYTES_PER_SCORE = 8 * 5 * BOOTSTRAPS
DRAWS = 1000
FALSE_FLAGS = 0.05
LEAST_OUTPUTS = 3  # that a slope or a correlation is said of
LEAST_SLOPE = 0.1  # expected: with less, the fit sees no differences that a scale could show


@dataclass(frozen=True)
class Statistic:
    """A number of one rater, and the limits that chance alone would keep it in."""

    value: float
    limits: tuple[float, float]

    @property
    def is_off(self) -> bool:
        return not self.limits[0] <= self.value <= self.limits[1]


@dataclass(frozen=True)
class RaterFit:
    """What sets a rater apart; what their scores are too few for is None."""

    rater: Label
    infit: Statistic
    outfit: Statistic
    use_of_scale: Statistic | None  # below 1: differences look smaller to them than to others
    agreement: Interval | None
    scores: int

    @property
    def is_flagged(self) -> bool:
        """Whether the infit lies outside its limits: noisier, or more alike, than the other raters."""
        return self.infit.is_off


def rater_fit(posterior: Fitted, *, seed: int = 0, false_flags: float = FALSE_FLAGS) -> tuple[RaterFit, ...]:
    """Every rater's fit, with limits by parametric bootstrap at the heaviest point of hyperparameters."""
    rater = posterior.observations.column("rater")
    if rater is None:
        raise ValueError("There is no rater to check: give the observations a rater column.")
    if posterior.model.thresholds is not None:
        raise ValueError("Checks of raters need the numeric link: fit without the ordinal one.")
    if not 0 < false_flags < 1:
        raise ValueError(f"The share of false flags is {false_flags!r}: give a number between 0 and 1.")
    heaviest = max(posterior.points, key=lambda point: point.weight)
    bench = _Bench(heaviest.gaussian(posterior.model), rater, posterior.observations.instrument)
    found, chance = bench.compare(np.random.default_rng(seed))
    edges = np.quantile(chance, [false_flags / 2, 1 - false_flags / 2], axis=-1)
    agreements = _agreements(posterior, rater, seed)
    counts = rater.counts()

    def statistic(row: int, at: int) -> Statistic:
        return Statistic(float(found[row, at]), (float(edges[0, row, at]), float(edges[1, row, at])))

    return tuple(
        RaterFit(
            rater=level,
            infit=statistic(0, at),
            outfit=statistic(1, at),
            use_of_scale=statistic(2, at) if level in agreements and np.isfinite(found[2, at]) else None,
            agreement=agreements.get(level),
            scores=int(counts[at]),
        )
        for at, level in enumerate(rater.levels)
    )


class _Bench:
    """Computes the statistics of all raters, for the scores and for many drawn in their place."""

    def __init__(self, gaussian: Gaussian, rater: Column, instrument: Column) -> None:
        self.gaussian = gaussian
        self.rows = np.flatnonzero(rater.known)
        self.by_rater = indicator(Column(rater.codes[self.rows], rater.levels)).T.tocsr()
        cell, _ = combine_codes(rater.codes[self.rows], instrument.codes[self.rows])
        to_cell = sparse.csr_matrix((np.ones(cell.size), (cell, np.arange(cell.size))))
        self.cell, self.to_cell = cell, sparse.diags(1.0 / np.bincount(cell)) @ to_cell
        w = gaussian.row_precision
        self.expected = np.maximum(1.0 / w - gaussian.leverage, 1e-12 / w)[self.rows]

    def compare(self, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Infit, outfit, use of scale (3, raters); and the same for draws (3, raters, draws)."""
        gaussian = self.gaussian
        scores = drawn_scores(gaussian, rng)
        back = gaussian.spread[:, None] * gaussian.factor.solve(gaussian.project(scores))
        chance = self.statistics(scores, back)
        found = self.statistics(gaussian.scores[:, None], gaussian.mean[:, None])[..., 0]
        expected = np.median(chance[2], axis=-1)
        expected = np.where(expected > LEAST_SLOPE, expected, np.nan)
        found[2] /= expected
        chance[2] /= expected[:, None]
        return found, chance

    def statistics(self, scores: Floats, mean: Floats) -> Floats:
        gaussian, known = self.gaussian, self.rows
        square = (scores - gaussian.weights @ mean)[known] ** 2
        count = np.asarray(self.by_rater.sum(axis=1))
        infit = (self.by_rater @ square) / (self.by_rater @ self.expected)[:, None]
        outfit = (self.by_rater @ (square / self.expected[:, None])) / count
        return np.stack([infit, outfit, self.slope(scores[known], (self.quality @ mean)[known])])

    def slope(self, scores: Floats, quality: Floats) -> Floats:
        """Of scores on quality, rater by rater, both less their means by criterion."""
        y = scores - (self.to_cell @ scores)[self.cell]
        x = quality - (self.to_cell @ quality)[self.cell]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((self.by_rater @ (x * y)) / (self.by_rater @ (x * x)))

    @property
    def quality(self) -> sparse.csr_matrix:
        """Each row's output's quality as a function of the variables."""
        design = self.gaussian.design
        kept = np.zeros(design.size)
        for term in design.terms:
            kept[design.slices[term.name]] = term.kind in QUALITY_TERMS and term.is_scaled
        return sparse.csr_matrix(design.weights @ sparse.diags(kept))


def drawn_scores(gaussian: Gaussian, rng: np.random.Generator) -> Floats:
    """Scores (rows, bootstraps) drawn from the model at this point, without fixed effects."""
    size, rows = gaussian.design.size, gaussian.scores.size
    require(BYTES_PER_SCORE * (rows + size), None, f"Drawing {rows:,} scores {BOOTSTRAPS} times")
    inner = gaussian.spread[:, None] * rng.standard_normal((size, BOOTSTRAPS))
    inner[gaussian.design.fixed_slice] = 0.0
    if gaussian.sites.precision is not None:
        where = gaussian.design.slices[gaussian.sites.term]
        at = list(gaussian.design.slices).index(gaussian.sites.term)
        inner[where] *= np.hypot(gaussian.hyper.sd[at], gaussian.hyper.luck)
    noise = rng.standard_normal((rows, BOOTSTRAPS)) / np.sqrt(gaussian.row_precision)[:, None]
    return np.asarray(gaussian.weights @ inner + noise)


def _agreements(posterior: Fitted, rater: Column, seed: int) -> dict[Label, Interval]:
    """Posterior of each rater's correlation with quality, of those who rated enough outputs."""
    seen = posterior.observations
    report, owner = ("output", seen.column("output")) if "output" in posterior.mixtures else ("person", None)
    rated = seen.owner if owner is None else owner
    if report == "person" and rated.levels != posterior.model.labels("person"):
        return {}
    quality = posterior.draws(DRAWS, seed=seed, report=report)
    away = seen.score - _mean_by(seen.instrument.codes, seen.score)
    found = {}
    for code, level in enumerate(rater.levels):
        rows = np.flatnonzero((rater.codes == code) & rated.known)
        outputs, place = np.unique(rated.codes[rows], return_inverse=True)
        if outputs.size >= LEAST_OUTPUTS:
            scores = tally(place, away[rows], outputs.size) / np.bincount(place)
            if np.ptp(scores) > 0:
                found[level] = _interval(_correlations(scores, quality[:, outputs]))
    return found


def _mean_by(code: Ints, values: Floats) -> Floats:
    return np.asarray((np.bincount(code, values) / np.bincount(code))[code])


def _correlations(scores: Floats, quality: Floats) -> Floats:
    x, y = quality - quality.mean(axis=1, keepdims=True), scores - scores.mean()
    size = np.sqrt((x * x).sum(axis=1) * (y @ y))
    return np.asarray((x @ y) / np.maximum(size, np.finfo(float).tiny))


def _interval(draws: Floats) -> Interval:
    low, high = np.quantile(draws, [0.05, 0.95])
    return Interval(float(draws.mean()), float(draws.std()), float(low), float(high))
