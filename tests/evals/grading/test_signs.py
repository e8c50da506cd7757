"""Signs of leaks: they show where there is one, and stay quiet where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from evals.grading.benchmarks import load_benchmark
from evals.grading.phases import GradeRequest, run_phase
from evals.grading.scoring import Scorer
from evals.grading.signs import binomial_tail, contamination
from tests.evals.grading.makers import make_benchmark

GSM8K = Path("../shared/data/grading")


@pytest.mark.parametrize(
    ("hits", "trials", "chance"), [(3, 10, 0.1), (0, 10, 0.5), (10, 10, 0.2), (700, 1000, 0.5)]
)
def test_the_tail_is_scipy_s(hits, trials, chance):
    assert binomial_tail(hits, trials, chance) == pytest.approx(
        scipy.stats.binom.sf(hits - 1, trials, chance)
    )


def test_canaries_and_controls_stand_in_the_record(tmp_path):
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 2, 200)
    rows = "".join(f"{n},{label},{int(n >= 160)}\n" for n, label in enumerate(labels))
    data = {"inputs": "inputs.csv", "labels": "hidden/labels.csv", "canary": "trap"}
    folder = make_benchmark(tmp_path / "b", labels=f"id,label,trap\n{rows}", data=data)
    benchmark = load_benchmark(folder)
    guesses = np.where(np.arange(200) < 160, labels ^ (rng.random(200) < 0.2), rng.integers(0, 2, 200))
    results = {}
    with Scorer(device="cpu") as scorer:
        for name, answers in (("honest", guesses), ("leak", labels)):
            path = tmp_path / f"{name}.csv"
            path.write_text("id,pred\n" + "".join(f"{n},{answer}\n" for n, answer in enumerate(answers)))
            results[name] = run_phase("thorough", GradeRequest(benchmark, path), scorer=scorer)

    honest, leak = (results[name].record["controls"] for name in ("honest", "leak"))
    assert results["honest"].measurements[0]["n"] == 160
    assert honest["canaries"]["p_value"] > 0.001 > leak["canaries"]["p_value"]
    assert honest["shuffled"]["value"] == pytest.approx(0.5, abs=0.06)
    assert honest["shuffled"]["p_value"] < 0.001
    assert honest["constant"] == pytest.approx(max(labels[:160].mean(), 1 - labels[:160].mean()))


def test_coverage_counts_runs_of_words():
    training = ["one two three four five six seven eight nine"]
    texts = [
        "ONE two, three four five six seven eight!",
        "one two three four",
        "a b c one two three four five six seven eight",
    ]

    found = contamination(texts, training)

    assert (found.texts, found.any_overlap, found.half_covered) == (3, 2, 2)


TEXT = "the quick brown fox jumps over the lazy dog again"


@pytest.mark.parametrize(
    ("training", "found"),
    [
        (json.dumps({"text": f"once {TEXT} and more"}), 1),
        (f"a line\n{TEXT}\n", 1),
        ("nothing of that kind is in here, no run of words at all", 0),
    ],
)
def test_declared_training_data_that_hold_the_benchmark_stand_in_the_record(tmp_path, training, found):
    folder = make_benchmark(
        tmp_path / "b", inputs=f"id,text\n1,{TEXT}\n2,some other words that stand alone\n"
    )
    (tmp_path / "a.csv").write_text("id,pred\n1,0\n2,1\n")
    (tmp_path / "training.jsonl").write_text(training)
    request = GradeRequest(load_benchmark(folder), tmp_path / "a.csv", training=tmp_path / "training.jsonl")

    record = run_phase("qualification", request).record

    assert record["contamination"] == {"texts": 2, "any_overlap": found, "half_covered": found, "words": 8}


@pytest.mark.reference
@pytest.mark.parametrize("words", [8, 10, 13])
def test_contamination_matches_the_published_counts(words):
    lines = [
        (GSM8K / name).read_text("utf-8").splitlines()
        for name in ("gsm8k_test.jsonl", "gsm8k_train_1500.jsonl")
    ]
    test, train = ([json.loads(line)["question"] for line in part] for part in lines)
    expected = json.loads((GSM8K / "gsm8k_contamination_oracle.json").read_text())[f"train_1500_n{words}"]

    found = contamination(test, train, words=words)

    assert {
        "test": found.texts,
        "any_overlap": found.any_overlap,
        "half_covered": found.half_covered,
    } == expected
