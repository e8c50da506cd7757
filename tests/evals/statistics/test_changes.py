"""Changes of shares against published intervals, second derivations and simulation."""

import math

import numpy as np
import pytest

from evals.statistics.changes import paired_change, silence_bounds, silence_change, unpaired_change


@pytest.mark.parametrize(
    ("after", "before", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_unpaired_changes_are_newcombes(after, before, low, high):
    """Newcombe (1998), table II, method 10."""
    found = unpaired_change(before, after)

    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_a_paired_change_is_the_published_one():
    """Approval of a prime minister by 1,600 people asked twice: -0.06 to -0.02 (Agresti, Categorical Data Analysis)."""
    found = paired_change(gained=86, lost=150, of=1600)

    assert found.difference == pytest.approx(-0.04)
    assert (round(found.low, 2), round(found.high, 2)) == (-0.06, -0.02)


@pytest.mark.parametrize(("gained", "lost", "of"), [(3, 1, 20), (0, 0, 10), (7, 0, 7), (5, 9, 30)])
def test_it_is_walds_interval_of_the_table_with_half_a_person_more_in_each_cell(gained, lost, of):
    """Second derivation: the variance of a contrast of multinomial shares."""
    cells = np.array([gained, lost, of - gained - lost, 0.0]) + np.array([0.5, 0.5, 1.0, 0.0])
    shares = cells / cells.sum()
    covariance = (np.diag(shares) - np.outer(shares, shares)) / cells.sum()
    contrast = np.array([1.0, -1.0, 0.0, 0.0])
    reach = 1.959963984540054 * math.sqrt(contrast @ covariance @ contrast)

    found = paired_change(gained=gained, lost=lost, of=of)

    middle = float(contrast @ shares)
    assert (found.low, found.high) == pytest.approx((max(-1, middle - reach), min(1, middle + reach)))


@pytest.mark.parametrize(
    ("shares", "most"), [((0.2, 0.1, 0.7), 0.975), ((0.05, 0.02, 0.93), 0.996), ((0.4, 0.3, 0.3), 0.965)]
)
def test_paired_intervals_cover_about_as_often_as_they_say(shares, most):
    """Where hardly anybody changes their answer they are known to be too wide."""
    rng, rounds, of = np.random.default_rng(11), 4_000, 40
    counts = rng.multinomial(of, shares, size=rounds)
    truth = shares[0] - shares[1]
    found = [paired_change(gained=int(gained), lost=int(lost), of=of) for gained, lost, _ in counts]
    covered = np.mean([one.low <= truth <= one.high for one in found])

    assert 0.935 < covered < most


def test_the_other_way_round_it_is_the_negative():
    there, back = paired_change(gained=5, lost=2, of=20), paired_change(gained=2, lost=5, of=20)

    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))


def test_silence_may_have_hidden_either_answer():
    found = silence_bounds(30, answered=40, asked=50)

    assert (found.answered, found.least, found.most) == (0.75, 0.6, 0.8)
    assert found.low < found.least < found.most < found.high


def test_without_silence_nothing_is_left_open():
    found = silence_bounds(30, answered=40, asked=40)

    assert found.answered == found.least == found.most


def test_a_change_between_silences_is_as_wide_as_both():
    assert silence_change((5, 8, 10), (6, 9, 10)) == pytest.approx((0.6 - 0.7, 0.7 - 0.5))


@pytest.mark.parametrize(
    "call",
    [
        lambda: paired_change(gained=-1, lost=0, of=5),
        lambda: paired_change(gained=3, lost=3, of=5),
        lambda: paired_change(gained=0, lost=0, of=0),
        lambda: paired_change(gained=1, lost=1, of=5, level=0.0),
        lambda: unpaired_change((3, 2), (1, 2)),
        lambda: silence_bounds(5, answered=4, asked=9),
        lambda: silence_bounds(0, answered=0, asked=9),
    ],
)
def test_counts_that_cannot_be_are_refused(call):
    with pytest.raises(ValueError, match=r"give|must be"):
        call()
