"""The scorer's process: holds hidden labels and torch, takes frames of answers, gives measurements.

Run as ``python -m evals.grading.scorer PARENT``. It never parses a submitter's bytes: only our frames of arrays.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import BinaryIO

from evals.grading.confine import die_with_parent
from evals.grading.frames import Frame, Progress, read_frame, send

MAXIMUM_REQUEST_BYTES = 1 << 32


def main(parent: int) -> None:
    """Answer requests until the parent closes the pipe or ends."""
    if sys.platform == "linux":
        die_with_parent(parent)
    # Whatever a library prints must not get between our frames.
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, sink)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """One answer per request, faults too; a fault is told to operators, never to a submitter."""
    from evals.grading.measuring import measure

    while (request := read_frame(source, max_bytes=MAXIMUM_REQUEST_BYTES)) is not None:
        try:
            answer = measure(request, report=Progress(sink))
        except Exception:
            answer = Frame({"fault": traceback.format_exc()[-4000:]})
        send(answer, sink)


if __name__ == "__main__":
    main(int(sys.argv[1]))
