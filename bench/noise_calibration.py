"""Calibration on simulated cohorts: coverage, ranks, error and unjust rejections, ours beside what others give.

Default: 1,000 cohorts of 20 to 60 people with few raters, teams and asymmetric luck, hyperparameters drawn
from the prior, mu = 0 (simulation-based calibration). ``--published`` fixes them at published shares of
variance, fits the product's terms to cohorts of 20, 40, 60 and 120 people, and prints what no rule keeps
in bounds. ``--keep FILE`` appends every cohort to a file as it is done, and goes on from there.

Exits 1 where coverage is off by more than 1.5 points (hyperparameters: 3) and three cluster-robust standard
errors, or where ranks are not uniform. A cohort whose fit fails counts as covering nothing.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

# Fits have threads or processes of their own: with those of linear algebra beside them they would only wait.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import numpy as np
from scipy import stats

from evals.noise import DEFAULT_TERMS, Observations, Shape, design_cohort, fit, simulate

COHORTS = 1000
SIMPLE_TERMS = ("person", "rater", "output")
POINTS_OFF, POINTS_OFF_HYPER, ERRORS_OFF = 0.015, 0.03, 3.0
LEVEL = 0.01  # of the tests of ranks, over all of them
LEAST_EFFECTIVE = 100
POINTS = 256  # half of what fits of this size take by default
TABLES = ("persons", "raters", "outputs")
LEVELS = {"0.9": ("q05", "q95"), "0.5": ("q25", "q75")}
# One score's variance: the person 30 %, this rater and person and this rater and piece 35 %.
PUBLISHED_VARIANCE = {
    "person": 0.30, "aspect": 0.04, "rater": 0.08, "habit": 0.03, "affinity": 0.22,
    "halo": 0.08, "output": 0.05, "luck": 0.05, "noise": 0.15,
}  # fmt: skip
PUBLISHED_COHORTS = {20: 300, 40: 120, 60: 60, 120: 24}


@dataclass
class Found:
    """One cohort: how often ranges held the truth, where the truth lay, and errors."""

    seed: int
    people: int
    failure: str = ""
    effective: float = 0.0
    notes: list[str] = field(default_factory=list)
    covered: dict[str, tuple[int, int]] = field(default_factory=dict)  # hits and size, by what and level
    ranks: dict[str, float] = field(default_factory=dict)
    errors: dict[str, tuple[float, float]] = field(default_factory=dict)  # sum and size


def draw_phi(rng: np.random.Generator) -> dict[str, float]:
    """From the program's prior, reference sd 1."""
    phi = {name: float(rng.exponential(1 / 1.5)) for name in ("rater", "output", "luck", "noise")}
    return phi | {"person": float(0.5 * np.exp(0.5 * rng.standard_normal()))}


def from_prior(rng: np.random.Generator) -> tuple[Observations, dict[str, float], dict[str, object]]:
    """A small cohort: 1 to 3 outputs each, 1 to 3 of 4 to 20 raters on each, 3 in 10 outputs by two."""
    people = int(rng.integers(20, 61))
    raters = int(rng.integers(4, max(5, people // 3) + 1))
    outputs, ratings = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    template, _ = design_cohort(Shape(people, raters, outputs, ratings, 2, teams=0.3), rng)
    return template, draw_phi(rng), {"terms": SIMPLE_TERMS, "reference_sd": 1.0}


def at_published(
    rng: np.random.Generator, people: int
) -> tuple[Observations, dict[str, float], dict[str, object]]:
    """As a program has it: half as many raters as people, 2 outputs each, 2 ratings on 4 criteria."""
    template, _ = design_cohort(Shape(people, people // 2, 2, 2, 4, teams=0.3), rng)
    phi = {name: float(np.sqrt(variance)) for name, variance in PUBLISHED_VARIANCE.items()}
    return template, phi, {"terms": DEFAULT_TERMS}


def one_cohort(seed: int, *, people: int | None = None) -> Found:
    """Draw a cohort, fit it, and note where the truth lies."""
    rng = np.random.default_rng([78, seed, people or 0])
    template, phi, options = from_prior(rng) if people is None else at_published(rng, people)
    drawn = simulate(template, phi, rng)
    found = Found(seed, len(template.people))
    actual = {name: np.array(list(getattr(drawn, name).values())) for name in TABLES}
    try:
        ours = fit(
            drawn.observations,
            luck="asymmetric",
            hyper="integrated",
            seed=seed,
            points=POINTS,
            beside=False,
            **options,
        )
        plug_in = fit(drawn.observations, prior="flat", terms=options["terms"])
    except (ValueError, ArithmeticError, np.linalg.LinAlgError) as failure:
        found.failure = f"{type(failure).__name__}: {failure}"
        found.covered = {f"{name} {level}": (0, actual[name].size) for name in TABLES for level in LEVELS}
        return found
    found.effective, found.notes = ours.engine.effective_points, list(ours.notes)
    for name in TABLES:
        found.covered |= coverage(name, getattr(ours, name), actual[name])
        at = int(rng.integers(actual[name].size))
        found.ranks[name] = float(ours.mixtures[name[:-1]].cdf(actual[name])[at])
    found.covered |= coverage("plug-in persons", plug_in.persons, actual["persons"])
    for at, name in enumerate(ours.model.names):
        rank = float(ours.hyper.weight @ (ours.hyper.means[:, at] <= phi[name]))
        found.ranks[f"sd of {name}"] = rank
        found.covered[f"sd of {name} 0.9"] = (int(0.05 < rank < 0.95), 1)
        found.covered[f"sd of {name} 0.5"] = (int(0.25 < rank < 0.75), 1)
    estimates = {"raw": raw_means(drawn.observations), "plug-in": plug_in.persons.mean}
    for name, estimate in (estimates | {"ours": ours.persons.mean}).items():
        found.errors |= errors(name, estimate, actual["persons"])
    return found


def coverage(name: str, table, actual) -> dict[str, tuple[int, int]]:
    return {
        f"{name} {level}": (
            int(np.sum((actual > getattr(table, low)) & (actual < getattr(table, high)))),
            actual.size,
        )
        for level, (low, high) in LEVELS.items()
    }


def raw_means(observations: Observations):
    """Of what somebody had a part in, by their credit, around the mean of all scores."""
    credit, centred = observations.credit, observations.score - observations.score.mean()
    weight = np.asarray(credit.sum(axis=0)).ravel()
    return np.asarray(credit.T @ centred).ravel() / np.maximum(weight, 1e-9)


def errors(name: str, estimate, actual) -> dict[str, tuple[float, float]]:
    """Sums over people: squared error, who of the bottom tenth is truly above the median, and the slope."""
    bottom = np.argsort(estimate, kind="stable")[: max(1, actual.size // 10)]
    away, spread = actual - actual.mean(), estimate - estimate.mean()
    return {
        f"{name} squared error": (float(np.sum((estimate - actual) ** 2)), actual.size),
        f"{name} unjust": (float(np.sum(actual[bottom] > np.median(actual))), bottom.size),
        f"{name} slope": (float(spread @ away), float(spread @ spread)),
    }


def ratio(pairs: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """A ratio of sums over cohorts and its cluster-robust standard error."""
    above, below = np.array(list(pairs), dtype=float).T
    share, count = above.sum() / below.sum(), above.size
    correction = count / max(count - 1, 1)
    return float(share), float(np.sqrt(correction * np.sum((above - share * below) ** 2)) / below.sum())


def report(found: list[Found], *, judged: bool) -> bool:
    good = [*coverages(found), *uniform_ranks(found)]
    accuracy(found)
    troubles(found)
    return all(good) or not judged


def coverages(found: list[Found]) -> Iterable[bool]:
    names = dict.fromkeys(name for one in found for name in one.covered)
    for name in names:
        what, _, level = name.rpartition(" ")
        share, error = ratio(one.covered[name] for one in found if name in one.covered)
        bar = POINTS_OFF
        if what.startswith("sd of"):  # one a cohort: the binomial's error, also where all of few are held
            bar = POINTS_OFF_HYPER
            error = max(error, float(np.sqrt(float(level) * (1 - float(level)) / len(found))))
        fine = abs(share - float(level)) <= max(bar, ERRORS_OFF * error)
        mark = "" if fine else "  <-- off"
        print(f"{what:<16} {float(level):.0%} range holds {share:6.1%} (error {error:.1%}){mark}")
        yield fine or what.startswith("plug-in")


def uniform_ranks(found: list[Found]) -> Iterable[bool]:
    """Chi-square over twenty classes for each quantity, one random unit of each cohort; Holm over all."""
    names = list(dict.fromkeys(name for one in found for name in one.ranks))
    p_values = {}
    for name in names:
        ranks = np.array([one.ranks[name] for one in found if name in one.ranks])
        p_values[name] = float(stats.chisquare(np.histogram(ranks, bins=20, range=(0, 1))[0]).pvalue)
    largest = 0.0
    for order, name in enumerate(sorted(names, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, p_values[name] * (len(names) - order)))
        print(f"{name:<16} ranks uniform: p {p_values[name]:.3f}, after Holm {largest:.3f}")
        yield largest > LEVEL


def accuracy(found: list[Found]) -> None:
    for name in found[0].errors:
        value, error = ratio(one.errors[name] for one in found if name in one.errors)
        if name.endswith("squared error"):
            name, value, error = name.replace("squared ", ""), np.sqrt(value), error / (2 * np.sqrt(value))
        print(f"{name:<16} {value:.3f} (error {error:.3f})")


def troubles(found: list[Found]) -> None:
    low = sum(one.effective < LEAST_EFFECTIVE for one in found if not one.failure)
    unsure = sum(any("converge" in note for note in one.notes) for one in found)
    failures = [one for one in found if one.failure]
    print(
        f"{len(found)} cohorts: {len(failures)} failed, {low} with fewer than {LEAST_EFFECTIVE} effective points, "
        f"{unsure} said that something did not converge; all of them are counted above"
    )
    for one in failures[:10]:
        print(f"  cohort {one.seed}: {one.failure}")


def gather(count: int, *, people: int | None, workers: int, keep: Path | None) -> list[Found]:
    """The cohorts of these seeds; those that the file holds already are taken from it."""
    found = {}
    if keep and keep.exists():
        for line in keep.read_text().splitlines():
            one = Found(**json.loads(line))
            found[one.seed] = one
    missing = [seed for seed in range(count) if seed not in found]
    with ProcessPoolExecutor(workers) as pool:
        for one in pool.map(partial(one_cohort, people=people), missing):
            found[one.seed] = one
            if keep:
                with keep.open("a") as file:
                    file.write(json.dumps(asdict(one)) + "\n")
    return [found[seed] for seed in range(count)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--published", action="store_true")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    began, good = time.perf_counter(), True
    if options.published:
        for people, count in PUBLISHED_COHORTS.items():
            keep = options.keep and options.keep.with_suffix(f".{people}.jsonl")
            print(f"\n{people} people at published components")
            found = gather(options.cohorts or count, people=people, workers=options.workers, keep=keep)
            report(found, judged=False)
    else:
        found = gather(options.cohorts or COHORTS, people=None, workers=options.workers, keep=options.keep)
        good = report(found, judged=True)
    print(f"{time.perf_counter() - began:.0f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
