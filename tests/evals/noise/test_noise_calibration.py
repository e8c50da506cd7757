"""Intervals cover as often as they say, over cohorts drawn from the prior."""

import numpy as np
import pytest
from scipy import stats

from evals.noise import Shape, design_cohort, fit, integration, simulate

pytestmark = pytest.mark.timeout(600)

COHORTS = 100
TERMS = ("person", "rater", "output")


def draw_phi(rng, *, asymmetric):
    names = ("rater", "output", "noise", *(("luck",) if asymmetric else ()))
    phi = {name: float(rng.exponential(1 / 1.5)) for name in names}
    return phi | {"person": float(0.5 * np.exp(0.5 * rng.standard_normal()))}


@pytest.fixture(scope="module")
def cohorts():
    with pytest.MonkeyPatch.context() as patch:
        # Half the points are enough for coverage over a hundred cohorts, and twice as fast.
        patch.setattr(integration, "LEAST_EFFECTIVE", 40.0)
        return drawn_and_fitted()


def drawn_and_fitted():
    found = []
    for seed in range(COHORTS):
        rng = np.random.default_rng([5, seed])
        template, _ = design_cohort(Shape(20, 6, 2, 2, 1, teams=0.3), rng)
        asymmetric = seed % 4 == 0
        phi = draw_phi(rng, asymmetric=asymmetric)
        drawn = simulate(template, phi, rng)
        posterior = fit(
            drawn.observations,
            terms=TERMS,
            luck="asymmetric" if asymmetric else "symmetric",
            hyper="integrated",
            reference_sd=1.0,
            points=128,
            seed=seed,
            beside=False,
        )
        found.append((posterior, drawn, phi))
    return found


@pytest.mark.parametrize("table", ["persons", "raters", "outputs"])
@pytest.mark.parametrize(("level", "low", "high"), [(0.9, "q05", "q95"), (0.5, "q25", "q75")])
def test_intervals_cover_as_often_as_they_say(cohorts, table, level, low, high):
    shares = []
    for posterior, drawn, _ in cohorts:
        rows, truth = getattr(posterior, table), getattr(drawn, table)
        actual = np.array([truth[label] for label in rows.id])
        shares.append(np.mean((actual > getattr(rows, low)) & (actual < getattr(rows, high))))

    error = np.std(shares, ddof=1) / np.sqrt(COHORTS)
    assert abs(np.mean(shares) - level) < 4 * error


@pytest.mark.parametrize("table", ["persons", "raters", "outputs"])
def test_the_truth_lies_anywhere_in_the_posterior_equally_often(cohorts, table):
    rng = np.random.default_rng(6)
    ranks = []
    for posterior, drawn, _ in cohorts:
        actual = np.array(list(getattr(drawn, table).values()))
        ranks.append(posterior.mixtures[table[:-1]].cdf(actual)[rng.integers(actual.size)])

    assert stats.kstest(ranks, "uniform").pvalue > 0.001


def test_sds_are_covered_as_often_as_they_say(cohorts):
    shares = [
        np.mean([sd.q05 < phi[name] < sd.q95 for name, sd in posterior.sds.items()])
        for posterior, _, phi in cohorts
    ]

    error = np.std(shares, ddof=1) / np.sqrt(COHORTS)
    assert abs(np.mean(shares) - 0.9) < max(4 * error, 0.03)


def test_estimates_have_less_error_than_raw_means(cohorts):
    ours, raw = [], []
    for posterior, drawn, _ in cohorts:
        actual = np.array([drawn.persons[label] for label in posterior.persons.id])
        credit = drawn.observations.credit
        centered = drawn.observations.score - drawn.observations.score.mean()
        means = np.asarray(credit.T @ centered).ravel() / np.asarray(credit.sum(axis=0)).ravel()
        ours.append(np.mean((posterior.persons.mean - actual) ** 2))
        raw.append(np.mean((means - actual) ** 2))

    assert np.sqrt(np.mean(ours)) < 0.7 * np.sqrt(np.mean(raw))


def test_different_seeds_agree():
    rng = np.random.default_rng(1)
    template, _ = design_cohort(Shape(20, 6, 2, 2, 1), rng)
    drawn = simulate(template, {"person": 0.6, "rater": 0.3, "output": 0.3, "luck": 0.4, "noise": 0.4}, rng)
    options = {"terms": TERMS, "luck": "asymmetric", "hyper": "integrated"}

    one, other = (fit(drawn.observations, seed=seed, **options) for seed in (1, 2))

    away = np.abs(one.persons.mean - other.persons.mean) / one.persons.sd
    assert away.max() < 0.1
