"""The result of a fit: what is known of every person, rater and output, and functions of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import evals.noise.ranking as ranking
from evals.noise.arrays import Label
from evals.noise.asking import Ask, Bar, Top, next_ratings
from evals.noise.checks import Check, check
from evals.noise.contributions import Contributions, contributions_of_all
from evals.noise.fitted import Fitted
from evals.noise.forecast import Calibration, Forecast, forecast, forecast_calibration
from evals.noise.observations import Observations
from evals.noise.raters import FALSE_FLAGS, RaterFit, rater_fit
from evals.noise.reliability import Plan, Reliability, reliability


@dataclass(frozen=True)
class Posterior(Fitted):
    """Everything that a fit says: what it knows, and what follows from it for decisions."""

    symmetric: "Posterior | None" = field(default=None, repr=False)

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
        """Every rater's infit, outfit, use of the scale and agreement, with limits by parametric bootstrap."""
        return rater_fit(self, seed=seed, false_flags=false_flags)

    def contributions(self, person: Label) -> Contributions:
        """What every score and output adds to this person's mean; the pieces sum to it."""
        return self.all_contributions[person]

    @cached_property
    def all_contributions(self) -> Mapping[Label, Contributions]:
        return contributions_of_all(self)
