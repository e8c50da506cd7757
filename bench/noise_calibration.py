"""Calibration on simulated cohorts: coverage, ranks, error and unjust rejections, ours beside what others would give.

Default: hyperparameters drawn from the prior (simulation-based calibration). ``--published`` fixes them at
published shares of variance, for cohorts of 20, 40, 60 and 120 people, and prints what no rule keeps in
bounds. Exits 1 where coverage is off by more than 1.5 points and three cluster-robust standard errors.
"""

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
from scipy import stats

from evals.noise import Shape, design_cohort, fit, simulate

TERMS = ("person", "rater", "output")
POINT_BAR = 0.015
PUBLISHED = {"person": 0.55, "rater": 0.3, "output": 0.35, "luck": 0.35, "noise": 0.6}
SIZES = (20, 40, 60, 120)


def draw_phi(rng: np.random.Generator) -> dict[str, float]:
    """From the program's prior, reference sd 1."""
    phi = {name: float(rng.exponential(1 / 1.5)) for name in ("rater", "output", "luck", "noise")}
    return phi | {"person": float(0.5 * np.exp(0.5 * rng.standard_normal()))}


def one_cohort(seed: int, *, people: int | None = None) -> dict[str, object]:
    """Draw a cohort, fit it, and note where the truth lies."""
    rng = np.random.default_rng([77, seed])
    phi = draw_phi(rng) if people is None else dict(PUBLISHED)
    size = int(rng.integers(20, 61)) if people is None else people
    shape = Shape(size, max(6, size // 3), int(rng.integers(1, 4)), int(rng.integers(1, 4)), 2, teams=0.3)
    template, _ = design_cohort(shape, rng)
    drawn = simulate(template, phi, rng)
    ours = fit(
        drawn.observations,
        terms=TERMS,
        luck="asymmetric",
        hyper="integrated",
        reference_sd=1.0,
        seed=seed,
        points=256,
        beside=False,
    )
    plug_in = fit(drawn.observations, terms=TERMS, prior="flat")
    found: dict[str, object] = {"effective": ours.engine.effective_points, "size": size}
    for name, table, truth in (
        ("person", ours.persons, drawn.persons),
        ("rater", ours.raters, drawn.raters),
        ("output", ours.outputs, drawn.outputs),
    ):
        actual = np.array([truth[label] for label in table.id])
        found[name] = coverage(table, actual)
        found[f"{name} rank"] = float(rank_of(ours, name, actual, rng))
    actual = np.array([drawn.persons[label] for label in ours.persons.id])
    found["plug-in person"] = coverage(plug_in.persons, actual)
    found["errors"] = errors(ours, plug_in, drawn.observations, actual)
    found["sds"] = {
        name: float(np.mean(ours.hyper.weight @ (ours.hyper.means[:, at] <= phi[name])))
        for at, name in enumerate(ours.model.names)
    }
    return found


def coverage(table, actual) -> tuple[int, int, int]:
    wide = (actual > table.q05) & (actual < table.q95)
    middle = (actual > table.q25) & (actual < table.q75)
    return int(wide.sum()), int(middle.sum()), actual.size


def rank_of(posterior, name: str, actual, rng) -> float:
    """Where the truth lies in the posterior of one unit chosen by chance: uniform where all is right."""
    at = int(rng.integers(actual.size))
    return float(posterior.mixtures[name].cdf(actual)[at])


def errors(ours, plug_in, observations, actual) -> dict[str, float]:
    """Of raw means and of estimates: error, calibration slope, and who is unjustly in the bottom tenth."""
    credit = observations.credit
    weight = np.asarray(credit.sum(axis=0)).ravel()
    centered = observations.score - observations.score.mean()
    raw = np.asarray(credit.T @ centered).ravel() / np.maximum(weight, 1e-9)
    found = {}
    for name, estimate in (("raw", raw), ("plug-in", plug_in.persons.mean), ("ours", ours.persons.mean)):
        away = actual - actual.mean()
        found[f"{name} error"] = float(np.mean((estimate - actual) ** 2))
        bottom = np.argsort(estimate)[: max(1, actual.size // 10)]
        found[f"{name} unjust"] = float(np.mean(away[bottom] > np.median(away)))
    spread = float(np.var(ours.persons.mean))
    found["slope"] = float(np.cov(actual, ours.persons.mean)[0, 1] / spread) if spread > 1e-6 else np.nan
    return found


def share_with_error(counts: list[tuple[int, int]]) -> tuple[float, float]:
    """A share over cohorts and its cluster-robust standard error."""
    hits, sizes = np.array(counts, dtype=float).T
    share = hits.sum() / sizes.sum()
    return float(share), float(np.sqrt(np.sum((hits - share * sizes) ** 2)) / sizes.sum())


def report(found: list[dict[str, object]], *, judged: bool) -> bool:
    good = True
    for name in ("person", "rater", "output", "plug-in person"):
        for place, level in ((0, 0.9), (1, 0.5)):
            share, error = share_with_error([(one[name][place], one[name][2]) for one in found])
            off = abs(share - level)
            fine = off <= max(POINT_BAR, 3 * error)
            good &= fine or not judged or name.startswith("plug-in")
            print(
                f"{name:<16} {level:.0%} interval covers {share:6.1%} (error {error:.1%})"
                + ("" if fine else "  <-- off")
            )
    tests = {
        name: stats.kstest([one[f"{name} rank"] for one in found], "uniform").pvalue
        for name in ("person", "rater", "output")
    }
    for order, (name, p) in enumerate(sorted(tests.items(), key=lambda item: item[1])):
        holm = min(1.0, p * (len(tests) - order))
        good &= holm > 0.01 or not judged
        print(f"{name:<16} ranks uniform: p {p:.3f}, after Holm {holm:.3f}")
    for name in found[0]["sds"]:
        share = np.mean([0.05 < one["sds"][name] < 0.95 for one in found])
        good &= abs(share - 0.9) <= max(0.03, 3 * np.sqrt(0.09 / len(found))) or not judged
        print(f"sd of {name:<10} 90 % interval covers {share:6.1%}")
    for name in found[0]["errors"]:
        values = np.array([one["errors"][name] for one in found])
        root = "error" in name
        print(f"{name:<16} {np.sqrt(np.nanmean(values)) if root else np.nanmean(values):.3f}")
    low = sum(one["effective"] < 100 for one in found)
    print(f"{len(found)} cohorts, {low} with fewer than 100 effective points")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--published", action="store_true")
    options = parser.parse_args()
    began, good = time.perf_counter(), True
    with ProcessPoolExecutor(options.workers) as pool:
        if options.published:
            for people in SIZES:
                print(f"\n{people} people at published components")
                report(
                    list(pool.map(partial(one_cohort, people=people), range(options.cohorts))), judged=False
                )
        else:
            good = report(list(pool.map(one_cohort, range(options.cohorts))), judged=True)
    print(f"{time.perf_counter() - began:.0f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
