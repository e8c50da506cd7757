"""A gate's answers, and how many people it is expected to leave in the middle."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from evals.noise import Posterior, Shape, fit
from evals.noise.gating import (
    Answer,
    Gate,
    Standing,
    answer_of,
    expect_middle,
    in_part,
    speaking_against,
    through,
)
from tests.evals.noise.noise_cohorts import make_cohort

GATE = Gate(bar=0.0)
SURE = {"through": 0.9, "symmetric": 0.9, "readers": 3, "against": 0, "good_pieces": 2}
UNLIKELY = {"through": 0.1, "symmetric": 0.1, "readers": 3, "against": 2, "good_pieces": 0}


@pytest.mark.parametrize(
    ("known", "answer"),
    [
        (SURE, Answer.YES),
        (SURE | {"through": 0.75}, Answer.YES),
        (SURE | {"through": 0.7499}, Answer.CLOSE),
        (SURE | {"good_pieces": 1}, Answer.CLOSE),
        (SURE | {"readers": 2}, Answer.EARLY),
        (UNLIKELY, Answer.NO),
        (UNLIKELY | {"symmetric": 0.3}, Answer.CLOSE),
        (UNLIKELY | {"through": 0.3}, Answer.CLOSE),
        (UNLIKELY | {"against": 1}, Answer.CLOSE),
        (UNLIKELY | {"against": 1, "has_failed_check": True}, Answer.NO),
        (UNLIKELY | {"readers": 2, "has_failed_check": True}, Answer.EARLY),
    ],
)
def test_it_answers(known, answer):
    assert answer_of(Standing(**known), GATE) == answer


@pytest.mark.parametrize(
    "values", [{}, {"places": 3, "bar": 0.1}, {"bar": 0.0, "yes_from": 0.2}, {"bar": 0.0, "no_to": 0.0}]
)
def test_it_refuses_what_is_no_gate(values):
    with pytest.raises(ValueError, match="A gate"):
        Gate(**values)


@pytest.fixture(scope="module")
def posterior() -> Posterior:
    return fit(make_cohort(), luck="symmetric")


def test_among_everybody_the_chance_of_a_place_is_that_of_the_rank(posterior):
    members = list(posterior.persons.id)

    found = through(posterior, Gate(places=2), members, draws=4000)

    np.testing.assert_allclose(found, posterior.rank_probabilities(2).value, atol=0.03)
    assert found.sum() == pytest.approx(2)


def test_above_a_bar_it_is_the_chance_of_the_level(posterior):
    member = posterior.persons.id[0]

    assert through(posterior, Gate(bar=0.3), [member])[0] == posterior.probability_above(0.3)[member].value


def test_readers_speak_against_where_their_scores_pull_down(posterior):
    for person in posterior.persons.id:
        pieces = posterior.contributions(person)
        rater = posterior.observations.column("rater")
        totals: dict = {}
        for row, value in zip(pieces.rows, pieces.values, strict=True):
            reader = rater.levels[rater.codes[row]]
            totals[reader] = totals.get(reader, 0.0) + value
        assert set(speaking_against(posterior, person)) == {who for who, at in totals.items() if at < 0}


def test_without_noise_the_middle_is_small_and_nobody_is_wronged():
    phi = {"person": 1.0, "noise": 0.15, "rater": 0.1}

    middle = expect_middle(GATE, Shape(12, 4, 2, 3, criteria=2), phi, cohorts=3)

    assert middle.shares[Answer.CLOSE].value <= 0.3
    assert middle.wrong_no.value == middle.wrong_yes.value == 0


def test_without_enough_readers_it_is_too_early_for_everybody():
    middle = expect_middle(GATE, Shape(10, 4, 1, 2), {"person": 1.0, "noise": 0.5}, cohorts=2)

    assert middle.shares[Answer.EARLY].value == 1


def test_the_middle_is_no_smaller_than_what_is_not_known_makes_it():
    """By the closed form for persons, independent pieces and noise, whose spreads are known."""
    phi, shape = {"person": 0.6, "noise": 1.5}, Shape(24, 6, 2, 3, criteria=1)
    variance = phi["noise"] ** 2 / (shape.outputs * shape.ratings)
    reliability = phi["person"] ** 2 / (phi["person"] ** 2 + variance)
    edge = NormalDist().inv_cdf(0.75) * math.sqrt(1 - reliability) / math.sqrt(reliability)
    expected = 2 * NormalDist().cdf(edge) - 1

    share = expect_middle(GATE, shape, phi, cohorts=6).shares[Answer.CLOSE]

    assert share.value > expected - 4 * share.error


def test_a_large_cohort_is_simulated_in_part_at_the_same_rate():
    gate, shape = in_part(Gate(places=30), Shape(120, 60, 2, 3))

    assert (gate.places, shape.people, shape.raters) == (10, 40, 20)


def test_the_same_seed_expects_the_same():
    shape, phi = Shape(12, 5, 2, 3), {"person": 0.8, "noise": 0.8}

    assert expect_middle(GATE, shape, phi, cohorts=2) == expect_middle(GATE, shape, phi, cohorts=2)
