"""The scorer seen from outside: a process that is started when needed, restarted when gone or grown."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from evals.grading.children import never
from evals.grading.frames import PREFIX, BrokenFrame, Frame, unpack
from evals.grading.limits import GIBIBYTE
from evals.grading.processes import resident_size
from evals.grading.refusals import ChildCrashed, Stopped

MAXIMUM_ANSWER_BYTES = 1 << 30
GROWN_BYTES = 4 * GIBIBYTE
POLL_SECONDS = 0.1
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")
READ_BYTES = 1 << 20


class ScorerFault(Exception):
    """The scorer could not measure: a fault of the grader or the benchmark, never of the submitter."""


class Scorer:
    """One scorer process for one thread of one worker.

    Start it once, keep it for many runs, close it at the end (or use ``with``). It ends with the
    thread that started it, and after a fork the child gets a scorer of its own.
    """

    def __init__(self, *, device: str = "", seconds: float = 600.0) -> None:
        self.device = device
        self.seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self._child.pid if self._is_alive() and self._child else None

    def start(self) -> None:
        """Start the process now, so that the first run does not wait for torch."""
        if self._owner not in (0, os.getpid()):
            self._child = None  # the process belongs to the parent that forked us
        if self._is_alive() and self._child and resident_size(self._child.pid) < GROWN_BYTES:
            return
        self.close()
        environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        self._owner = os.getpid()
        self._child = subprocess.Popen(
            [sys.executable, "-m", "evals.grading.scorer", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).resolve().parents[2],
            env=environment,
            start_new_session=True,
            bufsize=0,
        )

    def close(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child is None or self._owner != os.getpid():
            return
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream:
                stream.close()

    def measure(
        self,
        request: Frame,
        *,
        on_progress: Callable[[int, int], None] | None = None,
        should_stop: Callable[[], bool] = never,
    ) -> Frame:
        """The answer to one request; a scorer that ends before it has one is a crash of ours to retry."""
        self.start()
        child = self._child
        assert child is not None
        try:
            self._send(child, request)
            answer = self._receive(child, on_progress, should_stop)
        except (BrokenPipeError, BrokenFrame) as error:
            self.close()
            raise ChildCrashed("The scorer ended or hung in the middle of a run.") from error
        except Stopped:
            self.close()
            raise
        if "fault" in answer.header:
            raise ScorerFault(str(answer.header["fault"]))
        return answer

    def _is_alive(self) -> bool:
        return self._child is not None and self._owner == os.getpid() and self._child.poll() is None

    def _send(self, child: subprocess.Popen[bytes], request: Frame) -> None:
        assert child.stdin is not None
        values: dict[str, Any] = {"device": self.device, **request.header}
        left = memoryview(Frame(values, request.arrays).pack())
        while left:
            left = left[child.stdin.write(left) :]

    def _receive(
        self,
        child: subprocess.Popen[bytes],
        on_progress: Callable[[int, int], None] | None,
        should_stop: Callable[[], bool],
    ) -> Frame:
        """Frames until one is no progress report; the clock and the wish to stop are looked at all the while."""
        ends = time.monotonic() + self.seconds
        received = bytearray()
        while True:
            if should_stop():
                raise Stopped("The scorer was stopped.")
            if time.monotonic() > ends:
                raise BrokenFrame("The scorer took too long.")
            received += self._chunk(child)
            while (frame := cut(received)) is not None:
                if "progress" not in frame.header:
                    return frame
                if on_progress:
                    on_progress(*frame.header["progress"])

    def _chunk(self, child: subprocess.Popen[bytes]) -> bytes:
        """What the scorer has said within one tick."""
        assert child.stdout is not None
        readable, _, _ = select.select([child.stdout], [], [], POLL_SECONDS)
        if not readable:
            return b""
        data = os.read(child.stdout.fileno(), READ_BYTES)
        if not data:
            raise BrokenFrame("The scorer closed its pipe.")
        return data


def cut(received: bytearray) -> Frame | None:
    """The first whole frame of what was received, taken out of it."""
    if len(received) < PREFIX.size:
        return None
    _, header, body = PREFIX.unpack_from(received)
    size = PREFIX.size + header + body
    if len(received) < size:
        return None
    frame = unpack(bytes(received[:size]), max_bytes=MAXIMUM_ANSWER_BYTES)
    del received[:size]
    return frame
