"""What a fit knows: points of hyperparameters, tables of levels, joint draws."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from evals.noise.arrays import Floats, Ints
from evals.noise.gaussian import Gaussian, Hyper, Sites
from evals.noise.labels import Column
from evals.noise.memory import BYTES_PER_DRAW, require
from evals.noise.mixture import Mixture
from evals.noise.model import Model
from evals.noise.observations import Observations
from evals.noise.tables import QUANTILES, Interval, SummaryTable

DRAWS = 4000
MOST_POINTS = 128  # of hyperparameters that draws come from


@dataclass(frozen=True)
class Point:
    """One point of hyperparameters with its share of the posterior."""

    weight: float
    hyper: Hyper
    sites: Sites

    def gaussian(self, model: Model) -> Gaussian:
        return Gaussian(model.design, self.hyper, self.sites, model.settings.device)


@dataclass(frozen=True)
class Engine:
    """How the numbers came about."""

    effective_points: float
    evaluations: int
    seconds: float
    converged: bool = True
    pareto_k: float | None = None


@dataclass(frozen=True)
class Fitted:
    """What a fit knows; frozen. Estimates are deviations from the grand mean."""

    model: Model
    points: tuple[Point, ...]
    mixtures: Mapping[str, Mixture]  # by report; "fixed" for the fixed effects
    hyper: Mixture  # of the hyperparameters, by their names in ``model.names``
    criterion: float
    engine: Engine
    notes: tuple[str, ...] = ()
    symmetric: "Fitted | None" = field(default=None, repr=False)
    workers: int = 1  # threads of what needs every point again

    @property
    def observations(self) -> Observations:
        return self.model.observations

    @cached_property
    def persons(self) -> SummaryTable:
        """Everybody's level, a deviation with prior mean 0."""
        return self._table("person", *evidence_by_person(self.observations))

    @cached_property
    def raters(self) -> SummaryTable:
        """Everybody's leniency: positive is more generous."""
        return self._by_column("rater", "rater")

    @cached_property
    def outputs(self) -> SummaryTable:
        """Quality of every output, and the luck attributed to it."""
        return self._by_column("output", "output")

    @cached_property
    def sds(self) -> dict[str, Interval]:
        """Every sd of the model by name, luck's exponential part among them."""
        return {name: at for name, at in self._hyper.items() if not name.startswith("scale[")}

    @cached_property
    def scales(self) -> dict[str, Interval]:
        """How far each benchmark follows what raters value; 0 is not at all."""
        return {name[6:-1]: at for name, at in self._hyper.items() if name.startswith("scale[")}

    @cached_property
    def _hyper(self) -> dict[str, Interval]:
        return _intervals(self.model.names, self.hyper)

    @cached_property
    def fixed(self) -> dict[str, Interval]:
        """Grand means of the instruments, and slopes of covariates."""
        return _intervals(self.model.design.fixed_names, self.mixtures["fixed"])

    def draws(self, count: int = DRAWS, *, seed: int = 0, report: str = "person") -> Floats:
        """Joint draws (count, levels) of persons, raters, outputs or luck; the last ones asked for are kept."""
        asked = (report, count, seed)
        if asked not in self._drawn:
            self._drawn.clear()
            self._drawn[asked] = joint_draws(self, report, count=count, seed=seed)
        return self._drawn[asked]

    @cached_property
    def _drawn(self) -> dict[tuple[str, int, int], Floats]:
        return {}

    def _by_column(self, report: str, name: str) -> SummaryTable:
        column = self.observations.column(name)
        if column is None or report not in self.mixtures:
            column = Column(np.full(len(self.observations), -1, dtype=np.intp), ())
        return self._table(report, *evidence_by_level(self.observations, column))

    def _table(self, report: str, observations: Ints, raters: Ints, outputs: Ints) -> SummaryTable:
        empty = Mixture(np.ones(1), np.zeros((1, 0)), np.zeros((1, 0)))
        mixture = self.mixtures.get(report, empty)
        luck = self.mixtures.get("luck") if report == "output" else None
        return SummaryTable(
            id=self.model.labels(report) if report in self.mixtures else (),
            mean=mixture.mean,
            sd=mixture.sd,
            **{name: mixture.quantile(level) for name, level in QUANTILES.items()},
            observations=observations,
            raters=raters,
            outputs=outputs,
            luck=luck.mean if luck else None,
            luck_sd=luck.sd if luck else None,
            noise_factor=self.model.rater_noise if report == "rater" else None,
        )


def joint_draws(fitted: Fitted, report: str, *, count: int, seed: int) -> Floats:
    """Draws (count, levels), each point of hyperparameters in proportion to its weight."""
    size = fitted.model.design.reports[report].shape[0]
    what = f"Holding {count:,} draws of {size:,} levels"
    require(BYTES_PER_DRAW * count * size, fitted.model.settings.memory, what)
    rng = np.random.default_rng(seed)
    drawn = []
    skews = fitted.mixtures[report].bounded_skews
    for at, here in enumerate(_allot([point.weight for point in fitted.points], count, rng)):
        if here:
            gaussian = fitted.points[at].gaussian(fitted.model)
            draws = gaussian.draw(report, int(here), rng)
            drawn.append(draws if skews is None else _skewed(draws, fitted, report, at))
    return rng.permutation(np.concatenate(drawn))


def _skewed(draws: Floats, fitted: Fitted, report: str, at: int) -> Floats:
    """Each margin bent by its third cumulant (Cornish and Fisher), its mean and order kept."""
    mixture = fitted.mixtures[report]
    mean, sd, skew = mixture.means[at], mixture.sds[at], mixture.bounded_skews
    assert skew is not None
    z = np.clip((draws - mean) / np.maximum(sd, np.finfo(float).tiny), -4.0, 4.0)
    return np.asarray(draws + sd * skew[at] * (z**2 - 1.0) / 6.0)


def _allot(weights: list[float], count: int, rng: np.random.Generator) -> Ints:
    """How many draws each point gets: systematic sampling of a few points by weight, draws in equal parts."""
    edges = np.cumsum(weights) / np.sum(weights)
    picks = min(count, MOST_POINTS)
    ticks = (np.arange(picks) + rng.random()) / picks
    picked = np.minimum(np.searchsorted(edges, ticks), edges.size - 1)
    parts = np.full(picks, count // picks) + (np.arange(picks) < count % picks)
    return np.asarray(np.bincount(picked, parts, edges.size), dtype=np.intp)


def _intervals(names: Iterable[str], mixture: Mixture) -> dict[str, Interval]:
    low, high = mixture.quantile(0.05), mixture.quantile(0.95)
    columns = zip(names, mixture.mean, mixture.sd, low, high, strict=True)
    return {name: Interval(*map(float, values)) for name, *values in columns}


def evidence_by_person(observations: Observations) -> tuple[Ints, Ints, Ints]:
    """How many observations, raters and outputs stand behind each person."""
    entries = observations.credit.tocoo()
    counted = entries.data > 0
    return _evidence(observations, entries.row[counted], entries.col[counted], len(observations.people))


def evidence_by_level(observations: Observations, column: Column) -> tuple[Ints, Ints, Ints]:
    """The same for each level of a column."""
    rows = np.flatnonzero(column.known)
    return _evidence(observations, rows, column.codes[rows], len(column.levels))


def _evidence(observations: Observations, row: Ints, level: Ints, size: int) -> tuple[Ints, Ints, Ints]:
    counts = [np.bincount(level, minlength=size)]
    for name in ("rater", "output"):
        column = observations.column(name)
        if column is None:
            counts.append(np.zeros(size, dtype=np.intp))
            continue
        known = column.codes[row] >= 0
        pairs = np.unique(level[known] * len(column.levels) + column.codes[row][known])
        counts.append(np.bincount(pairs // max(len(column.levels), 1), minlength=size))
    return counts[0], counts[1], counts[2]
