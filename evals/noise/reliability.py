"""How reliable a design is: generalizability coefficients and the smallest design that reaches a target.

With R raters of a person, m outputs rated by each, O outputs and K criteria, the level's variance is
signal = sd_person^2 + sd_aspect^2 / K, and

    relative error = (sd_output^2 + luck^2) / O + sd_affinity^2 / R + sd_halo^2 / (R m) + sd_noise^2 / (R m K),
    shared error   = sd_rater^2 / R + sd_habit^2 / (R K),
    G = signal / (signal + relative error),     Phi = signal / (signal + relative error + shared error).

Shared error enters G too where raters are nested in persons, so that no two people share a rater.
"""

from dataclasses import dataclass

import numpy as np

from evals.noise.arrays import Floats
from evals.noise.fitted import Fitted
from evals.noise.mixture import Mixture
from evals.noise.tables import Interval

MOST_RATERS = 30
MOST_OUTPUTS = 12
MOST_PER_RATER = 4


@dataclass(frozen=True)
class Plan:
    """How a person is rated: by how many raters, on how many outputs, how many of them by each rater."""

    raters: int
    outputs: int
    per_rater: int = 1

    def __post_init__(self) -> None:
        if min(self.raters, self.outputs, self.per_rater) < 1:
            raise ValueError("A design needs at least 1 rater, 1 output and 1 output by each rater.")
        if self.per_rater > self.outputs:
            raise ValueError(
                f"A rater can't rate {self.per_rater} of {self.outputs} outputs: give at most {self.outputs}."
            )

    @property
    def ratings(self) -> int:
        return self.raters * self.per_rater

    @property
    def rated_outputs(self) -> int:
        """No more outputs count than there are ratings."""
        return min(self.outputs, self.ratings)


@dataclass(frozen=True)
class Reliability:
    """Both coefficients of one design, with their uncertainty, and the smallest design for the target."""

    plan: Plan
    relative: Interval  # G: for decisions by comparison
    absolute: Interval  # Phi: for decisions by a bar
    target: float
    smallest: Plan | None


def reliability(posterior: Fitted, plan: Plan, *, target: float = 0.8, nested: bool = False) -> Reliability:
    """Coefficients of ``plan`` under the posterior of the sds; the smallest design by its mean of G."""
    if not 0 < target < 1:
        raise ValueError(f"The target reliability is {target!r}: give a number between 0 and 1.")
    parts = _Parts.of(posterior)
    relative, absolute = parts.coefficients(plan, nested=nested)
    return Reliability(
        plan=plan,
        relative=parts.interval(relative),
        absolute=parts.interval(absolute),
        target=target,
        smallest=parts.smallest(target, nested=nested),
    )


@dataclass(frozen=True)
class _Parts:
    """Variances by name, one for each point of hyperparameters."""

    variance: dict[str, Floats]
    weight: Floats
    criteria: int

    @classmethod
    def of(cls, posterior: Fitted) -> "_Parts":
        columns = zip(posterior.model.names, posterior.hyper.means.T, strict=True)
        seen = posterior.observations
        criteria = len(seen.instrument.levels) - len(seen.measured_instruments)
        found = {name: column**2 for name, column in columns}
        if "noise" not in found:
            rated = [name for name in found if name.startswith("noise[")]
            # The ordinal link measures everything in units of its noise.
            one = np.ones(posterior.hyper.weight.size)
            found["noise"] = np.mean([found[name] for name in rated], axis=0) if rated else one
        return cls(found, posterior.hyper.weight, max(criteria, 1))

    def __getitem__(self, name: str) -> Floats:
        return self.variance.get(name, np.zeros(self.weight.size))

    def coefficients(self, plan: Plan, *, nested: bool) -> tuple[Floats, Floats]:
        signal = self["person"] + self["aspect"] / self.criteria
        relative = (
            (self["output"] + self["luck"]) / plan.rated_outputs
            + self["affinity"] / plan.raters
            + self["halo"] / plan.ratings
            + self["noise"] / (plan.ratings * self.criteria)
        )
        shared = self["rater"] / plan.raters + self["habit"] / (plan.raters * self.criteria)
        total = np.maximum(signal + relative + shared, np.finfo(float).tiny)
        alone = total if nested else np.maximum(signal + relative, np.finfo(float).tiny)
        return signal / alone, signal / total

    def interval(self, values: Floats) -> Interval:
        mixture = Mixture(self.weight, values[:, None], np.zeros((values.size, 1)))
        low, high = float(mixture.quantile(0.05)[0]), float(mixture.quantile(0.95)[0])
        return Interval(float(mixture.mean[0]), float(mixture.sd[0]), low, high)

    def smallest(self, target: float, *, nested: bool) -> Plan | None:
        """Fewest ratings, then fewest outputs; None where no design of the search reaches the target."""
        plans = [
            Plan(raters, outputs, each)
            for outputs in range(1, MOST_OUTPUTS + 1)
            for each in range(1, min(outputs, MOST_PER_RATER) + 1)
            for raters in range(1, MOST_RATERS + 1)
            if raters * each >= outputs
        ]
        for plan in sorted(plans, key=lambda plan: (plan.ratings, plan.outputs, plan.raters)):
            if float(self.weight @ self.coefficients(plan, nested=nested)[0]) >= target:
                return plan
        return None
