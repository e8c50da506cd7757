"""Benchmarks as data: what is read, what is refused, when its hash changes."""

from __future__ import annotations

import pytest

from evals.grading.benchmarks import load_benchmark
from evals.grading.hidden import load_hidden
from tests.evals.grading.makers import make_benchmark

ACCURACY = {"name": "accuracy", "direction": "higher"}
DATA = {"inputs": "inputs.csv", "labels": "hidden/labels.csv"}
VIT = {"kind": "vit", "inputs": [1, 8, 8], "patch": 2, "width": 8, "blocks": 1, "heads": 2, "classes": 2}
WIDE = {"kind": "mlp", "inputs": 1_000_000, "hidden": [1_000_000], "classes": 2}


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
        ({"seed": -1}, "declare seed as a whole number from 0 to"),
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
        ({"architectures": [{"kind": "linear", "inputs": 0, "classes": 2}]}, "inputs is not a size"),
        ({"architectures": [{"kind": "magic"}]}, "kind must be one of"),
        ({"architectures": [{"kind": ["mlp"]}]}, "kind must be one of"),
        ({"architectures": [1]}, "list of tables"),
        ({"architectures": [VIT | {"patch": 0}]}, "patch is not a size"),
        ({"architectures": [VIT | {"width": "wide"}]}, "width is not a size"),
        ({"architectures": [WIDE]}, "more parameters than limits.max_parameters"),
        ({"classes": 3}, "classes as a list of texts"),
        ({"classes": ["0", ""]}, "classes as a list of texts"),
        ({"quantiles": ["x"]}, "rising list"),
        ({"quantiles": [0.9, 0.1]}, "rising list"),
        ({"metrics": "accuracy"}, "list of tables"),
        ({"headline": 3}, "headline as a table"),
        ({"data": 5}, "data as a table"),
        ({"data": DATA | {"slices": "ink"}}, "slices as a list"),
        ({"data": DATA | {"scale": 0}}, "above zero"),
        ({"limits": {"max_bytes": 10**30}}, "max_bytes must be above zero and at most 17,179,869,184"),
        (
            {"limits": {"memory_bytes": 1 << 40}},
            "memory_bytes must be above zero and at most 274,877,906,944",
        ),
        ({"limits": {"code_seconds": 604_800.0}}, "code_seconds must be above zero and at most 86,400"),
        ({"limits": {"thorough_seconds": 1e300}}, "at most 86,400"),
        ({"seed": 10**30}, "declare seed"),
        ({"seeds_required": 10**9}, "from 1 to 100"),
        ({"per_day": 10**30}, "declare per_day"),
        ({"name": "x" * 500}, "at most 200"),
        ({"name": "a\u202eb"}, "plain characters"),
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


def test_an_id_that_has_two_labels_is_told(tmp_path):
    folder = make_benchmark(tmp_path, labels="id,label\n1,0\n2,1\n2,0\n", inputs="id\n1\n2\n")

    with pytest.raises(ValueError, match="each once"):
        load_hidden(load_benchmark(folder))


@pytest.mark.parametrize(
    ("values", "labels", "sentence"),
    [
        ({}, "id,x\n1,0\n2,1\n", "must have a column label"),
        ({"task": "multilabel"}, "id,l_0\n1,0\n2,1\n", "must have a column l_1"),
        ({"task": "regression"}, "id,label\n1,nan\n2,1\n", "cannot be read"),
        ({"data": DATA | {"split": "s"}}, "id,label,s\n1,0,private\n2,1,private\n", "must be public"),
        ({"data": DATA | {"split": "s"}}, "id,label,s\n1,0,pub\n2,1,public\n", "public or private"),
        ({"data": DATA | {"canary": "c"}}, "id,label,c\n1,0,1\n2,1,1\n", "no canaries"),
        ({"data": DATA | {"cluster": "c"}}, "id,label,c\n1,0,a\n2,1,a\n", "at least 2 clusters"),
        (
            {"data": DATA | {"slices": ["s"]}},
            f"id,label,s\n1,0,{'v' * 200}\n2,1,b\n",
            "at most 100 characters",
        ),
    ],
)
def test_labels_that_leave_nothing_to_measure_are_told(tmp_path, values, labels, sentence):
    benchmark = load_benchmark(make_benchmark(tmp_path, labels=labels, **values))

    with pytest.raises(ValueError, match=sentence):
        load_hidden(benchmark)


def test_a_link_in_the_folder_is_told_as_a_copy_would_follow_it(tmp_path):
    folder = make_benchmark(tmp_path / "b")
    (folder / "train.csv").symlink_to("/etc/hostname")

    with pytest.raises(ValueError, match="not a link"):
        load_benchmark(folder)


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
