"""Scores of probabilities, by hand and in their limits."""

from math import inf, log

import pytest

from evals.statistics.probability_scores import score_forecasts


def test_it_is_the_mean_of_squares_and_of_logs():
    scored = score_forecasts([0.8, 0.4, 0.5], [True, False, True])

    assert scored.brier == pytest.approx((0.04 + 0.16 + 0.25) / 3)
    assert scored.log == pytest.approx(-(log(0.8) + log(0.6) + log(0.5)) / 3)
    assert scored.skill == pytest.approx(1 - scored.brier / (2 / 9))


def test_always_saying_one_half_gives_a_quarter():
    scored = score_forecasts([0.5] * 4, [True, False, True, False])

    assert (scored.brier, scored.skill) == (0.25, 0)
    assert scored.log == pytest.approx(log(2))


def test_being_sure_and_right_is_perfect_and_sure_and_wrong_is_past_repair():
    assert score_forecasts([1.0, 0.0], [True, False]).log == 0
    assert score_forecasts([1.0], [False]).log == inf


@pytest.mark.parametrize("stated", [0.1, 0.5, 0.69, 0.71, 0.95])
def test_nobody_does_better_than_by_saying_what_they_think(stated):
    """Of ten things that come true seven times, 0.7 scores best by both rules."""
    outcomes = [True] * 7 + [False] * 3
    honest, other = score_forecasts([0.7] * 10, outcomes), score_forecasts([stated] * 10, outcomes)

    assert honest.brier < other.brier
    assert honest.log < other.log


def test_where_everything_came_out_alike_no_base_rate_can_be_beaten():
    assert score_forecasts([0.9, 0.8], [True, True]).skill is None


@pytest.mark.parametrize(
    ("probabilities", "outcomes"),
    [([], []), ([0.5], [True, False]), ([1.2], [True]), ([float("nan")], [True])],
)
def test_it_refuses_what_is_no_probability(probabilities, outcomes):
    with pytest.raises(ValueError, match=r"give one or more|lies from 0 to 1"):
        score_forecasts(probabilities, outcomes)
