"""The jailed reader's job for declared training data: how many of the benchmark's texts share runs of words with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, BinaryIO

from evals.grading.frames import Frame, read_exactly
from evals.grading.refusals import Refused
from evals.grading.signs import contamination
from evals.grading.strict_json import parse_json
from evals.grading.tables import clean_text
from evals.grading.texts import unpack_texts


def run(job: Frame, source: BinaryIO, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Counts of the benchmark's texts that share a run of words with the training data."""
    data = clean_text(read_exactly(source, job.header["files"][0]["bytes"]))
    texts = unpack_texts(job.arrays["characters"], job.arrays["ends"])
    return {"contamination": asdict(contamination(texts, training_texts(data)))}, {}


def training_texts(data: str) -> Iterator[str]:
    """Each line, or of a line that is a JSON object all the texts in it; what only looks like one is a line."""
    for line in data.splitlines():
        try:
            yield " ".join(strings(parse_json(line, code="bad-document"))) if line.startswith("{") else line
        except Refused:
            yield line


def strings(value: Any) -> Iterator[str]:
    """All texts of a JSON value, names of keys apart."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings(part)
