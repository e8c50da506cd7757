"""Benchmarks as data: what is read, what is refused, when its hash changes."""

from __future__ import annotations

import pytest

from evals.grading.benchmarks import load_benchmark
from evals.grading.hidden import load_hidden
from tests.evals.grading.makers import make_benchmark

ACCURACY = {"name": "accuracy", "direction": "higher"}
DATA = {"inputs": "inputs.csv", "labels": "hidden/labels.csv"}


def test_the_demo_is_in_order():
    digits = load_benchmark("evals/grading/demo/digits")

    assert (len(digits.ids), digits.headline.name, len(digits.architectures)) == (797, "accuracy", 3)
    assert digits.anchored(digits.start) == 0.0
    assert digits.anchored(digits.reference) == 1.0
    assert load_hidden(digits).columns["ink"].count("dark") in range(380, 400)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": None}, "declare name as a text"),
        ({"seed": -1}, "declare seed as a whole number from 0 up"),
        ({"seed": True}, "declare seed"),
        ({"colour": "red"}, "Unknown key colour"),
        ({"data": DATA | {"labells": "x"}}, "Unknown key labells"),
        ({"task": "guessing"}, "task must be one of"),
        ({"classes": ["0"]}, "at least two distinct classes"),
        ({"classes": ["0", "0"]}, "at least two distinct classes"),
        ({"formats": ["pickle"]}, "formats must be some of"),
        ({"formats": ["safetensors"]}, "declare at least one architecture"),
        ({"metrics": [{"name": "rmse", "direction": "lower"}]}, "rmse is no metric of classification"),
        ({"metrics": [{"name": "accuracy", "direction": "lower"}]}, "direction of accuracy is higher"),
        ({"metrics": [{"name": "accuracy", "direction": "up"}]}, "must be higher or lower"),
        ({"headline": {"metric": "kappa", "direction": "higher"}}, "headline metric must be among"),
        ({"anchors": {"start": 1.0, "reference": 0.5}}, "better reference"),
        ({"anchors": {"start": 1.0, "reference": 1.0}}, "better reference"),
        ({"limits": {"max_rows": 0}}, "above zero"),
        ({"limits": {"max_rows": 2.5}}, "whole number"),
        ({"limits": {"max_cows": 2}}, "limits.max_cows is unknown"),
        ({"data": DATA | {"labels": "inputs.csv"}}, "labels must lie in the subfolder hidden"),
        ({"data": DATA | {"inputs": "hidden/labels.csv"}}, "inputs must lie outside"),
        ({"data": DATA | {"labels": "../labels.csv"}}, "must exist inside"),
        (
            {"architectures": [{"kind": "mlp", "inputs": 4, "hidden": [], "classes": 2}]},
            "list of layer widths",
        ),
        ({"architectures": [{"kind": "linear", "inputs": 4, "classes": 3}]}, "must have 2 classes"),
        ({"architectures": [{"kind": "linear", "inputs": 0, "classes": 2}]}, "impossible shape"),
        ({"architectures": [{"kind": "magic"}]}, "kind must be one of"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_told_what_to_change(tmp_path, values, sentence):
    with pytest.raises(ValueError, match=sentence):
        load_benchmark(make_benchmark(tmp_path, **values))


@pytest.mark.parametrize(
    ("labels", "inputs", "sentence"),
    [
        ("id,label\n1,0\n2,7\n", "", "classes that the benchmark does not list"),
        ("id,label\n1,0\n2,1\n", "id\n1\n2\n3\n", "exactly the ids"),
        ("id,label\n1,0\n1,1\n", "", "id twice"),
        ("id,label\n1,0\n2\n", "id\n1\n2\n", "cannot be read"),
    ],
)
def test_labels_that_do_not_fit_are_told(tmp_path, labels, inputs, sentence):
    benchmark = load_benchmark(make_benchmark(tmp_path, labels=labels, inputs=inputs))

    with pytest.raises(ValueError, match=sentence):
        load_hidden(benchmark)


def test_a_declared_column_must_be_there(tmp_path):
    benchmark = load_benchmark(make_benchmark(tmp_path, data=DATA | {"cluster": "school"}))

    with pytest.raises(ValueError, match="declared column school"):
        load_hidden(benchmark)


def test_any_change_of_any_file_is_another_version(tmp_path):
    hashes = {load_benchmark(make_benchmark(tmp_path)).content_hash}
    hashes.add(load_benchmark(make_benchmark(tmp_path)).content_hash)
    assert len(hashes) == 1

    hashes.add(load_benchmark(make_benchmark(tmp_path, labels="id,label\n1,1\n2,1\n")).content_hash)
    (tmp_path / "NOTES.txt").write_text("more")
    hashes.add(load_benchmark(tmp_path).content_hash)

    assert len(hashes) == 3
    assert load_benchmark(make_benchmark(tmp_path, metrics=[ACCURACY])).headline.higher_is_better
