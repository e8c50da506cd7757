"""Asymmetric luck: tilted moments, expectation propagation, and what one bad result does."""

from dataclasses import replace

import numpy as np
import pytest
from noise_cohorts import make_cohort
from scipy import special

from evals.noise import Observations, fit
from evals.noise.evaluation import evaluate, from_vector, to_vector
from evals.noise.fitting import summarise
from evals.noise.gaussian import Gaussian, Hyper
from evals.noise.integration import Integration, first_proposal
from evals.noise.luck import tilt
from evals.noise.mode import find_mode
from evals.noise.model import Model, Settings
from evals.noise.propagation import propagate


def log_prior(luck, sd, mean):
    x = luck - mean
    return -np.log(mean) + x / mean + sd**2 / (2 * mean**2) + special.log_ndtr(-x / sd - sd / mean)


@pytest.mark.parametrize(
    ("mean", "variance", "sd", "luck"),
    [
        (0.0, 0.1, 0.3, 0.5),
        (-2.0, 0.1, 0.3, 0.5),
        (1.0, 0.05, 0.2, 0.1),
        (-5.0, 1.0, 0.2, 0.05),
        (3.0, 0.2, 0.4, 2.0),
    ],
)
def test_tilted_moments_equal_quadrature(mean, variance, sd, luck):
    grid, step = np.linspace(mean - 14 * variance**0.5, mean + 14 * variance**0.5, 400_001, retstep=True)
    mass = np.exp(log_prior(grid, sd, luck) - 0.5 * (grid - mean) ** 2 / variance) / np.sqrt(
        2 * np.pi * variance
    )
    total = mass.sum() * step
    first = (mass * grid).sum() * step / total
    central = [(mass * (grid - first) ** power).sum() * step / total for power in (2, 3)]

    found = tilt(np.array([mean]), np.array([variance]), sd, luck)

    assert found.log_mass[0] == pytest.approx(np.log(total), abs=1e-9)
    assert found.mean[0] == pytest.approx(first, abs=1e-9)
    assert found.variance[0] == pytest.approx(central[0], rel=1e-8)
    assert found.third[0] == pytest.approx(central[1], rel=1e-6, abs=1e-12)
    assert found.precision_gain[0] == pytest.approx(1 / found.variance[0] - 1 / variance, abs=1e-7)


@pytest.mark.parametrize("mean", [-40.0, -31.0, -29.0, 0.0, 31.0, 800.0])
def test_moments_join_smoothly_at_both_ends(mean):
    below, above = (tilt(np.array([mean + shift]), np.array([0.2]), 0.3, 0.02) for shift in (-1e-7, 1e-7))

    for name in ("log_mass", "mean", "variance", "third", "precision_gain", "by_sd", "by_luck"):
        one, other = getattr(below, name)[0], getattr(above, name)[0]
        assert np.isfinite(one)
        assert one == pytest.approx(other, rel=1e-4, abs=1e-6)


def one_lucky_output():
    rng = np.random.default_rng(0)
    return Observations.from_columns(
        [*rng.normal(3, 1, 12), 1.0, 0.6, 0.9],
        person=[*np.repeat(["a", "b", "c"], 4), "a", "a", "a"],
        output=[None] * 12 + ["x"] * 3,
    )


def test_with_one_output_the_evidence_and_mean_equal_quadrature():
    observations = one_lucky_output()
    model = Model.build(observations, Settings(terms=("person", "output"), luck="asymmetric"))
    hyper = Hyper(np.array([0.6, 0.2]), np.array([0.7]), np.zeros(0), 0.8)

    only_person = Settings(terms=("person",))

    def given(luck):
        shifted = replace(observations, score=observations.score - luck * (np.arange(15) >= 12))
        plain = Model.build(shifted, only_person)
        gaussian = Gaussian(plain.design, Hyper(hyper.sd[:1], hyper.noise, hyper.scale))
        return -0.5 * gaussian.criterion + log_prior(luck, 0.2, 0.8), gaussian.mean[0]

    grid, step = np.linspace(-7, 2.5, 401, retstep=True)
    log_mass, means = np.array([given(luck) for luck in grid]).T
    mass = np.exp(log_mass - log_mass.max())
    evidence = log_mass.max() + np.log(mass.sum() * step)

    found = propagate(model, hyper, tolerance=1e-10)

    assert found.converged
    assert -0.5 * found.criterion == pytest.approx(evidence, abs=1e-6)
    assert found.gaussian.mean[0] == pytest.approx(mass @ means / mass.sum(), abs=1e-6)


def test_the_slope_equals_finite_differences_of_the_evidence():
    model = Model.build(make_cohort(), Settings(luck="asymmetric"))
    vector = np.random.default_rng(1).uniform(0.2, 0.8, len(model.names))

    found = evaluate(model, vector, tolerance=1e-9).slope

    for at in range(vector.size):
        step = 1e-5 * (np.arange(vector.size) == at)
        above, below = (evaluate(model, vector + sign * step, tolerance=1e-9).objective for sign in (1, -1))
        assert found[at] == pytest.approx((above - below) / 2e-5, rel=1e-3, abs=1e-2)
    np.testing.assert_array_equal(to_vector(model, from_vector(model, vector)), vector)


def test_too_many_outputs_for_a_dense_message_give_the_same(monkeypatch):
    import evals.noise.model as module

    observations = make_cohort()
    hyper = evaluate(Model.build(observations, Settings(luck="asymmetric")), np.full(9, 0.4)).hyper
    dense = propagate(Model.build(observations, Settings(luck="asymmetric")), hyper)

    monkeypatch.setattr(module, "LARGEST_KEPT", 0)
    sparse = propagate(Model.build(observations, Settings(luck="asymmetric")), hyper)

    assert sparse.criterion == pytest.approx(dense.criterion, abs=1e-6)
    np.testing.assert_allclose(
        sparse.gaussian.report("person")[0], dense.gaussian.report("person")[0], atol=1e-7
    )


def level_of_a(shift):
    rng = np.random.default_rng(2)
    score = 3 + 0.5 * np.repeat(rng.normal(size=8), 3) + 0.3 * rng.normal(size=24)
    score[0] += shift
    observations = Observations.from_columns(
        score, person=np.repeat(list("abcdefgh"), 3), output=[f"o{at}" for at in range(24)]
    )
    model = Model.build(observations, Settings(terms=("person", "output"), luck="asymmetric"))
    hyper = Hyper(np.array([0.5, 0.2]), np.array([0.3]), np.zeros(0), 0.5)
    gaussian = propagate(model, hyper).gaussian
    return gaussian.report("person")[0][0] + gaussian.mean[-1]


def test_an_outlier_below_moves_a_person_by_a_bounded_amount_and_one_above_does_not():
    normal, below, far_below, above, far_above = (level_of_a(shift) for shift in (0, -20, -400, 20, 400))

    assert far_below == pytest.approx(below, abs=1e-3)
    assert normal - below < 0.5
    assert far_above - above > 10 * (above - normal) > 10


def test_contributions_sum_to_the_mean_with_asymmetric_luck():
    small = make_cohort(people=8, raters=4, criteria=["all"])
    posterior = fit(small, luck="asymmetric", hyper="integrated", points=128)

    for person in posterior.persons:
        assert posterior.contributions(person.id).total == pytest.approx(person.mean, abs=1e-8)


def test_without_exponential_part_the_two_kinds_of_luck_agree():
    model = Model.build(make_cohort(), Settings(luck="asymmetric"))
    hyper = evaluate(model, np.full(9, 0.4)).hyper
    even = Gaussian(model.design, hyper)

    found = propagate(model, Hyper(hyper.sd, hyper.noise, hyper.scale, 1e-9))

    assert found.criterion == pytest.approx(even.criterion, abs=1e-3)
    np.testing.assert_allclose(found.gaussian.report("person")[0], even.report("person")[0], atol=1e-4)


def test_what_does_not_vary_has_no_skew():
    model = Model.build(make_cohort(), Settings(terms=("person", "rater", "output"), luck="asymmetric"))

    summary = summarise(evaluate(model, np.array([0.0, 0.4, 0.3, 0.5, 0.4])))

    np.testing.assert_array_equal(summary["person"][2], 0.0)


def test_every_point_is_weighed_against_the_mixture_of_all_proposals():
    model = Model.build(make_cohort(people=8, raters=4), Settings(terms=("person", "rater")))
    mode = find_mode(model)
    integration = Integration(model, mode.state, summarise, least_points=256)

    integration.run(first_proposal(model, mode.state))

    points = np.concatenate(integration.points)
    mixture = special.logsumexp([each.log_density(points) for each in integration.proposals], axis=0)
    assert len(integration.proposals) == 3
    np.testing.assert_allclose(integration.weigh()[1], np.concatenate(integration.log_target) - mixture)
