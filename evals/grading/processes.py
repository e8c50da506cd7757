"""Processes of this machine: what one and all below it hold, freezing them, ending them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

# A process may have started another while it was being stopped.
FREEZING_ROUNDS = 3


def kill_group(child: subprocess.Popen[bytes]) -> None:
    """End a child and everything in its group; a jail's inside ends with its first process."""
    try:
        os.killpg(child.pid, 9)
    except (ProcessLookupError, PermissionError):
        child.kill()
    child.wait()


def memory_of_group(pid: int) -> int:
    """Bytes that a process and its descendants hold, shared pages split between their users."""
    if not Path("/proc/self/stat").exists():
        return 0
    return sum(memory_of(member) for member in descendants(pid))


def descendants(pid: int) -> list[int]:
    """A process and all below it, from the process table."""
    parents: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (parent := parent_of(entry)):
            parents.setdefault(parent, []).append(int(entry))
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += parents.get(found[-1], [])
    return found


def parent_of(pid: str) -> int:
    """The parent of a process, 0 when it has just gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            return int(stream.read().rpartition(b")")[2].split()[1])
    except OSError:
        return 0


def memory_of(pid: int) -> int:
    """A process's proportional share of memory, or its resident size where that may not be read."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as stream:
            return 1024 * sum(int(line.split()[1]) for line in stream if line.startswith(b"Pss:"))
    except OSError:
        return resident_size(pid)


def resident_size(pid: int) -> int:
    """A process's resident size, 0 when it has gone."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as stream:
            return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def freeze(pid: int) -> None:
    """Stop a process and all below it where they stand: no time is used, nothing grows."""
    for _ in range(FREEZING_ROUNDS):
        tell_all(pid, signal.SIGSTOP)


def thaw(pid: int) -> None:
    """Let a frozen process and all below it go on."""
    tell_all(pid, signal.SIGCONT)


def tell_all(pid: int, number: signal.Signals) -> None:
    """A signal to a process and all below it; one that has gone needs none."""
    for member in descendants(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, number)


def available_memory() -> int:
    """Bytes that the machine can still give out; 0 where it does not say."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), 0)
