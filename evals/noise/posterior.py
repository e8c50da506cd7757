"""The result of a fit: what is known of every person, rater and output, and functions of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from evals.noise import ranking
from evals.noise.arrays import Floats, Ints, Label
from evals.noise.asking import Ask, Bar, Top, next_ratings
from evals.noise.checks import FALSE_FLAGS, Check, RaterFit, check, rater_fit
from evals.noise.contributions import Contributions, contributions_of_all
from evals.noise.forecast import Calibration, Forecast, forecast, forecast_calibration
from evals.noise.gaussian import Gaussian, Hyper, Sites
from evals.noise.labels import Column
from evals.noise.mixture import Mixture
from evals.noise.model import Model
from evals.noise.observations import Observations
from evals.noise.reliability import Plan, Reliability, reliability
from evals.noise.tables import QUANTILES, Interval, SummaryTable

DRAWS = 4000


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
class Posterior:
    """Everything that a fit says; frozen. Estimates are deviations from the grand mean."""

    model: Model
    points: tuple[Point, ...]
    mixtures: Mapping[str, Mixture]  # by report; "fixed" for the fixed effects
    hyper: Mixture  # of the hyperparameters, by their names in ``model.names``
    criterion: float
    engine: Engine
    notes: tuple[str, ...] = ()
    symmetric: "Posterior | None" = field(default=None, repr=False)

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
            self._drawn[asked] = ranking.joint_draws(self, report, count=count, seed=seed)
        return self._drawn[asked]

    @cached_property
    def _drawn(self) -> dict[tuple[str, int, int], Floats]:
        return {}

    def probability_above(self, bar: float, *, report: str = "person") -> ranking.Chances:
        """Each person's probability of a level above ``bar``."""
        return ranking.probability_above(self, bar, report=report)

    def rank_probabilities(self, k: int, *, seed: int = 0) -> ranking.Chances:
        """Each person's probability of being among the best ``k``."""
        return ranking.rank_probabilities(self, k, seed=seed)

    def expected_ranks(self, *, seed: int = 0) -> ranking.Chances:
        """Each person's expected rank, 1 the best."""
        return ranking.expected_ranks(self, seed=seed)

    def pairwise(self, one: Label, other: Label, *, seed: int = 0) -> ranking.Chance:
        """The probability that the one is above the other."""
        return ranking.pairwise(self, one, other, seed=seed)

    def tiers(self, level: float, *, seed: int = 0) -> tuple[tuple[Label, ...], ...]:
        """Blocks of people, best first, whose inner order is not known at this level."""
        return ranking.tiers(self, level, seed=seed)

    def lottery_band(self, k: int, *, level: float = 0.75, seed: int = 0) -> ranking.LotteryBand:
        """Who is in, who is out, and among whom to draw for ``k`` places."""
        return ranking.lottery_band(self, k, level=level, seed=seed)

    def reliability(
        self,
        n_raters: int,
        n_outputs: int,
        n_per_rater: int = 1,
        *,
        target: float = 0.8,
        nested: bool = False,
    ) -> Reliability:
        """Generalizability of a design, and the smallest design that reaches the target."""
        return reliability(self, Plan(n_raters, n_outputs, n_per_rater), target=target, nested=nested)

    def next_ratings(
        self, decision: Bar | Top, *, pairs: Iterable[tuple[Label, Label]] | None = None, n: int = 1
    ) -> tuple[Ask, ...]:
        """Which pairs (output, rater) to ask for, by the decision's expected gain."""
        return next_ratings(self, decision, pairs=pairs, n=n)

    def forecast(self, at: float) -> Forecast:
        """Everybody's level at a date, later ones with the form that nobody has seen yet."""
        return forecast(self, at)

    def forecast_calibration(self, later: Observations) -> Calibration:
        """How outputs rated after this fit came out against what it forecast."""
        return forecast_calibration(self, later)

    @cached_property
    def check(self) -> Check:
        """Leave-one-out predictions of every score, and the comparison with symmetric luck."""
        return check(self)

    def rater_fit(self, *, seed: int = 0, false_flags: float = FALSE_FLAGS) -> tuple[RaterFit, ...]:
        """Infit and outfit of every rater with limits by parametric bootstrap."""
        return rater_fit(self, seed=seed, false_flags=false_flags)

    def contributions(self, person: Label) -> Contributions:
        """What every score and output adds to this person's mean; the pieces sum to it."""
        return self.all_contributions[person]

    @cached_property
    def all_contributions(self) -> Mapping[Label, Contributions]:
        return contributions_of_all(self)

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
