"""Refusing, with numbers, what would not fit in memory, before any of it is taken."""

import os
from pathlib import Path

GIGABYTE = 2**30
BYTES_PER_CORE_ENTRY = 32  # factor, inverse, and the places of what is read from it
BYTES_PER_PAIR = 64  # both ends, where their product goes, and what finding that takes
BYTES_PER_DRAW = 24  # drawn, joined, and put in a random order
CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
CONTAINER_USE = Path("/sys/fs/cgroup/memory.current")
FREE = Path("/proc/meminfo")


def require(needed: float, given: float | None, what: str) -> None:
    """Refuse what needs more bytes than the ``given`` gigabytes, or than are free where none are given."""
    limit = free_bytes() if given is None else given * GIGABYTE
    if needed > limit:
        have = "are free" if given is None else "are allowed"
        raise ValueError(
            f"{what} would take {_gigabytes(needed)} GB of memory and {_gigabytes(limit)} GB {have}: "
            "leave out terms with many levels, split the observations, or give more memory."
        )


def _gigabytes(count: float) -> str:
    return f"{count / GIGABYTE:,.1f}" if count >= GIGABYTE / 10 else f"{count / GIGABYTE:.2g}"


def free_bytes() -> float:
    """What this process could still take: of the machine, and of its container."""
    return min(_free_of_machine(), _free_of_container())


def _free_of_machine() -> float:
    for line in _text(FREE).splitlines():
        name, _, amount = line.partition(":")
        if name == "MemAvailable":
            return float(amount.split()[0]) * 1024
    # Systems without /proc tell only how much there is: half of it is a cautious guess.
    return 0.5 * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _free_of_container() -> float:
    limit, used = _text(CONTAINER_LIMIT).strip(), _text(CONTAINER_USE).strip()
    return float(limit) - float(used or 0) if limit.isdigit() else float("inf")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
