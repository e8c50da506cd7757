"""Shared mistakes: found where one team copied another, quiet where items are merely hard and mistakes popular."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from evals.grading.benchmarks import load_benchmark
from evals.grading.phases import GradeRequest, run_phase
from evals.grading.scoring import Scorer
from evals.grading.sketches import LONGEST_SKETCH, resemblances, sketch, tail
from tests.evals.grading.makers import make_benchmark

ITEMS = 1500


def make_teams(count: int, *, classes: int = 10, seed: int = 1):
    """Truth and honest teams: some items are hard for all, and each item has one tempting wrong answer."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, ITEMS)
    hard = rng.beta(0.4, 2.0, ITEMS)
    tempting = (truth + rng.integers(1, classes, ITEMS)) % classes
    teams = []
    for _ in range(count):
        other = (truth + rng.integers(1, classes, ITEMS)) % classes
        wrong = np.where(rng.random(ITEMS) < 0.7, tempting, other)
        teams.append(np.where(rng.random(ITEMS) < hard * rng.uniform(0.6, 1.2), wrong, truth))
    return truth, teams


def sketched(truth, answers):
    return sketch(answers.astype(np.int64), answers != truth, secret=b"labels")


@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_honest_teams_are_not_striking_though_they_share_hard_items(classes, seed):
    truth, teams = make_teams(8, classes=classes, seed=seed)
    first, *rest = [sketched(truth, answers) for answers in teams]

    found = resemblances(first, rest)

    assert all(alike.shared > 10 for alike in found)
    assert not any(alike.is_striking for alike in found)


@pytest.mark.parametrize("classes", [2, 10])
def test_a_copy_is_striking_and_nobody_else(classes):
    truth, teams = make_teams(8, classes=classes)
    copied = np.where(np.random.default_rng(2).random(ITEMS) < 0.8, teams[0], teams[1])

    found = resemblances(sketched(truth, copied), [sketched(truth, answers) for answers in teams])

    assert [alike.is_striking for alike in found] == [True] + [False] * 7


def test_the_same_comes_of_both_ways_round():
    truth, teams = make_teams(7)
    first, second, *rest = [sketched(truth, answers) for answers in teams]

    assert resemblances(first, [second, *rest])[0] == resemblances(second, [first, *rest])[0]


def test_too_few_others_tell_nothing():
    truth, teams = make_teams(1)
    mine = sketched(truth, teams[0])

    assert resemblances(mine, [mine] * 4) == [None] * 4


def test_teams_without_mistakes_are_not_striking():
    right = np.zeros(50, np.uint8)

    assert not any(alike.is_striking for alike in resemblances(right, [right] * 6))


def test_a_sketch_is_short_and_tells_no_order():
    truth, teams = make_teams(2)
    long = np.tile(teams[0] - truth, 5)

    assert len(sketch(long, long != 0, secret=b"a")) == LONGEST_SKETCH
    one, two = (sketch(teams[0], teams[0] != truth, secret=secret) for secret in (b"a", b"b"))
    assert (one > 0).sum() == (two > 0).sum()
    assert (one != two).any()


@pytest.mark.parametrize(("hits", "chance"), [(3, 0.1), (9, 0.5), (10, 0.2)])
def test_the_tail_of_equal_chances_is_the_binomial_one(hits, chance):
    assert tail(hits, np.full(10, chance)) == pytest.approx(scipy.stats.binom.sf(hits - 1, 10, chance))


TASKS = {
    "classification": ("id,label\n1,0\n2,1\n3,1\n", "id,pred\n1,0\n2,0\n3,1\n", {}),
    "multilabel": ("id,l_0,l_1\n1,0,1\n2,1,1\n3,0,0\n", "id,l_0,l_1\n1,0,1\n2,0,1\n3,0,0\n", {}),
    "text": ("id,label\n1,a\n2,b|c\n3,d\n", "id,answer\n1,A\n2,x\n3,d.\n", {}),
    "regression": ("id,label\n1,0.5\n2,1\n3,2\n", "id,value\n1,0\n2,0\n3,1\n", {}),
}


@pytest.mark.parametrize(
    ("task", "wrong"), [("classification", 1), ("multilabel", 1), ("text", 1), ("regression", None)]
)
def test_a_result_carries_the_sketch_where_answers_can_be_wrong(tmp_path, task, wrong):
    labels, answers, values = TASKS[task]
    benchmark = load_benchmark(make_benchmark(tmp_path / "b", labels=labels, task=task, **values))
    (tmp_path / "a.csv").write_text(answers)

    with Scorer(device="cpu") as scorer:
        result = run_phase("thorough", GradeRequest(benchmark, tmp_path / "a.csv"), scorer=scorer)

    assert (None if result.mistakes is None else int((result.mistakes > 0).sum())) == wrong
