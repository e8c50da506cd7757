"""Whether asymmetric luck is fair: the same cohorts fitted with asymmetric and with symmetric luck.

Five worlds: luck with a long tail below (true), none (symmetric), a long tail above (reversed), and symmetric
luck under a ceiling that holds 15 % or 36 % of the scores. People have one to four outputs. Printed: the mean change
of the estimate by number of outputs, change and bias by decile of the truth, wrong stops (truly above a bar,
P(above) at most 1 in 4) and wrong passes at two bars, and the ratio of errors. Exits 1 where a mean
change is beyond .01 and two standard errors, or where asymmetry is false and costs more than 1 % of error.
"""

import argparse
import os
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

# Fits have threads or processes of their own: with those of linear algebra beside them they would only wait.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import numpy as np

from evals.noise import Observations, fit, simulate

PEOPLE, RATERS, CRITERIA, RATINGS, MOST_OUTPUTS = 48, 12, 2, 2, 4
PHI = {"person": 0.5, "rater": 0.3, "noise": 0.4}
NORMAL, TAIL = 0.2, 0.45  # luck's normal sd, and the mean of its exponential part
BARS = {"the lowest quarter": -0.6745 * PHI["person"], "the highest quarter": 0.6745 * PHI["person"]}
SURE = 0.75
MOST_CHANGE, MOST_ERROR = 0.01, 1.01
CEILINGS = {"ceiling, 15 % at the top": 0.15, "ceiling, 36 % at the top": 0.36}
WORLDS = ("true", "symmetric", "reversed", *CEILINGS)


@dataclass(frozen=True)
class Cohort:
    """Everybody's truth, evidence, and both estimates with their probabilities of being above each bar."""

    truth: np.ndarray
    outputs: np.ndarray
    asymmetric: np.ndarray
    symmetric: np.ndarray
    above: Mapping[str, tuple[np.ndarray, np.ndarray]]

    @property
    def change(self) -> np.ndarray:
        return self.asymmetric - self.symmetric


def planned(rng: np.random.Generator) -> Observations:
    """Person i has 1 + i mod 4 outputs; each is read by two raters on two criteria."""
    rows = [
        {
            "person": f"p{who}",
            "output": f"o{who}.{at}",
            "rater": f"r{rater}",
            "instrument": f"c{criterion}",
            "score": 0.0,
        }
        for who in range(PEOPLE)
        for at in range(1 + who % MOST_OUTPUTS)
        for rater in rng.choice(RATERS, RATINGS, replace=False)
        for criterion in range(CRITERIA)
    ]
    return Observations.from_rows(rows)


def drawn(world: str, rng: np.random.Generator) -> tuple[Observations, np.ndarray]:
    """Scores of this world, and everybody's true level."""
    simulated = simulate(planned(rng), PHI, rng)
    seen = simulated.observations
    output = seen.columns["output"]
    size = len(output.levels)
    if world in ("true", "reversed"):
        luck = NORMAL * rng.standard_normal(size) - rng.exponential(TAIL, size) + TAIL
        luck = -luck if world == "reversed" else luck
    else:
        luck = np.hypot(NORMAL, TAIL) * rng.standard_normal(size)
    score = seen.score + luck[output.codes]
    if world in CEILINGS:
        score = np.minimum(np.floor(2 * (score - np.quantile(score, 1 - CEILINGS[world]))) / 2, 0.0)
    return replace(seen, score=score), np.array([simulated.persons[who] for who in seen.people])


def one_cohort(seed: int, *, world: str, hyper: str) -> Cohort:
    rng = np.random.default_rng([41, seed, WORLDS.index(world)])
    observations, truth = drawn(world, rng)
    fitted = fit(
        observations,
        terms=("person", "rater", "output"),
        luck="asymmetric",
        hyper=hyper,
        seed=seed,
        points=256,
    )
    both = fitted, fitted.symmetric or fitted  # a ceiling that is too low has symmetric luck in both
    return Cohort(
        truth=truth,
        outputs=fitted.persons.outputs,
        asymmetric=both[0].persons.mean,
        symmetric=both[1].persons.mean,
        above={name: tuple(one.probability_above(bar).value for one in both) for name, bar in BARS.items()},
    )


def mean_with_error(cohorts: list[np.ndarray]) -> tuple[float, float]:
    """The mean over people and its standard error over cohorts."""
    sums, sizes = np.array([each.sum() for each in cohorts]), np.array([each.size for each in cohorts])
    mean = sums.sum() / sizes.sum()
    return float(mean), float(np.sqrt(((sums - mean * sizes) ** 2).sum()) / sizes.sum())


def changes(cohorts: list[Cohort]) -> bool:
    good, parts = True, []
    for outputs in range(1, MOST_OUTPUTS + 1):
        mean, error = mean_with_error([each.change[each.outputs == outputs] for each in cohorts])
        good &= abs(mean) <= max(MOST_CHANGE, 2 * error)
        parts.append(f"{outputs}: {mean:+.3f} ({error:.3f})")
    print("  mean change by number of outputs  " + "  ".join(parts))
    return good


def deciles(cohorts: list[Cohort]) -> None:
    truth, change = (np.concatenate([getattr(one, name) for one in cohorts]) for name in ("truth", "change"))
    bias = np.concatenate([one.asymmetric - one.truth for one in cohorts])
    tenth = np.minimum(np.argsort(np.argsort(truth)) * 10 // truth.size, 9)
    for label, values in (("change", change), ("bias, asymmetric", bias), ("bias, symmetric", bias - change)):
        means = " ".join(f"{values[tenth == at].mean():+.2f}" for at in range(10))
        print(f"  {label + ' by tenth of the truth':<38} {means}")


def errors_at_bars(cohorts: list[Cohort]) -> None:
    for name, bar in BARS.items():
        for label, is_single in (("everybody", False), ("one output", True)):
            shares = [bar_errors(cohorts, name, bar, kind, single=is_single) for kind in (0, 1)]
            (stop, passed), (stop_even, passed_even) = shares
            print(
                f"  bar above {name}, {label}: wrong stops {stop:.1%} (symmetric {stop_even:.1%}), "
                f"wrong passes {passed:.1%} ({passed_even:.1%})"
            )


def bar_errors(cohorts, name: str, bar: float, kind: int, *, single: bool) -> tuple[float, float]:
    """Shares who are stopped though truly above the bar, and passed though truly below."""
    asked = np.concatenate([(one.outputs == 1) if single else (one.outputs > 0) for one in cohorts])
    truth = np.concatenate([one.truth for one in cohorts])[asked]
    above = np.concatenate([one.above[name][kind] for one in cohorts])[asked]
    return float(np.mean((above <= 1 - SURE) & (truth > bar))), float(
        np.mean((above >= SURE) & (truth < bar))
    )


def error_ratio(world: str, cohorts: list[Cohort]) -> bool:
    squares = np.array(
        [
            [np.sum((each.asymmetric - each.truth) ** 2), np.sum((each.symmetric - each.truth) ** 2)]
            for each in cohorts
        ]
    )
    ours, even = np.sqrt(squares.sum(axis=0) / sum(each.truth.size for each in cohorts))
    ratio = ours / even
    away = squares[:, 0] - ratio**2 * squares[:, 1]
    error = np.sqrt((away**2).sum()) / squares[:, 1].sum() / (2 * ratio)
    print(f"  error {ours:.3f}, symmetric {even:.3f}: ratio {ratio:.3f} (error {error:.3f})")
    return world == "true" or ratio <= max(MOST_ERROR, 1 + 2 * error)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=60)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--hyper", choices=("integrated", "mode"), default="integrated")
    options = parser.parse_args()
    began, good = time.perf_counter(), True
    with ProcessPoolExecutor(options.workers) as pool:
        for world in WORLDS:
            cohorts = list(
                pool.map(partial(one_cohort, world=world, hyper=options.hyper), range(options.cohorts))
            )
            print(f"{world}: {len(cohorts)} cohorts of {PEOPLE} people")
            good &= changes(cohorts)
            deciles(cohorts)
            errors_at_bars(cohorts)
            good &= error_ratio(world, cohorts)
            sys.stdout.flush()
    print(f"{'fair' if good else 'not fair'}, {time.perf_counter() - began:.0f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
