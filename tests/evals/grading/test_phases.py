"""Phases, end to end on the demo's digits: real weights, real walls, real intervals."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from evals.grading.benchmarks import load_benchmark
from evals.grading.claims import check_claims, parse_claims
from evals.grading.frames import Frame
from evals.grading.intake import TABLE_FORMATS
from evals.grading.phases import GradeRequest, run_phase
from evals.grading.processes import descendants
from evals.grading.refusals import ChildCrashed, Refused, Stopped
from evals.grading.scoring import Scorer, ScorerFault
from tests.evals.grading.makers import make_benchmark, make_npz, make_safetensors, make_zip

DIGITS = Path("evals/grading/demo/digits")


@pytest.fixture(scope="module")
def digits():
    return load_benchmark(DIGITS)


@pytest.fixture(scope="module")
def scorer():
    with Scorer(device="cpu") as running:
        yield running


@pytest.fixture(scope="module")
def truth():
    rows = (DIGITS / "hidden/labels.csv").read_text().split()[1:]
    return {row.split(",")[0]: row.split(",")[1] for row in rows}


def write_answers(path: Path, answers: dict[str, str]) -> Path:
    """A table of predictions."""
    path.write_text("id,pred\n" + "".join(f"{name},{answer}\n" for name, answer in answers.items()))
    return path


def trained_weights() -> dict[str, np.ndarray]:
    """A linear classifier by ridge regression, no torch needed."""
    data = np.load(DIGITS / "train.npz")
    x = np.column_stack([data["x"] / 16.0, np.ones(len(data["x"]))])
    solution = np.linalg.solve(x.T @ x + np.eye(65), x.T @ np.eye(10)[data["y"]])
    return {"weight": solution[:64].T * 10, "bias": solution[64] * 10}


def run_all(request: GradeRequest, scorer: Scorer):
    """The three phases' results."""
    return [run_phase(name, request, scorer=scorer) for name in ("qualification", "safety", "thorough")]


def test_a_table_that_is_right_to_the_last_item_scores_one(digits, scorer, truth, tmp_path):
    results = run_all(GradeRequest(digits, write_answers(tmp_path / "a.csv", truth), device="cpu"), scorer)

    assert [result.state for result in results] == ["succeeded"] * 3
    found = {(row["metric"], row["slice"]): row for row in results[-1].measurements}
    assert found["accuracy", ""]["value"] == 1.0
    assert found["accuracy", ""]["n"] == 797
    for metric in ("accuracy", "macro_f1"):
        row = found[metric, ""]
        assert 0.99 < row["low"] < row["high"] == 1.0
        assert 0 < row["standard_error"] < 0.01
    assert found["accuracy", "ink=dark"]["n"] + found["accuracy", "ink=light"]["n"] == 797
    assert "log_loss" not in {metric for metric, _ in found}


def test_weights_give_what_the_same_model_gives_outside(digits, scorer, truth, tmp_path):
    weights = trained_weights()
    (tmp_path / "a.safetensors").write_bytes(make_safetensors(weights))
    inputs = np.load(DIGITS / "inputs.npz")
    logits = (inputs["x"] / 16.0) @ weights["weight"].T + weights["bias"]
    expected = np.mean(
        [truth[str(name)] == str(k) for name, k in zip(inputs["id"], logits.argmax(1), strict=True)]
    )

    results = run_all(GradeRequest(digits, tmp_path / "a.safetensors", device="cpu"), scorer)

    found = {row["metric"]: row for row in results[-1].measurements if row["slice"] == ""}
    assert found["accuracy"]["value"] == pytest.approx(expected, abs=1e-12)
    assert expected > 0.85
    assert found["accuracy"]["low"] < expected < found["accuracy"]["high"]
    record = results[-1].record
    assert record["device"] == "cpu"
    assert record["isolation"] in ("full", "reduced")
    assert len(record["artifact_hash"]) == len(record["benchmark_hash"]) == len(record["items_hash"]) == 64


def test_the_same_seed_gives_the_same_numbers(digits, scorer, truth, tmp_path):
    answers = {name: "7" if number % 5 == 0 else label for number, (name, label) in enumerate(truth.items())}
    path = write_answers(tmp_path / "a.csv", answers)

    runs = [
        run_phase("thorough", GradeRequest(digits, path, seed=seed, device="cpu"), scorer=scorer).measurements
        for seed in (1, 1, 2)
    ]

    assert runs[0] == runs[1]
    assert runs[0][1]["low"] != runs[2][1]["low"]
    assert runs[0][1]["value"] == runs[2][1]["value"]


def test_a_constant_answer_is_held_for_a_person(digits, truth, tmp_path):
    path = write_answers(tmp_path / "a.csv", dict.fromkeys(truth, "3"))

    result = run_phase("safety", GradeRequest(digits, path))

    assert (result.state, result.code) == ("held", "constant-answer")


def test_a_model_that_overflows_is_held(digits, tmp_path):
    weights = {"weight": np.full((10, 64), 3e38), "bias": np.full(10, 3e38)}
    (tmp_path / "a.safetensors").write_bytes(make_safetensors(weights))

    result = run_phase("safety", GradeRequest(digits, tmp_path / "a.safetensors", device="cpu"))

    assert (result.state, result.code) == ("held", "non-finite-output")


@pytest.mark.parametrize(
    ("weights", "code"),
    [
        ({"weight": np.ones((10, 64))}, "missing-tensors"),
        ({"weight": np.ones((10, 64)), "bias": np.ones(10), "more": np.ones(1)}, "unexpected-tensors"),
        ({"weight": np.ones((10, 63)), "bias": np.ones(10)}, "wrong-shape"),
    ],
)
def test_weights_of_no_declared_architecture_are_refused(digits, tmp_path, weights, code):
    (tmp_path / "a.safetensors").write_bytes(make_safetensors(weights))

    result = run_phase("qualification", GradeRequest(digits, tmp_path / "a.safetensors"))

    assert (result.state, result.code) == ("refused", code)


def test_every_table_format_says_the_same_as_csv_zipped_or_not(tmp_path, scorer):
    import pyarrow as pa
    import pyarrow.parquet as pq

    benchmark = load_benchmark(
        make_benchmark(tmp_path / "b", labels="id,label\n1,0\n2,1\n3,1\n", formats=[*TABLE_FORMATS, "zip"])
    )
    table = {"id": [1, 2, 3], "p0": [0.8, 0.6, 0.1], "p1": [0.2, 0.4, 0.9]}
    (tmp_path / "a.csv").write_text("id,p0,p1\n1,0.8,0.2\n2,0.6,0.4\n3,0.1,0.9\n")
    (tmp_path / "a.jsonl").write_text(
        "".join(f'{{"id": {i}, "p0": {a}, "p1": {b}}}\n' for i, a, b in zip(*table.values(), strict=True))
    )
    (tmp_path / "a.npz").write_bytes(make_npz(**{name: np.array(values) for name, values in table.items()}))
    pq.write_table(pa.table(table), tmp_path / "a.parquet")

    names = ["a.csv", "a.jsonl", "a.npz", "a.parquet"]
    for name in names[:]:
        (tmp_path / f"{name}.zip").write_bytes(make_zip({f"answers/{name}": (tmp_path / name).read_bytes()}))
        names.append(f"{name}.zip")

    for name in names:
        results = run_all(GradeRequest(benchmark, tmp_path / name), scorer)

        assert results[-1].measurements[0]["value"] == pytest.approx(2 / 3), (name, results[-1])


def test_a_benchmark_that_changed_since_is_our_fault(tmp_path, scorer):
    folder = make_benchmark(tmp_path / "b")
    benchmark = load_benchmark(folder)
    assert benchmark.content_hash
    (folder / "hidden/labels.csv").write_text("id,label\n1,1\n2,1\n")

    with pytest.raises(ScorerFault, match="changed"):
        run_phase(
            "thorough",
            GradeRequest(benchmark, write_answers(tmp_path / "a.csv", {"1": "0", "2": "1"})),
            scorer=scorer,
        )


def test_an_artifact_that_is_not_the_stored_one_is_our_fault(digits, truth, tmp_path):
    path = write_answers(tmp_path / "a.csv", truth)

    with pytest.raises(ValueError, match="hash differs"):
        run_phase("qualification", GradeRequest(digits, path, artifact_hash="0" * 64))


def test_stopping_leaves_no_measurement_and_no_child(digits, truth, tmp_path):
    path = write_answers(tmp_path / "a.csv", truth)
    before = set(descendants(os.getpid()))
    answers = iter([False, True])

    with pytest.raises(Stopped):
        run_phase("qualification", GradeRequest(digits, path), should_stop=lambda: next(answers))

    assert set(descendants(os.getpid())) <= before


def test_a_killed_scorer_is_a_crash_and_the_next_run_has_a_new_one(tmp_path):
    benchmark = load_benchmark(make_benchmark(tmp_path / "b"))
    request = GradeRequest(benchmark, write_answers(tmp_path / "a.csv", {"1": "0", "2": "1"}))
    with Scorer(device="cpu") as scorer:

        def kill() -> bool:
            os.kill(scorer.pid, signal.SIGKILL)
            return False

        with pytest.raises(ChildCrashed):
            scorer.measure(Frame({}), should_stop=kill)

        again = run_phase("thorough", request, scorer=scorer)

    assert again.measurements[0]["value"] == 1.0


def test_claims_are_set_beside_what_was_measured(digits, scorer, truth, tmp_path):
    answers = {name: "0" if number % 10 == 0 else label for number, (name, label) in enumerate(truth.items())}
    path = write_answers(tmp_path / "a.csv", answers)
    measured = run_phase("thorough", GradeRequest(digits, path), scorer=scorer).measurements
    claims = parse_claims(
        [
            {"metric": "accuracy", "value": 0.91, "n": 797},
            {"metric": "accuracy", "value": 0.99, "n": 797},
            {"metric": "kappa", "value": 0.9},
        ]
    )

    checked = check_claims(claims, measured)

    assert [entry.verdict for entry in checked] == ["agrees", "differs", "not measured"]


@pytest.mark.parametrize(
    "values",
    [
        {},
        [{"metric": "accuracy"}],
        [{"metric": "accuracy", "value": True}],
        [{"metric": "a", "value": 1, "x": 1}],
    ],
)
def test_claims_that_are_none_are_refused(values):
    with pytest.raises(Refused, match="bad-claims"):
        parse_claims(values)
