"""Refusing the hostile corpus: seconds and memory of each file; and a gigabyte of weights without growing.

python -m bench.grading_intake [CORPUS]
"""

from __future__ import annotations

import contextlib
import json
import resource
import struct
import sys
import tempfile
import time
from pathlib import Path

from evals.grading.benchmarks import file_hash
from evals.grading.intake import inspect_artifact
from evals.grading.limits import GIBIBYTE, Limits
from evals.grading.refusals import Refused

CORPUS = Path("../shared/data/hostile")
FILE_SECONDS, ALL_SECONDS, MEGABYTES, GROWTH_MEGABYTES = 2.0, 10.0, 512, 64


def memory() -> float:
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def refuse_all(corpus: Path) -> bool:
    """Intake of every file of the corpus, in this one process."""
    entries = json.loads((corpus / "manifest.json").read_text("utf-8"))["entries"]
    slowest, total = ("", 0.0), time.perf_counter()
    for entry in entries:
        started = time.perf_counter()
        with contextlib.suppress(Refused):
            inspect_artifact(corpus / entry["file"])
        slowest = max(slowest, (entry["file"], time.perf_counter() - started), key=lambda pair: pair[1])
    total = time.perf_counter() - total
    print(
        f"corpus: {len(entries)} files in {total:.2f} s (bar {ALL_SECONDS}), slowest {slowest[0]} {slowest[1]:.2f} s "
        f"(bar {FILE_SECONDS}), {memory():.0f} MB (bar {MEGABYTES})"
    )
    return total < ALL_SECONDS and slowest[1] < FILE_SECONDS and memory() < MEGABYTES


def read_gigabyte() -> bool:
    """Header check and hash of a 1 GB weights file, against reading it plainly."""
    count = GIBIBYTE // 4
    header = json.dumps({"w": {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}}).encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big.safetensors"
        with path.open("wb") as stream:
            stream.write(struct.pack("<Q", len(header)) + header)
            for _ in range(1024):
                stream.write(bytes(4 * count // 1024))
        before, started = memory(), time.perf_counter()
        inspect_artifact(path, limits=Limits(max_bytes=2 * GIBIBYTE), deep=False)
        headed = time.perf_counter() - started
        file_hash(path)
        hashed = time.perf_counter() - started - headed
        inspect_artifact(path, limits=Limits(max_bytes=2 * GIBIBYTE))
        finite = time.perf_counter() - started - headed - hashed
    growth = memory() - before
    print(
        f"1 GB of weights: header {headed * 1000:.1f} ms, hash {1 / hashed:.2f} GB/s, every number finite "
        f"{1 / finite:.2f} GB/s, memory + {growth:.0f} MB (bar {GROWTH_MEGABYTES})"
    )
    return growth < GROWTH_MEGABYTES


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else CORPUS
    sys.exit(0 if refuse_all(where) & read_gigabyte() else 1)
