"""Who foresaw dates how well."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

from evals.statistics.date_scores import DateForecast, interval_score, score_dates


def test_errors_are_days_and_late_is_positive():
    found = score_dates([DateForecast("ann", 1, 10, 14), DateForecast("ann", 2, 10, 8)])[0]

    assert (found.signed, found.absolute, found.milestones, found.forecasts) == (1.0, 3.0, 2, 2)
    assert (found.interval, found.covered) == (None, None)


def test_saying_it_often_counts_no_more():
    once = [DateForecast("ann", 1, 10, 20), DateForecast("ann", 2, 10, 10)]

    assert score_dates(once)[0].absolute == score_dates([*once, *[once[0]] * 8])[0].absolute == 5.0


def test_each_forecaster_has_their_own():
    found = score_dates([DateForecast("ann", 1, 10, 14), DateForecast("bo", 1, 13, 14)])

    assert [(one.forecaster, one.absolute) for one in found] == [("ann", 4.0), ("bo", 1.0)]


def test_ranges_are_scored_where_they_are_given():
    told = [DateForecast("ann", 1, 10, 12, low=8, high=14), DateForecast("ann", 2, 10, 20, low=8, high=14)]

    found = score_dates([*told, DateForecast("ann", 3, 1, 1)])[0]

    assert found.covered == 0.5
    assert found.interval == pytest.approx((6 + (6 + 10 * 6)) / 2)
    assert found.ranges == 2


def test_the_true_quantiles_score_best():
    """The property that makes it proper: on many draws its minimum lies at the quantiles."""
    draws = np.random.default_rng(3).normal(30, 6, 4_000)

    def loss(ends: np.ndarray) -> float:
        low, width = ends
        return float(np.mean([interval_score(low, low + abs(width), day, level=0.8) for day in draws]))

    best = minimize(loss, (20.0, 20.0), method="Nelder-Mead", options={"xatol": 0.05, "fatol": 1e-3}).x

    assert best[0] == pytest.approx(norm.ppf(0.1, 30, 6), abs=0.4)
    assert best[0] + best[1] == pytest.approx(norm.ppf(0.9, 30, 6), abs=0.4)


@pytest.mark.parametrize(
    ("values", "says"), [((3, 2, 1), "earlier end"), ((1, 2, 3, 1.0), "between 0 and 1")]
)
def test_it_refuses(values, says):
    low, high, happened, *level = values
    with pytest.raises(ValueError, match=says):
        interval_score(low, high, happened, **({"level": level[0]} if level else {}))
