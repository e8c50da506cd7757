"""The jailed reader: a submitter's bytes in by stdin, answers or a refusal out by one frame.

Run as ``python -m evals.grading.reader`` for a look by hand; in use ``jail.py`` starts ``main``.
A job is one frame, followed by the bytes of the files that its header lists; jobs come until stdin ends.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from evals.grading import confine

if TYPE_CHECKING:
    from evals.grading.frames import Frame

MAXIMUM_JOB_BYTES = 1 << 28
JOBS = {
    "table": "evals.grading.reading_tables",
    "weights": "evals.grading.reading_weights",
    "tokenizer": "evals.grading.reading_tokenizers",
    "template": "evals.grading.reading_templates",
    "training": "evals.grading.reading_training",
    "code": "evals.grading.reading_code",
}


def main(settings: str) -> None:
    """Confine this process, then do its jobs; an empty stdin is a trial start and ends well."""
    values = json.loads(settings)
    confine.confine(values["cell"], full=values["full"], parent=values["parent"], readable=readable_places())
    serve(sys.stdin.buffer, os.fdopen(os.dup(1), "wb"), threads=values["cell"]["threads"])


def readable_places() -> list[str]:
    """Python, its libraries and our own package; not what lies beside that, such as a database or stored labels."""
    package = Path(__file__).resolve().parents[1]
    libraries = [place for place in sys.path if Path(place).resolve() != package.parent]
    return [sys.base_prefix, *libraries, str(package), *system_places()]


def system_places() -> list[str]:
    """Where libraries and the kernel's own files lie."""
    return ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/proc", "/sys/devices", "/dev"]


def serve(source: BinaryIO, sink: BinaryIO, *, threads: int) -> None:
    """Do the jobs on ``source`` one by one."""
    from evals.grading.frames import read_frame

    while (job := read_frame(source, max_bytes=MAXIMUM_JOB_BYTES)) is not None:
        answer(job, source, sink, threads=threads)


def answer(job: Frame, source: BinaryIO, sink: BinaryIO, *, threads: int) -> None:
    """Do one job and write what came of it to ``sink``."""
    from evals.grading.frames import Frame, Progress, send
    from evals.grading.refusals import Refused

    module = importlib.import_module(JOBS[job.header["job"]])
    report = Progress(sink)
    send(Frame({"ready": True}), sink)
    try:
        header, arrays = module.run(job, source, report=report, threads=threads)
        result = Frame({"state": "done", **header}, arrays)
    except Refused as error:
        result = Frame({"state": "refused", "code": error.code, "details": error.details})
    except MemoryError:
        result = Frame({"state": "refused", "code": "over-memory", "details": {}})
    send(result, sink)


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer, threads=1)
