"""Asymmetric luck raises and lowers nobody on average, whether luck is asymmetric or not."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from evals.noise import Observations, fit, simulate

COHORTS, PEOPLE, MOST_OUTPUTS = 20, 48, 4
PHI = {"person": 0.5, "rater": 0.3, "noise": 0.4}
NORMAL, TAIL = 0.2, 0.45


def planned(rng):
    """One to four outputs each, by turns; two of twelve raters read each of them on two criteria."""
    return Observations.from_rows(
        {"person": who, "output": f"{who}.{at}", "rater": f"r{rater}", "instrument": criterion, "score": 0.0}
        for who in range(PEOPLE)
        for at in range(1 + who % MOST_OUTPUTS)
        for rater in rng.choice(12, 2, replace=False)
        for criterion in ("craft", "rigour")
    )


def lucks(world, size, rng):
    normal = rng.standard_normal(size)
    if world == "symmetric":
        return np.hypot(NORMAL, TAIL) * normal
    luck = NORMAL * normal - rng.exponential(TAIL, size) + TAIL
    return luck if world == "true" else -luck


@cache
def fitted(world):
    """Truth, asymmetric and symmetric estimate, and number of outputs, of everybody in all cohorts."""
    found = []
    for seed in range(COHORTS):
        rng = np.random.default_rng([31, seed])
        drawn = simulate(planned(rng), PHI, rng)
        output = drawn.observations.columns["output"]
        luck = lucks(world, len(output.levels), rng)[output.codes]
        seen = replace(drawn.observations, score=drawn.observations.score + luck)
        both = fit(seen, terms=("person", "rater", "output"), luck="asymmetric")
        truth = [drawn.persons[who] for who in both.persons.id]
        found.append((truth, both.persons.mean, both.symmetric.persons.mean, both.persons.outputs))
    return np.stack(found).transpose(1, 0, 2)


@pytest.mark.parametrize("world", ["true", "symmetric", "reversed"])
def test_nobody_is_raised_or_lowered_for_the_number_of_their_outputs(world):
    _, asymmetric, symmetric, outputs = fitted(world)

    for number in range(1, MOST_OUTPUTS + 1):
        change = (asymmetric - symmetric)[outputs == number]
        assert abs(change.mean()) < max(0.01, 3 * change.std() / np.sqrt(change.size))


@pytest.mark.parametrize("world", ["symmetric", "reversed"])
def test_where_luck_is_not_asymmetric_nothing_is_lost(world):
    truth, asymmetric, symmetric, _ = fitted(world)

    assert np.mean((asymmetric - truth) ** 2) < 1.01**2 * np.mean((symmetric - truth) ** 2)


def test_where_luck_is_asymmetric_estimates_are_nearer_the_truth():
    truth, asymmetric, symmetric, _ = fitted("true")

    assert np.mean((asymmetric - truth) ** 2) < 0.97**2 * np.mean((symmetric - truth) ** 2)
