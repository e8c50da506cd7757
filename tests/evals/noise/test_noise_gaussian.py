"""The Gaussian core against dense formulas, closed forms and finite differences."""

import numpy as np
import pytest
from noise_cohorts import Dense, make_cohort, make_measured_cohort
from scipy.optimize import approx_fprime

from evals.noise import DEFAULT_TERMS, Observations, fit, planning
from evals.noise.evaluation import from_vector, to_vector
from evals.noise.gaussian import Gaussian, Hyper
from evals.noise.gradient import average_information, criterion_gradient, directions
from evals.noise.model import Model, Settings


def at_some_point(observations, **settings):
    model = Model.build(observations, Settings(**settings))
    rng = np.random.default_rng(3)
    sizes = model.start
    hyper = Hyper(*(rng.uniform(0.2, 0.9, part.size) for part in (sizes.sd, sizes.noise, sizes.scale)))
    return model, Gaussian(model.design, hyper)


@pytest.fixture(params=["teams", "measured", "by instrument", "stages"])
def point(request, monkeypatch):
    if request.param == "stages":
        monkeypatch.setattr(planning, "SECONDS_PER_STAGE", 0.0)
        monkeypatch.setattr(planning, "SECONDS_PER_PAIR", 1e-12)
    observations = make_cohort() if request.param in ("teams", "stages") else make_measured_cohort()
    return at_some_point(observations, noise="instrument" if request.param == "by instrument" else "common")


def test_the_criterion_equals_the_dense_restricted_likelihood(point):
    model, gaussian = point

    dense = Dense(model, gaussian)

    assert gaussian.criterion == pytest.approx(dense.criterion, abs=1e-9)


def test_means_and_covariances_equal_the_dense_formulas(point):
    model, gaussian = point
    dense = Dense(model, gaussian)
    pattern = model.design.entries.pattern
    size = model.design.random_size
    inner = pattern.second < size

    diagonal, pairs = gaussian.inverse_entries

    np.testing.assert_allclose(gaussian.mean[:size], dense.mean, atol=1e-9)
    np.testing.assert_allclose(gaussian.mean[size:], dense.fixed, atol=1e-9)
    np.testing.assert_allclose(diagonal[:size], dense.covariance.diagonal(), atol=1e-9)
    np.testing.assert_allclose(diagonal[size:], dense.fixed_covariance.diagonal(), atol=1e-9)
    expected = dense.covariance[pattern.first[inner], pattern.second[inner]]
    np.testing.assert_allclose(pairs[inner], expected, atol=1e-9)


def test_reported_sds_equal_the_dense_covariance_of_levels(point):
    model, gaussian = point
    dense = Dense(model, gaussian)
    size = model.design.random_size

    for name, matrix in model.design.reports.items():
        full = matrix.toarray()[:, :size]
        mean, sd = gaussian.report(name)
        np.testing.assert_allclose(mean, full @ dense.mean, atol=1e-9)
        np.testing.assert_allclose(sd**2, np.diag(full @ dense.covariance @ full.T), atol=1e-9)


def test_the_gradient_equals_finite_differences(point):
    model, gaussian = point
    vector = to_vector(model, gaussian.hyper)

    def criterion(at):
        return Gaussian(model.design, from_vector(model, at)).criterion

    np.testing.assert_allclose(
        criterion_gradient(gaussian), approx_fprime(vector, criterion, 1e-6), rtol=1e-4, atol=1e-3
    )


def test_average_information_equals_its_dense_definition(point):
    model, gaussian = point
    dense = Dense(model, gaussian)
    moved = directions(gaussian)

    np.testing.assert_allclose(average_information(gaussian), moved.T @ dense.p @ moved, atol=1e-8)


def test_directions_equal_the_derivative_of_the_dense_covariance(point):
    model, gaussian = point
    vector = to_vector(model, gaussian.hyper)
    weighted = Dense(model, gaussian).p @ gaussian.scores

    for at, column in enumerate(directions(gaussian).T):
        step = 1e-6 * (np.arange(vector.size) == at)
        above, below = (
            Dense(model, Gaussian(model.design, from_vector(model, vector + sign * step))).v
            for sign in (1, -1)
        )
        np.testing.assert_allclose(column, (above - below) @ weighted / 2e-6, atol=1e-6)


def test_a_balanced_one_way_layout_has_the_closed_form():
    rng = np.random.default_rng(0)
    score = rng.normal(0, 1, (8, 5)) + rng.normal(0, 2, 8)[:, None]
    within = score.var(axis=1, ddof=1).mean()
    between = score.mean(axis=1).var(ddof=1) - within / 5
    observations = Observations.from_columns(score.ravel(), person=np.repeat(np.arange(8), 5))

    posterior = fit(observations, terms=["person"], prior="flat")

    assert posterior.sds["person"].mean == pytest.approx(np.sqrt(between), rel=1e-6)
    assert posterior.sds["noise"].mean == pytest.approx(np.sqrt(within), rel=1e-6)
    shrink = between / (between + within / 5)
    expected = shrink * (score.mean(axis=1) - score.mean())
    np.testing.assert_allclose(posterior.persons.mean, expected, atol=1e-6)
    variance = between * (1 - shrink) + shrink**2 * (between + within / 5) / 8
    np.testing.assert_allclose(posterior.persons.sd, np.sqrt(variance), rtol=1e-5)


def test_contributions_sum_to_the_mean():
    posterior = fit(make_measured_cohort())

    for person in posterior.persons:
        pieces = posterior.contributions(person.id)
        by_output = sum(piece.total for piece in pieces.outputs) + pieces.rest
        assert pieces.total == pytest.approx(person.mean, abs=1e-8)
        assert by_output == pytest.approx(person.mean, abs=1e-8)


def test_draws_have_the_posteriors_moments():
    posterior = fit(make_cohort())

    draws = posterior.draws(40_000)

    error = posterior.persons.sd / np.sqrt(40_000)
    assert np.all(np.abs(draws.mean(axis=0) - posterior.persons.mean) < 5 * error)
    np.testing.assert_allclose(draws.std(axis=0), posterior.persons.sd, rtol=0.03)


def test_joint_covariance_equals_the_dense_one():
    model, gaussian = at_some_point(make_cohort())
    dense = Dense(model, gaussian)
    matrix = model.design.reports["person"]
    full = matrix.toarray()[:, : model.design.random_size]

    found = gaussian.covariance(matrix, matrix)

    np.testing.assert_allclose(found, full @ dense.covariance @ full.T, atol=1e-9)


def test_the_dense_core_on_torch_gives_the_same_numbers():
    observations = make_cohort()

    here = fit(observations)
    there = fit(observations, device="torch")

    np.testing.assert_allclose(there.persons.mean, here.persons.mean, atol=1e-8)
    np.testing.assert_allclose(there.persons.sd, here.persons.sd, atol=1e-8)
    here, there = (posterior.points[0].gaussian(posterior.model) for posterior in (here, there))
    for one, other in zip(here.inverse_entries, there.inverse_entries, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-8)


def test_the_default_terms_are_those_of_the_product():
    assert DEFAULT_TERMS == ("person", "aspect", "rater", "habit", "affinity", "halo", "output")
