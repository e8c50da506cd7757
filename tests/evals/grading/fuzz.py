"""Coverage-guided fuzzing of the readers with atheris, in a bounded time.

    python -m tests.evals.grading.fuzz [SECONDS]

Any exception but a refusal ends it with an error and a file that reproduces it.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from pathlib import Path

import atheris
import numpy as np

with atheris.instrument_imports(include=["evals.grading"]):
    from evals.grading.arrays import read_npz
    from evals.grading.benchmarks import load_benchmark
    from evals.grading.configurations import check_config
    from evals.grading.frames import BrokenFrame, unpack
    from evals.grading.intake import Door, inspect_stream
    from evals.grading.limits import Limits
    from evals.grading.predictions import Expected, answers
    from evals.grading.reading_tables import columns_of
    from evals.grading.refusals import Refused
    from evals.grading.tables import read_csv, read_jsonl
    from evals.grading.weights import check_finite, parse_safetensors

from tests.evals.grading.makers import make_benchmark, make_npz, make_safetensors, make_zip

SECONDS = 120
LIMITS = Limits(max_bytes=1 << 16, max_unpacked_bytes=1 << 18, max_rows=100, max_columns=20)
EXPECTED = Expected(ids=("1", "2"), task="classification", classes=("0", "1"))
NAMES = ("a.csv", "a.jsonl", "a.npz", "a.safetensors", "a.zip", "a.parquet", "a", "a.md")


def seeds() -> list[bytes]:
    """Valid files to start from."""
    return [
        b"id,pred\n1,0\n2,1\n",
        b"id,p0,p1\n1,0.5,0.5\n2,1e-3,0.999\n",
        b'{"id":1,"pred":0}\n{"id":2,"pred":1}\n',
        make_npz(id=np.array([1, 2]), pred=np.array([0, 1])),
        make_safetensors({"a": np.ones((2, 2)), "b": np.ones(3)}),
        make_zip({"answers/a.csv": b"id,pred\n1,0\n2,1\n"}),
        make_zip({"config.json": b'{"model_type": "llama"}', "model.safetensors": b"x"}),
    ]


def one_input(data: bytes) -> None:
    """Every reader over the same bytes."""
    stream = io.BytesIO(data)
    name = NAMES[data[0] % len(NAMES)] if data else NAMES[0]
    for read in (
        lambda: answers(read_csv(data, LIMITS), EXPECTED),
        lambda: answers(read_jsonl(data, LIMITS), EXPECTED),
        lambda: answers(read_npz(stream, LIMITS), EXPECTED),
        lambda: check_finite(stream, parse_safetensors(io.BytesIO(data), len(data), LIMITS)),
        lambda: answers(columns_of(data, "zip", LIMITS), EXPECTED),
        lambda: check_config(data, LIMITS),
        lambda: unpack(data, max_bytes=1 << 20),
        lambda: inspect_stream(stream, len(data), door=Door(LIMITS, None, deep=True), filename=name),
        lambda: inspect_stream(stream, len(data), door=Door(LIMITS, BENCHMARK, deep=True), filename=name),
    ):
        stream.seek(0)
        with contextlib.suppress(Refused, BrokenFrame):
            read()


def main(seconds: int) -> None:
    """Fuzz for so many seconds, from valid files."""
    folder = Path(tempfile.mkdtemp(prefix="plumbline-fuzz-"))
    for number, data in enumerate(seeds()):
        (folder / str(number)).write_bytes(data)
    atheris.Setup(
        [
            sys.argv[0],
            str(folder),
            f"-max_total_time={seconds}",
            "-max_len=4096",
            "-rss_limit_mb=1024",
            "-timeout=5",
        ],
        one_input,
    )
    atheris.Fuzz()


FORMATS = ["csv", "jsonl", "npz", "parquet", "zip"]
BENCHMARK = load_benchmark(make_benchmark(Path(tempfile.mkdtemp(prefix="plumbline-fuzz-")), formats=FORMATS))

if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
