"""A jailed reader that has loaded a model waits, frozen, for the next phase of the same submission.

It is one submission's alone, sees no label, uses no time while it waits, and is ended when it waits too long,
holds too much, fails, or another submission needs its place.
"""

from __future__ import annotations

import atexit
import os
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock, Timer

from evals.grading.children import Bounds, Supervisor
from evals.grading.frames import Frame
from evals.grading.jail import Cell, jailed
from evals.grading.limits import GIBIBYTE
from evals.grading.processes import available_memory, freeze, memory_of_group, thaw
from evals.grading.running import Contents, Watch, judged, listen, parts

KEPT_READERS = 2
KEPT_BYTES = 2 * GIBIBYTE
IDLE_SECONDS = 60.0
Key = tuple[str, ...]


@dataclass
class Reader:
    """A reader that has loaded one submission's model, and the seconds that it may still compute."""

    supervisor: Supervisor
    seconds_left: float

    def ask(self, job: Frame, files: Contents, *, bounds: Bounds, watch: Watch) -> Frame:
        """Its answer to one more job; a reader that fails has ended."""
        listen(self.supervisor, watch)
        self.supervisor.bounds = bounds
        started = time.monotonic()
        try:
            return self.supervisor.ask(parts(job, files))
        finally:
            self.seconds_left -= time.monotonic() - started

    @property
    def is_alive(self) -> bool:
        return self.supervisor.child.poll() is None

    def end(self) -> None:
        """End it with all that it started."""
        self.supervisor.reason = "no longer needed"
        self.supervisor.end()


@dataclass
class Readers:
    """The frozen readers of this process, oldest first."""

    waiting: OrderedDict[Key, Reader] = field(default_factory=OrderedDict)
    lock: Lock = field(default_factory=Lock)
    owner: int = field(default_factory=os.getpid)

    def take(self, key: Key, *, seconds: float) -> Reader | None:
        """The reader that waits under this key, if it lives and may compute for so long."""
        self.disown()
        with self.lock:
            reader = self.waiting.pop(key, None)
        if reader is None:
            return None
        if not reader.is_alive or reader.seconds_left < seconds:
            reader.end()
            return None
        thaw(reader.supervisor.child.pid)
        return reader

    def put(self, key: Key, reader: Reader) -> None:
        """Let a reader wait, unless it or the machine has grown too full; the oldest gives way."""
        freeze(reader.supervisor.child.pid)
        held = memory_of_group(reader.supervisor.child.pid)
        if held > min(KEPT_BYTES, available_memory()):
            reader.end()
            return
        with self.lock:
            self.waiting[key] = reader
        timer = Timer(IDLE_SECONDS, self.drop, (key, reader))
        timer.daemon = True
        timer.start()
        self.make_room(KEPT_READERS)

    def drop(self, key: Key, reader: Reader | None = None) -> None:
        """End what waits under this key, or only this very reader."""
        with self.lock:
            found = self.waiting.get(key)
            if found is None or reader not in (None, found):
                return
            del self.waiting[key]
        found.end()

    def make_room(self, count: int) -> None:
        """End the oldest until no more than so many wait."""
        self.disown()
        while True:
            with self.lock:
                if len(self.waiting) <= count:
                    return
                _, reader = self.waiting.popitem(last=False)
            reader.end()

    def disown(self) -> None:
        """After a fork: the readers are the parent's."""
        if self.owner != os.getpid():
            self.waiting, self.lock, self.owner = OrderedDict(), Lock(), os.getpid()


READERS = Readers()
atexit.register(READERS.make_room, 0)


def ask_warm(
    key: Key, job: Frame, files: Callable[[], Contents], cell: Cell, *, bounds: Bounds, watch: Watch
) -> Frame:
    """The answer of the reader that waits for this submission, else of a new one, which then waits."""
    reader = READERS.take(key, seconds=bounds.seconds)
    contents: Contents = {}
    if reader is None:
        if cell.cuda:
            READERS.make_room(0)  # the card is shared by one reader and the scorer
        contents = files()
        with jailed(cell) as start:
            reader = Reader(Supervisor(start.popen(), bounds), cell.seconds)
    answer = reader.ask(job, contents, bounds=bounds, watch=watch)
    if answer.header.get("state") == "done":
        READERS.put(key, reader)
    else:
        reader.end()
    return judged(answer)
