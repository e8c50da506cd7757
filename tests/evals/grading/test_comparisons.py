"""Paired differences, their power, and the board that does not leak."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from evals.grading.comparisons import compare_results, items_needed, p_value, paired, standard_error
from evals.grading.ladder import ladder
from evals.grading.reproduction import combine


def make_pair(gain: float = 0.05, n: int = 1000, seed: int = 1):
    """Two submissions, right on mostly the same items."""
    rng = np.random.default_rng(seed)
    luck = rng.random(n)
    return (luck < 0.7 + gain).astype(float), (luck < 0.7).astype(float)


def test_it_is_the_paired_t_test():
    first, second = make_pair()

    found = paired(first, second, seed=1)

    expected = scipy.stats.ttest_rel(first, second)
    assert found.difference == pytest.approx((first - second).mean())
    assert found.difference / found.standard_error == pytest.approx(expected.statistic)
    assert found.low < found.difference < found.high


def test_pairing_tells_what_separate_intervals_cannot():
    first, second = make_pair(gain=0.03)
    apart = np.hypot(first.std(), second.std()) / np.sqrt(first.size)

    found = paired(first, second, seed=1)

    assert found.correlation > 0.9
    assert found.p_value < 0.01 < 2 * scipy.stats.norm.sf(found.difference / apart)


def test_as_many_items_as_it_asks_for_find_the_difference_four_times_in_five():
    rng = np.random.default_rng(2)
    gap = rng.normal(0.2, 1.0, 5000)
    needed = items_needed(gap.mean(), standard_error(gap, None), gap.size)

    samples = [rng.normal(gap.mean(), gap.std(), needed) for _ in range(1000)]
    hits = [p_value(sample.mean(), standard_error(sample, None)) < 0.05 for sample in samples]

    assert 0.75 < np.mean(hits) < 0.85


def test_equal_submissions_cannot_be_told_apart():
    first, _ = make_pair()

    found = paired(first, first, seed=1)

    assert (found.difference, found.p_value, found.items_needed) == (0.0, 1.0, None)
    assert "cannot be told apart" in found.sentence


def test_clusters_count_as_one():
    first, second = (np.repeat(side, 10) for side in make_pair(n=300))

    found = paired(first, second, seed=1, clusters=np.repeat(np.arange(300), 10))

    single = paired(*make_pair(n=300), seed=1)
    assert found.clusters == 300
    assert found.standard_error == pytest.approx(single.standard_error, rel=0.01)


def test_results_of_different_benchmarks_are_not_compared():
    with pytest.raises(ValueError, match="different benchmarks"):
        compare_results({"record": {"benchmark_hash": "a"}}, {"record": {"benchmark_hash": "b"}})


def test_a_board_by_the_ladder_does_not_tell_an_attacker_the_answers():
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 2, 2000)
    tries = rng.integers(0, 2, (400, 2000))
    right = (tries == truth).astype(float)

    told_by_plain = right.mean(axis=1) > 0.5
    shown = ladder(right)
    told_by_ladder = np.diff(shown, prepend=0) != 0

    plain = ((tries[told_by_plain].mean(axis=0) > 0.5) == truth).mean()
    final = ladder([*right, ((tries[told_by_ladder].mean(axis=0) > 0.5) == truth).astype(float)])[-1]
    assert plain > 0.6
    assert final < 0.56


def test_a_real_gain_shows_at_once():
    better, worse = make_pair(gain=0.1)

    assert ladder([worse, better, worse]) == pytest.approx([worse.mean(), better.mean(), better.mean()])
    assert ladder([better, worse], higher_is_better=False)[-1] == pytest.approx(worse.mean())


def test_runs_over_seeds_add_their_spread_to_the_items_error():
    found = combine([0.90, 0.92, 0.94], [0.01, 0.01, 0.01], claimed=0.925, margin=0.05)

    assert found.value == pytest.approx(0.92)
    assert found.standard_error == pytest.approx(np.sqrt(0.0004 / 3 + 0.0001))
    assert found.equivalent is True
    assert combine([0.90, 0.92], [0.01, 0.01], claimed=0.99, margin=0.05).equivalent is False
    with pytest.raises(ValueError, match="at least two"):
        combine([0.9], [0.01])
