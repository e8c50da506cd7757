"""One child process: how it is started, started again after a pause that grows, and ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
# A child that lived this long was healthy: its next end starts with a short pause again.
HEALTHY_SECONDS = 60.0
LARGEST_LOG_BYTES = 5_000_000


@dataclass
class Child:
    """A named module that runs as a process of its own, its output in a log of its own."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    inherits: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    ends_in_a_row: int = 0

    @property
    def log(self) -> Path:
        return Path(settings.VAR_DIR) / "log" / f"{self.name}.log"

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it in a process group of its own, so that Ctrl-C reaches the supervisor alone."""
        make_room(self.log)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tracker.ops.supervision.lifeline", str(os.getpid()), *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=settings.BASE_DIR,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self.environment},
                pass_fds=self.inherits,
                start_new_session=True,
            )
        self.started_at = time.monotonic()

    def look_after(self) -> str:
        """Start it when its time has come; a sentence when it has just ended."""
        now = time.monotonic()
        if self.is_running:
            return ""
        if self.process is None:
            if now >= self.start_at:
                self.start()
            return ""
        code = self.process.returncode
        self.process = None
        self.ends_in_a_row = 1 if now - self.started_at > HEALTHY_SECONDS else self.ends_in_a_row + 1
        pause = pause_after(self.ends_in_a_row)
        self.start_at = now + pause
        return f"{self.name} ended ({ending(code)}): starting it again in {pause:g} s; {self.log} tells more."

    def ask_to_end(self) -> None:
        if self.process is not None and self.is_running:
            self.process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """End it and everything that it started in its group, without asking."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        finally:
            self.process.wait()


def pause_after(ends: int) -> float:
    return float(min(FIRST_PAUSE_SECONDS * 2 ** (ends - 1), LONGEST_PAUSE_SECONDS))


def ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def make_room(log: Path) -> None:
    """A log that has grown large becomes the old one."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".log.old"))
