"""The hostile corpus: every file is refused by its code, quickly and in little memory, and nothing runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals.grading.benchmarks import load_benchmark
from evals.grading.intake import inspect_artifact
from evals.grading.refusals import REFUSALS, Refused
from tests.evals.grading.makers import make_benchmark

CORPUS = Path("../shared/data/hostile")
NEVER_OPENED = (".npy", ".gz", ".tar", ".yaml", ".gguf")

pytestmark = pytest.mark.reference


def entries() -> list[dict[str, str]]:
    """The manifest, or nothing where the corpus is not at hand (the run of it then fails by its count)."""
    manifest = CORPUS / "manifest.json"
    return json.loads(manifest.read_text("utf-8"))["entries"] if manifest.exists() else []


def accepted_codes(entry: dict[str, str]) -> set[str]:
    """The codes that answer an entry: its own, and unsafe-format for formats that are never opened.

    A table for the ids 1 and 2 that also lacks an id may be told either fault.
    """
    codes = {"ok" if entry["expect"] == "accept" else entry["code"]}
    if entry["file"].endswith(NEVER_OPENED) or entry["file"].startswith("pickle/"):
        codes.add("unsafe-format")
    if entry["file"].startswith("predictions/"):
        lines = (CORPUS / entry["file"]).read_bytes().splitlines()
        if not any(line.strip().startswith((b"2,", b'{"id":2')) for line in lines):
            codes.add("missing-id")
    return codes


def answer(entry: dict[str, str], benchmark) -> str:
    """The code that intake gives."""
    try:
        inspect_artifact(CORPUS / entry["file"], benchmark=benchmark)
    except Refused as error:
        return error.code
    return "ok"


@pytest.fixture(scope="module")
def manifest():
    found = entries()
    assert len(found) == 122, (
        "The hostile corpus is not beside the project: put it at ../shared/data/hostile."
    )
    return found


@pytest.fixture(scope="module")
def codes(manifest, tmp_path_factory):
    """The answer to every file; predictions are meant for a binary task with the ids 1 and 2."""
    binary = load_benchmark(make_benchmark(tmp_path_factory.mktemp("binary")))
    tables = {entry["file"] for entry in manifest if entry["file"].startswith("predictions/")}
    return {entry["file"]: answer(entry, binary if entry["file"] in tables else None) for entry in manifest}


def test_every_file_is_answered_by_its_code(manifest, codes):
    wrong = [
        (entry["file"], entry["code"], codes[entry["file"]])
        for entry in manifest
        if codes[entry["file"]] not in accepted_codes(entry)
    ]

    assert wrong == []


def test_no_payload_ran(codes):
    assert not Path("HOSTILE_MARKER").exists()
    assert not Path("/tmp/HOSTILE_MARKER").exists()
    assert not list(CORPUS.rglob("HOSTILE_MARKER"))


def test_every_code_given_is_documented(codes):
    assert set(codes.values()) - {"ok"} <= set(REFUSALS)
