"""What follows from a posterior: order, tiers, designs, next ratings."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from noise_cohorts import CRITERIA, make_cohort, make_rows

from evals.noise import Bar, Observations, Top, fit, simulate
from evals.noise.asking import expected_gain_of_best
from evals.noise.gaussian import Gaussian
from evals.noise.model import Model, Settings
from evals.noise.ranking import best_blocks
from evals.noise.reliability import Plan


@pytest.fixture(scope="module")
def posterior():
    return fit(make_cohort())


def test_probability_above_is_half_at_the_mean(posterior):
    ann = posterior.persons["p3"]

    assert posterior.probability_above(ann.mean)["p3"].value == pytest.approx(0.5)
    assert posterior.probability_above(ann.q95)["p3"].value == pytest.approx(0.05)


def test_probabilities_of_the_top_sum_to_its_size(posterior):
    chances = posterior.rank_probabilities(4)

    assert chances.value.sum() == pytest.approx(4.0)
    assert np.all(chances.error < 0.01)


def test_expected_ranks_sum_as_ranks_do(posterior):
    people = len(posterior.persons)

    assert posterior.expected_ranks().value.sum() == pytest.approx(people * (people + 1) / 2)


def test_pairwise_agrees_with_the_joint_normal(posterior):
    gaussian = posterior.points[0].gaussian(posterior.model)
    matrix = posterior.model.design.reports["person"]
    covariance = gaussian.covariance(matrix, matrix)
    one, other = posterior.persons.place["p1"], posterior.persons.place["p2"]
    spread = covariance[one, one] + covariance[other, other] - 2 * covariance[one, other]
    from scipy.stats import norm

    expected = norm.cdf((posterior.persons.mean[one] - posterior.persons.mean[other]) / np.sqrt(spread))
    found = posterior.pairwise("p1", "p2")

    assert abs(found.value - expected) < 5 * found.error


def test_blocks_equal_brute_force_on_eight():
    rng = np.random.default_rng(4)
    for level in (0.6, 0.75, 0.9):
        wrong = np.triu(rng.uniform(0, 0.5, (8, 8)), 1)

        def loss(cuts, wrong=wrong, level=level):
            block = np.cumsum([0, *cuts])
            together = block[:, None] == block[None, :]
            return sum(1 - level if together[i, j] else wrong[i, j] for i, j in combinations(range(8), 2))

        best = min(loss(cuts) for cuts in product((0, 1), repeat=7))

        found = best_blocks(wrong, level)
        cuts = [int(any(block.start == at for block in found)) for at in range(1, 8)]
        assert loss(cuts) == pytest.approx(best)


def test_tiers_hold_everybody_once(posterior):
    tiers = posterior.tiers(0.75)

    listed = [person for tier in tiers for person in tier]
    assert sorted(listed) == sorted(posterior.persons.id)
    assert len(tiers) < len(listed)


def test_a_lottery_fills_every_place(posterior):
    band = posterior.lottery_band(4)

    assert len(band.chosen) + band.places_left == 4
    assert len(band.drawn_from) >= band.places_left
    assert len(band.chosen) + len(band.drawn_from) + len(band.out) == len(posterior.persons)


def test_reliability_is_the_textbook_coefficient(posterior):
    variance = {name: at.mean**2 for name, at in posterior.sds.items()}
    signal = variance["person"] + variance["aspect"] / 3
    relative = (
        variance["output"] / 2 + variance["affinity"] / 4 + variance["halo"] / 4 + variance["noise"] / 12
    )
    shared = variance["rater"] / 4 + variance["habit"] / 12

    found = posterior.reliability(4, 2)

    assert found.relative.mean == pytest.approx(signal / (signal + relative))
    assert found.absolute.mean == pytest.approx(signal / (signal + relative + shared))


def test_the_smallest_design_reaches_the_target_and_no_smaller_one_does(posterior):
    found = posterior.reliability(2, 2, target=0.7)

    plan = found.smallest
    assert posterior.reliability(plan.raters, plan.outputs, plan.per_rater).relative.mean >= 0.7
    fewer = [
        (raters, outputs, each)
        for outputs in range(1, 13)
        for each in range(1, min(outputs, 4) + 1)
        for raters in range(1, 31)
        if raters * each < plan.ratings and raters * each >= outputs
    ]
    assert all(posterior.reliability(*design).relative.mean < 0.7 for design in fewer)


def test_repeated_ratings_by_one_rater_are_worth_less():
    template = make_cohort(people=60, raters=12, raters_each=3)
    drawn = simulate(template, {"person": 0.5, "affinity": 0.7, "noise": 0.3}, np.random.default_rng(0))

    posterior = fit(drawn.observations)

    assert posterior.reliability(2, 2, 1).relative.mean > posterior.reliability(1, 2, 2).relative.mean


def test_it_refuses_a_design_without_raters(posterior):
    with pytest.raises(ValueError, match="at least 1 rater"):
        Plan(0, 1)


@pytest.mark.parametrize("seed", range(5))
def test_the_gain_of_the_best_equals_brute_force_on_five_people(seed):
    rng = np.random.default_rng(seed)
    mean, s = rng.normal(size=5), rng.normal(size=5)
    z, step = np.linspace(-9, 9, 400_001, retstep=True)
    best = np.sort(mean[:, None] + s[:, None] * z, axis=0)[-2:].sum(axis=0)
    expected = (best * np.exp(-(z**2) / 2)).sum() * step / np.sqrt(2 * np.pi) - np.sort(mean)[-2:].sum()

    assert expected_gain_of_best(mean, s, 2) == pytest.approx(expected, abs=1e-7)


def test_the_gain_at_a_bar_equals_brute_force():
    rng = np.random.default_rng(1)
    mean, root = np.array([0.3, -0.2, 0.0]), np.diag([0.2, 0.5, 0.1])
    there = mean + rng.standard_normal((2_000_000, 3)) * root.diagonal()
    expected = (np.maximum(there - 0.1, 0).mean(axis=0) - np.maximum(mean - 0.1, 0)).sum()

    assert Bar(0.1).gain(mean, root) == pytest.approx(expected, abs=1e-3)


def test_the_best_are_chosen_along_the_largest_part_of_the_movement():
    rng = np.random.default_rng(2)
    mean, root = rng.normal(size=6), rng.normal(size=(6, 3))
    value, vector = np.linalg.eigh(root @ root.T)

    expected = expected_gain_of_best(mean, vector[:, -1] * np.sqrt(value[-1]), 2)

    assert Top(2).gain(mean, root) == pytest.approx(expected, rel=1e-9)


def test_movement_equals_the_variance_that_the_new_scores_remove():
    rows, credit = make_rows()
    posterior = fit(Observations.from_rows(rows, credit=credit))
    done = {(row["output"], row["rater"]) for row in rows}
    pair = next((o, r) for o in ("o0", "o1") for r in ("r0", "r1", "r2") if (o, r) not in done)
    new = [{"output": pair[0], "rater": pair[1], "instrument": name, "score": 3.0} for name in CRITERIA]
    wider = Model.build(Observations.from_rows([*rows, *new], credit=credit), Settings())
    hyper = replace(posterior.points[0].hyper)
    before = posterior.points[0].gaussian(posterior.model).report("person")[1] ** 2
    after = Gaussian(wider.design, hyper).report("person")[1] ** 2

    from evals.noise.asking import _Outlook

    root = _Outlook.of(posterior, [pair]).movement(0)

    assert wider.names == posterior.model.names
    np.testing.assert_allclose((root**2).sum(axis=1), before - after, atol=1e-9)


def test_it_asks_where_most_is_gained(posterior):
    asks = posterior.next_ratings(Top(4), n=3)

    assert len({(ask.output, ask.rater) for ask in asks}) == 3
    assert asks[0].gain >= asks[1].gain >= asks[2].gain > 0


def test_it_refuses_to_ask_a_stranger(posterior):
    with pytest.raises(ValueError, match="is unknown"):
        posterior.next_ratings(Bar(0.0), pairs=[("o1", "stranger")])
