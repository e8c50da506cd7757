"""The jailed reader's job for code: run the submitted train.py once, then read the predictions that it wrote."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any, BinaryIO

from evals.grading.frames import Frame, read_exactly
from evals.grading.limits import Limits
from evals.grading.predictions import Expected, answers
from evals.grading.reading_tables import columns_of
from evals.grading.refusals import Refused
from evals.grading.texts import unpack_texts

WORK = Path("/tmp/work")
RESULTS = {"predictions.csv": "csv", "predictions.jsonl": "jsonl", "predictions.npz": "npz"}
RUN = (
    "import runpy, sys; sys.path.append({site!r}); sys.argv = {arguments!r}; "
    "runpy.run_path({main!r}, run_name='__main__')"
)


def run(job: Frame, source: BinaryIO, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Answers of one run with one seed."""
    header = job.header
    for entry in header["files"]:
        unpack(WORK / entry["name"], read_exactly(source, entry["bytes"]))
    run_script(seed=header["seed"])
    kind, data = result(Limits().with_values(header["limits"]))
    expected = Expected(
        ids=unpack_texts(job.arrays["id_characters"], job.arrays["id_ends"]),
        task=header["task"],
        classes=header["classes"],
        quantiles=header["quantiles"],
    )
    columns = columns_of(data, kind, Limits().with_values(header["limits"]))
    return {"rows": len(expected.ids)}, answers(columns, expected)


def unpack(path: Path, data: bytes) -> None:
    """One file of the submission, in its place under the scratch folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def run_script(*, seed: int) -> None:
    """train.py as a child without our pipes; its words go nowhere, its exit code says whether it worked."""
    arguments = ["train.py", "--seed", str(seed)]
    script = RUN.format(site=sys.path[-1], arguments=arguments, main=str(WORK / "train.py"))
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", script],
        cwd=WORK,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode != 0:
        raise Refused("code-failed")


def result(limits: Limits) -> tuple[str, bytes]:
    """The predictions that the script left: an ordinary file, opened without following links or waiting on a fifo."""
    for name, kind in RESULTS.items():
        try:
            descriptor = os.open(WORK / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            continue
        with os.fdopen(descriptor, "rb") as stream:
            facts = os.fstat(stream.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise Refused("bad-output")
            if facts.st_size > limits.max_bytes:
                raise Refused("over-output", bytes=facts.st_size, limit=limits.max_bytes)
            return kind, stream.read()
    raise Refused("bad-output")
