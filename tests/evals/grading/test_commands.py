"""The command line: what it prints, writes and exits with."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from evals.grading.commands import main
from tests.evals.grading.makers import make_benchmark, make_safetensors

KEYS = {"metric", "slice", "value", "standard_error", "low", "high", "n", "clusters", "method", "seed"}


@pytest.fixture
def tiny(tmp_path):
    rows = "".join(f"{n},{n % 2}\n" for n in range(60))
    return make_benchmark(tmp_path / "b", labels=f"id,label\n{rows}")


def write_answers(path: Path, wrong: int) -> Path:
    """Answers to sixty items, the first few of them wrong."""
    rows = "".join(f"{n},{(n + (n < wrong)) % 2}\n" for n in range(60))
    path.write_text(f"id,pred\n{rows}")
    return path


def test_grading_prints_a_table_and_writes_the_documented_json(tiny, tmp_path, capsys):
    out, claims = tmp_path / "out.json", tmp_path / "claims.json"
    claims.write_text('[{"metric": "accuracy", "value": 0.99, "n": 60}]')

    path = str(write_answers(tmp_path / "a.csv", 15))
    options = ["--json", str(out), "--seed", "3", "--claims", str(claims), "--device", "cpu"]

    code = main(["grade", str(tiny), path, *options])

    found = json.loads(out.read_text())
    assert code == 0
    assert [phase["state"] for phase in found["phases"]] == ["succeeded"] * 3
    assert set(found["phases"][0]) == {"name", "state", "code", "message", "seconds"}
    assert set(found["measurements"][0]) >= KEYS
    assert (found["measurements"][0]["value"], found["record"]["seed"]) == (0.75, 3)
    assert found["claims"][0]["verdict"] == "differs"
    assert "0.75" in capsys.readouterr().out


def test_two_results_are_compared_in_pairs(tiny, tmp_path, capsys):
    for name, wrong in (("a", 3), ("b", 30)):
        path = write_answers(tmp_path / f"{name}.csv", wrong)
        main(["grade", str(tiny), str(path), "--json", str(tmp_path / f"{name}.json"), "--device", "cpu"])
    capsys.readouterr()

    code = main(
        ["compare", str(tmp_path / "a.json"), str(tmp_path / "b.json"), "--json", str(tmp_path / "c.json")]
    )

    found = json.loads((tmp_path / "c.json").read_text())
    assert code == 0
    assert found["difference"] == pytest.approx(27 / 60)
    assert "differ" in capsys.readouterr().out


def test_a_fifo_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "a.csv")

    assert main(["inspect", str(tmp_path / "a.csv"), "--json", str(tmp_path / "o.json")]) == 3
    assert json.loads((tmp_path / "o.json").read_text())["code"] == "special-entry"


def test_what_is_not_there_is_named_in_a_sentence(tmp_path, capsys):
    assert main(["inspect", str(tmp_path / "[/red] nothing.csv")]) == 1
    assert "[/red] nothing.csv." in capsys.readouterr().err


def test_a_seed_below_zero_is_refused_before_anything_starts(tiny, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["grade", str(tiny), str(tmp_path / "a.csv"), "--seed", "-1"])

    assert "from 0 to" in capsys.readouterr().err


def result(**values: object) -> str:
    return json.dumps({"record": {"seed": 1}, "items": [1.0, 0.0], **values})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "These are no results"),
        ("{}", "These are no results"),
        ("not JSON", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        (result(record={}), "does not say its seed"),
        (result(record={"seed": -1}), "does not say its seed"),
        (result(items=None), "need their per-item numbers"),
        (result(items=["a", "b"]), "are no numbers"),
        (result(items={"a": 1}), "are no numbers"),
        (result(items=[1.0, float("nan")]), "are no finite numbers"),
        (result(items=[[1.0], [2.0]]), "are no finite numbers"),
        (result(clusters=[1]), "other clusters than items"),
    ],
)
def test_comparing_what_is_no_result_is_said_in_a_sentence(tmp_path, capsys, text, says):
    (tmp_path / "a.json").write_text(text)

    assert main(["compare", str(tmp_path / "a.json"), str(tmp_path / "a.json")]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith("failed")
    assert says in said


def test_a_seed_that_is_too_large_is_refused_before_anything_starts(tiny, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["grade", str(tiny), str(tmp_path / "a.csv"), "--seed", str(10**30)])

    assert "from 0 to" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["", "nowhere/out.json"])
def test_a_result_that_could_not_be_written_is_told_before_anything_starts(tiny, tmp_path, capsys, place):
    path = write_answers(tmp_path / "a.csv", 1)

    assert main(["grade", str(tiny), str(path), "--json", str(tmp_path / place)]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_claim_of_what_is_not_measured_is_refused_with_what_is(tiny, tmp_path, capsys):
    (tmp_path / "claims.json").write_text('[{"metric": "beauty", "value": 1}]')
    path = write_answers(tmp_path / "a.csv", 1)

    assert main(["grade", str(tiny), str(path), "--claims", str(tmp_path / "claims.json")]) == 3
    assert "(item 1, accuracy)" in " ".join(capsys.readouterr().err.split())


def test_training_data_that_are_not_there_or_cannot_matter_are_told(tiny, tmp_path, capsys):
    path = str(write_answers(tmp_path / "a.csv", 1))
    (tmp_path / "t.txt").write_text("a b c d e f g h i\n")

    assert main(["grade", str(tiny), path, "--training", str(tmp_path / "nothing")]) == 1
    main(["grade", str(tiny), path, "--phase", "qualification", "--training", str(tmp_path / "t.txt")])
    assert "no texts to look for" in " ".join(capsys.readouterr().out.split())


def test_declared_training_data_are_told_and_recorded(tmp_path, capsys):
    folder = make_benchmark(tmp_path / "b", inputs="id,text\n1,a b c d e f g h i\n2,other words entirely\n")
    (tmp_path / "a.csv").write_text("id,pred\n1,0\n2,1\n")
    (tmp_path / "t.txt").write_text("a b c d e f g h i\n")
    options = ["--training", str(tmp_path / "t.txt"), "--json", str(tmp_path / "o.json"), "--device", "cpu"]

    main(["grade", str(folder), str(tmp_path / "a.csv"), *options])

    assert json.loads((tmp_path / "o.json").read_text())["record"]["contamination"]["any_overlap"] == 1
    assert "1 of 2 texts" in " ".join(capsys.readouterr().out.split())


def test_a_refusal_exits_with_three_and_says_what_to_change(tiny, tmp_path):
    (tmp_path / "a.csv").write_text("id,pred\n1,0\n")

    code = main(["grade", str(tiny), str(tmp_path / "a.csv"), "--json", str(tmp_path / "o.json")])

    phase = json.loads((tmp_path / "o.json").read_text())["phases"][0]
    assert code == 3
    assert (phase["state"], phase["code"]) == ("refused", "missing-id")
    assert phase["message"] == "Add one row for every id of the benchmark (count 59)."


def test_only_the_named_phase_runs(tiny, tmp_path):
    path = write_answers(tmp_path / "a.csv", 1)

    code = main(
        ["grade", str(tiny), str(path), "--phase", "qualification", "--json", str(tmp_path / "o.json")]
    )

    assert code == 0
    assert [p["name"] for p in json.loads((tmp_path / "o.json").read_text())["phases"]] == ["qualification"]


def test_inspecting_says_what_a_file_is_or_why_it_is_refused(tmp_path, capsys):
    good, bad = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    good.write_bytes(make_safetensors({"w": np.ones((3, 2))}))
    bad.write_bytes(make_safetensors({"w": np.array([np.nan])}))

    assert main(["inspect", str(good)]) == 0
    assert "parameters: 6" in capsys.readouterr().out
    assert main(["inspect", str(bad), "--json", str(tmp_path / "o.json")]) == 3
    assert json.loads((tmp_path / "o.json").read_text())["code"] == "non-finite"


def test_inspecting_a_folder_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "m").mkdir()

    assert main(["inspect", str(tmp_path / "m")]) == 3


def test_our_own_faults_exit_with_one(tmp_path, capsys):
    assert main(["check", str(tmp_path)]) == 1
    assert main(["inspect", str(tmp_path / "nothing.csv")]) == 1
    assert "benchmark.toml" in capsys.readouterr().err.replace("\n", "")


def test_checking_the_demo_says_that_it_is_in_order(capsys):
    assert main(["check", "evals/grading/demo/digits"]) == 0
    assert "in order, 797 items" in capsys.readouterr().out


def test_checking_warns_of_items_that_come_in_copies(tmp_path, capsys):
    folder = make_benchmark(tmp_path / "b", inputs="id,text\n1,same\n2,same\n")

    assert main(["check", str(folder)]) == 0
    assert "1 inputs occur more than once" in capsys.readouterr().err.replace("\n", " ")
