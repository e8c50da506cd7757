"""docs/grading.md says every refusal, metric and limit as the code has them, and its example is a benchmark."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from evals.grading.architectures import KINDS
from evals.grading.benchmarks import load_benchmark
from evals.grading.corruptions import CORRUPTIONS
from evals.grading.graders import GRADERS
from evals.grading.limits import LARGEST, Limits
from evals.grading.refusals import REFUSALS
from evals.grading.tasks import DIRECTIONS

TEXT = Path("docs/grading.md").read_text("utf-8")


def test_every_refusal_is_documented_with_its_sentence():
    rows = set(re.findall(r"^\| `([a-z0-9-]+)` \| (.+) \| (.+) \|$", TEXT, re.MULTILINE))

    assert {(code, reason.meaning, reason.advice) for code, reason in REFUSALS.items()} <= rows
    assert {code for code, *_ in rows if "-" in code} <= set(REFUSALS)


@pytest.mark.parametrize("name", GRADERS)
def test_every_metric_is_documented_with_its_direction(name):
    assert re.search(
        rf"^\| `{name}` \| {re.escape(GRADERS[name][0])} \| \w+ \| {DIRECTIONS[name]} \|$", TEXT, re.MULTILINE
    )


@pytest.mark.parametrize("field", fields(Limits), ids=lambda field: field.name)
def test_every_limit_is_documented_with_its_default_and_the_most_that_it_may_be(field):
    row = f"| `{field.name}` | {getattr(Limits(), field.name):,} | {LARGEST[field.name]:,} |"

    assert row in TEXT


def test_every_architecture_and_corruption_is_documented():
    assert all(f"| `{kind}` |" in TEXT for kind in KINDS)
    assert f"under {', '.join(CORRUPTIONS)}" in TEXT


def test_the_example_is_a_benchmark(tmp_path):
    example = re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert example is not None
    (tmp_path / "benchmark.toml").write_text(example[1].replace("classes = 10", "classes = 3"))
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden/labels.csv").write_text("id,label\na,0\nb,1\n")
    np.savez(tmp_path / "inputs.npz", id=np.array(["a", "b"]), x=np.zeros((2, 64)))

    assert load_benchmark(tmp_path).ids == ("a", "b")
