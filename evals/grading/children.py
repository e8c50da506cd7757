"""Supervising a child: feed it, drain it, watch its time, memory and output, end it with all it started."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from evals.grading.frames import PREFIX, BrokenFrame, Frame, unpack
from evals.grading.limits import MEBIBYTE
from evals.grading.processes import kill_group, memory_of_group
from evals.grading.refusals import ChildCrashed, Refused, Stopped

CHUNK_BYTES = MEBIBYTE
ERROR_BYTES = 64 * 1024
WATCH_SECONDS = 0.1
FIRST_WATCH_SECONDS = 0.5
DRAIN_SECONDS = 2.0
TICK_SECONDS = 0.05
# Starting Python and torch is ours and may be slow on a busy machine: it is no submitter's time.
START_SECONDS = 60.0
Watch = Callable[[], bool]


def never() -> bool:
    """The default of ``should_stop``."""
    return False


@dataclass(frozen=True)
class Bounds:
    """What a child may use before it is ended."""

    seconds: float
    memory: int
    output: int


@dataclass
class Supervisor:
    """One running child and the frames it has sent; used by one thread at a time.

    ``run`` asks once and sees the child's end; ``ask`` leaves it waiting for another question.
    """

    child: subprocess.Popen[bytes]
    bounds: Bounds
    should_stop: Watch = never
    on_frame: Callable[[Frame], None] = lambda frame: None
    received: bytearray = field(default_factory=bytearray)
    errors: bytearray = field(default_factory=bytearray)
    frames: list[Frame] = field(default_factory=list)
    output: int = 0
    reason: str = ""
    started: float = 0.0
    is_ready: bool = False
    stays: bool = False

    def run(self, parts: Iterator[bytes | memoryview]) -> Frame:
        """The child's last frame, after all parts were written to it.

        Raises Refused for time, memory and output, Stopped when asked to, ChildCrashed otherwise.
        """
        self.begin(parts)
        try:
            self.pump()
        except BrokenFrame as error:
            raise ChildCrashed("The child sent something else than frames.") from error
        finally:
            self.end()
        return self.answer()

    def ask(self, parts: Iterator[bytes | memoryview]) -> Frame:
        """The child's next answer, its input left open; a child that fails in any way is ended."""
        self.stays = True
        self.begin(parts)
        try:
            self.pump()
        except BaseException as error:
            self.end()
            if isinstance(error, BrokenFrame):
                raise ChildCrashed("The child sent something else than frames.") from error
            raise
        if self.reason or not self.frames:
            self.end()
        return self.answer()

    def begin(self, parts: Iterator[bytes | memoryview]) -> None:
        """Start the clock and forget an earlier answer."""
        self.started = time.monotonic()
        self.watched = self.started + FIRST_WATCH_SECONDS
        self.parts = parts
        self.pending = memoryview(b"")
        self.frames.clear()
        self.output = 0

    def pump(self) -> None:
        """Move bytes until the child has closed its output, or must end."""
        with selectors.DefaultSelector() as selector:
            for stream, event in self.streams():
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, event)
            while self.is_open(selector) and not self.must_end():
                for key, _ in selector.select(TICK_SECONDS):
                    if not self.move(key.fileobj):  # type: ignore[arg-type]
                        selector.unregister(key.fileobj)
                        self.let_go(key.fileobj)  # type: ignore[arg-type]

    def let_go(self, stream: BinaryIO) -> None:
        """Close a stream that is done, but not the input of a child that will be asked again."""
        if not (self.stays and stream is self.child.stdin):
            stream.close()

    def streams(self) -> Iterator[tuple[BinaryIO, int]]:
        """The child's three streams with the events that matter."""
        child = self.child
        assert child.stdin
        assert child.stdout
        assert child.stderr
        yield child.stdin, selectors.EVENT_WRITE  # type: ignore[misc]
        yield child.stdout, selectors.EVENT_READ  # type: ignore[misc]
        yield child.stderr, selectors.EVENT_READ  # type: ignore[misc]

    def is_open(self, selector: selectors.BaseSelector) -> bool:
        """Whether the child may still say something that we wait for."""
        if self.stays and self.frames:
            return False
        return any(key.fileobj is self.child.stdout for key in selector.get_map().values())

    def move(self, stream: BinaryIO) -> bool:
        """Move some bytes of one stream; False when it is done."""
        if stream is self.child.stdin:
            return self.feed(stream)
        try:
            data = os.read(stream.fileno(), CHUNK_BYTES)
        except BlockingIOError:
            return True
        if stream is self.child.stderr:
            self.errors += data[: ERROR_BYTES - len(self.errors)]
        else:
            self.receive(data)
        return bool(data)

    def feed(self, stream: BinaryIO) -> bool:
        """Write the next bytes to the child; a child that no longer listens is no error yet."""
        if not self.pending:
            part = next(self.parts, None)
            if part is None:
                return False
            self.pending = memoryview(part)
        try:
            written = os.write(stream.fileno(), self.pending[:CHUNK_BYTES])
        except BlockingIOError:
            return True
        except BrokenPipeError:
            return False
        self.pending = self.pending[written:]
        return True

    def receive(self, data: bytes) -> None:
        """Cut whole frames from what arrived."""
        self.output += len(data)
        self.received += data
        while len(self.received) >= PREFIX.size and self.output <= self.bounds.output:
            _, header, body = PREFIX.unpack_from(self.received)
            size = PREFIX.size + header + body
            if size > self.bounds.output:
                raise BrokenFrame("A frame is too long.")
            if len(self.received) < size:
                return
            frame = unpack(bytes(self.received[:size]), max_bytes=size)
            del self.received[:size]
            self.keep(frame)

    def keep(self, frame: Frame) -> None:
        """Hand on a progress frame, keep any other as the answer; the clock runs from the first *ready*."""
        if "ready" in frame.header:
            self.started = self.started if self.is_ready else time.monotonic()
            self.is_ready = True
        elif "progress" in frame.header:
            self.on_frame(frame)
        else:
            self.frames[:] = [frame]

    def must_end(self) -> bool:
        """Whether a bound is passed; looked at at every tick, memory a little less often."""
        now = time.monotonic()
        if self.should_stop():
            self.reason = "stopped"
        elif self.output > self.bounds.output:
            self.reason = "over-output"
        elif self.is_ready and now - self.started > self.bounds.seconds:
            self.reason = "over-time"
        elif not self.is_ready and now - self.started > START_SECONDS:
            self.reason = "did not start"
        elif now > self.watched:
            self.watched = now + WATCH_SECONDS
            if memory_of_group(self.child.pid) > self.bounds.memory:
                self.reason = "over-memory"
        return bool(self.reason)

    def end(self) -> None:
        """Leave no process behind: give a finished child a moment, then kill its whole group."""
        if not self.reason:
            try:
                self.child.wait(DRAIN_SECONDS)
            except subprocess.TimeoutExpired:
                self.reason = self.reason or "lingered"
        kill_group(self.child)
        for stream in (self.child.stdin, self.child.stdout, self.child.stderr):
            if stream:
                stream.close()

    def answer(self) -> Frame:
        """The last frame, or the reason why there is none."""
        if self.reason == "stopped":
            raise Stopped("The run was stopped.")
        if self.reason in ("over-time", "over-memory", "over-output"):
            raise Refused(self.reason)
        if not self.frames:
            raise crash(self.child.returncode, bytes(self.errors))
        return self.frames[0]


def crash(code: int, errors: bytes) -> Exception:
    """What an ended child without an answer means."""
    if code in (-24, 128 + 24):
        return Refused("over-time")
    # The text is for operators; it never reaches a submitter.
    return ChildCrashed(f"The child ended with {code}: {errors[-2000:].decode('utf-8', 'replace')}")
