"""The jailed reader: a submitter's bytes in by stdin, answers or a refusal out by one frame.

Run as ``python -m evals.grading.reader`` for a look by hand; in use ``jail.py`` starts ``main``.
A job is one frame, followed by the bytes of the files that its header lists.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import BinaryIO

from evals.grading import confine

MAXIMUM_JOB_BYTES = 1 << 28
PROGRESS_SECONDS = 0.5
JOBS = {
    "table": "evals.grading.reading_tables",
    "weights": "evals.grading.reading_weights",
    "tokenizer": "evals.grading.reading_tokenizers",
    "template": "evals.grading.reading_templates",
    "code": "evals.grading.reading_code",
}


def main(settings: str) -> None:
    """Confine this process, then do one job; an empty stdin is a trial start and ends well."""
    values = json.loads(settings)
    readable = [sys.base_prefix, *sys.path, *system_places()]
    confine.confine(values["cell"], full=values["full"], parent=values["parent"], readable=readable)
    answer(sys.stdin.buffer, os.fdopen(os.dup(1), "wb"), threads=values["cell"]["threads"])


def system_places() -> list[str]:
    """Where libraries and the kernel's own files lie."""
    return ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/proc", "/sys/devices", "/dev"]


def answer(source: BinaryIO, sink: BinaryIO, *, threads: int) -> None:
    """Do the job on ``source`` and write what came of it to ``sink``."""
    from evals.grading.frames import Frame, read_frame
    from evals.grading.refusals import Refused

    job = read_frame(source, max_bytes=MAXIMUM_JOB_BYTES)
    if job is None:
        return
    module = importlib.import_module(JOBS[job.header["job"]])
    report = Progress(sink)
    sink.write(Frame({"ready": True}).pack())
    sink.flush()
    try:
        header, arrays = module.run(job, source, report=report, threads=threads)
        result = Frame({"state": "done", **header}, arrays)
    except Refused as error:
        result = Frame({"state": "refused", "code": error.code, "details": error.details})
    except MemoryError:
        result = Frame({"state": "refused", "code": "over-memory", "details": {}})
    sink.write(result.pack())
    sink.flush()


class Progress:
    """Tells the parent how many items are done, at most twice a second."""

    def __init__(self, sink: BinaryIO) -> None:
        self.sink = sink
        self.told = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        from evals.grading.frames import Frame

        if time.monotonic() - self.told >= PROGRESS_SECONDS:
            self.told = time.monotonic()
            self.sink.write(Frame({"progress": [done, total]}).pack())
            self.sink.flush()


if __name__ == "__main__":
    answer(sys.stdin.buffer, sys.stdout.buffer, threads=1)
