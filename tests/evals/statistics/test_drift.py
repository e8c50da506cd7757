"""Drift of date forecasts, by a second derivation, at its limits and over simulated forecasters."""

import doctest
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import linregress
from scipy.stats import t as student

from evals.statistics import changes, date_scores
from evals.statistics import drift as module
from evals.statistics.drift import Shape, by_window, drift, reread

NOISY = [(0.0, 31.0), (7.0, 33.0), (14.0, 39.0), (21.0, 40.0), (28.0, 47.0), (35.0, 48.0)]


@pytest.mark.parametrize("told", [module, changes, date_scores])
def test_the_examples_of_the_documentation_are_true(told):
    found = doctest.testmod(told)

    assert found.attempted > 0
    assert found.failed == 0


def test_it_is_the_line_that_scipy_draws():
    line, other = drift(NOISY), linregress(*zip(*NOISY, strict=True))

    assert line.slope == pytest.approx(other.slope)
    assert line.at(0.0) == pytest.approx(other.intercept)
    assert line.meets == pytest.approx(other.intercept / (1 - other.slope))


def test_its_interval_ends_where_a_t_test_of_the_gap_turns():
    """Second derivation: the days on which the line's own t statistic against *today* is the quantile."""
    line = drift(NOISY, level=0.9)
    made, predicted = map(np.array, zip(*NOISY, strict=True))
    design = np.column_stack([np.ones(made.size), made])
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ predicted
    variance = np.sum((predicted - design @ beta) ** 2) / (made.size - 2)

    def excess(day: float) -> float:
        at = np.array([1.0, day])
        return abs(at @ beta - day) / math.sqrt(variance * at @ inverse @ at) - student.ppf(
            0.95, made.size - 2
        )

    assert line.interval.is_bounded
    assert line.interval.low == pytest.approx(brentq(excess, made.mean(), line.meets), rel=1e-9)
    assert line.interval.high == pytest.approx(brentq(excess, line.meets, 1e4), rel=1e-9)


def test_without_noise_the_interval_is_the_day_itself():
    line = drift([(0, 30), (10, 35), (20, 40), (30, 45)])

    assert (line.slope, line.meets) == (0.5, 60.0)
    assert (line.interval.low, line.interval.high) == pytest.approx((60.0, 60.0))


def test_a_steady_forecast_meets_its_own_day():
    line = drift([(0, 30), (5, 30), (12, 30)])

    assert (line.slope, line.meets) == (0.0, 30.0)


@pytest.mark.parametrize("slope", [1.0, 1.5])
def test_a_slope_of_one_or_more_recedes_and_meets_nothing(slope):
    line = drift([(day, 30 + slope * day) for day in range(0, 40, 8)])

    assert line.recedes
    assert line.meets is None


def test_a_slope_that_may_be_one_leaves_the_day_open():
    pairs = [(0, 20), (7, 29), (14, 33), (21, 44), (28, 45)]
    line = drift(pairs, level=0.95)

    assert not line.recedes
    assert line.interval.shape is Shape.OUTSIDE
    assert line.interval.covers(line.meets)
    assert line.interval.covers(1e9)


def test_noise_alone_leaves_any_day():
    line = drift([(0, 1), (1, -30), (2, 33)], level=0.99)

    assert line.interval.shape is Shape.ANY
    assert line.interval.covers(-5.0)


@pytest.mark.parametrize(
    ("pairs", "values", "says"),
    [
        ([], {}, "at least 3"),
        ([(0, 1), (1, 2)], {}, "at least 3"),
        ([(0, 1), (0, 2), (1, 3), (1, 9)], {}, "2 different dates"),
        (NOISY, {"window": 10}, "2 different dates"),
        (NOISY, {"window": 0}, "positive number"),
        (NOISY, {"level": 1.0}, "between 0 and 1"),
        ([(0, 1), (1, math.nan), (2, 3)], {}, "no number"),
    ],
)
def test_it_refuses(pairs, values, says):
    with pytest.raises(ValueError, match=says):
        drift(pairs, **values)


def test_the_slope_depends_on_the_window():
    steady_then_late = [(0, 40), (7, 40), (14, 40), (21, 47), (28, 54), (35, 61)]

    slopes = {line.window: line.slope for line in by_window(steady_then_late, [7, 14, 21, None])}

    assert slopes[14] == pytest.approx(1.0)
    assert slopes[None] < slopes[21] <= slopes[14]
    assert 7 not in slopes


def test_what_changed_when_the_data_were_read_again():
    corrected = [*NOISY[:-1], (35.0, 60.0)]

    found = reread(NOISY, corrected)

    assert (found.added, found.removed) == (((35.0, 60.0),), ((35.0, 48.0),))
    assert found.slope_changed_by == pytest.approx(drift(corrected).slope - drift(NOISY).slope)
    assert found.moved_by == pytest.approx(drift(corrected).meets - drift(NOISY).meets)
    assert reread(NOISY, NOISY[::-1]).moved_by == pytest.approx(0.0)


def test_a_meeting_that_is_lost_has_not_moved():
    gone = [(day, 30 + 2 * day) for day, _ in NOISY]

    assert reread(NOISY, gone).moved_by is None


days = st.lists(
    st.tuples(st.integers(0, 200), st.integers(-100, 400)), min_size=3, max_size=20, unique_by=lambda p: p[0]
)


@settings(max_examples=100, deadline=None)
@given(days, st.integers(-10_000, 10_000), st.randoms())
def test_neither_the_calendar_nor_the_order_matters(pairs, shift, random):
    moved = [(made + shift, predicted + shift) for made, predicted in pairs]
    random.shuffle(moved)
    line, other = drift(pairs), drift(moved)

    assert other.slope == pytest.approx(line.slope, abs=1e-9)
    assert other.interval.shape == line.interval.shape or abs(line.residual_sd) < 1e-6 or near_the_edge(line)
    if line.meets is not None and line.slope < 0.9:
        assert other.meets - shift == pytest.approx(line.meets, abs=1e-4)


def near_the_edge(line: module.Drift) -> bool:
    """Where rounding decides between two shapes."""
    return max(abs(line.interval.low), abs(line.interval.high)) > 1e5


@settings(max_examples=100, deadline=None)
@given(days)
def test_the_meeting_lies_in_its_interval(pairs):
    line = drift(pairs)

    if line.meets is not None and line.residual_sd > 1e-6:
        assert line.interval.covers(line.meets)


@pytest.mark.parametrize("slope", [0.0, 0.5, 0.9])
def test_it_covers_the_true_day_as_often_as_it_says(slope):
    rng = np.random.default_rng(7)
    made = np.arange(0.0, 70.0, 7.0)
    truth, rounds = 40 / (1 - slope), 2_000
    hits = sum(
        drift(
            zip(made, 40 + slope * made + rng.normal(0, 5, made.size), strict=True), level=0.9
        ).interval.covers(truth)
        for _ in range(rounds)
    )

    assert hits / rounds == pytest.approx(0.9, abs=4 * math.sqrt(0.09 / rounds))
