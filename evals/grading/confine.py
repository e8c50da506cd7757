"""What a jailed interpreter does to itself before it reads a byte: limits, Landlock, seccomp.

Runs at the very start of the child, from a string of standard-library code, with modules that load no library.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
import sys
from typing import Any

from evals.grading import cards, seccomp

LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
RULE_PATH_BENEATH = 1
VERSION_FLAG = 1
READ_RIGHTS = (1 << 0) | (1 << 2) | (1 << 3)  # execute, read a file, read a folder
WRITE_RIGHTS = READ_RIGHTS | (1 << 1) | (1 << 5) | (1 << 7) | (1 << 8)
HANDLED_BY_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
NETWORK_RIGHTS = 3
SET_NO_NEW_PRIVILEGES, SET_PARENT_DEATH_SIGNAL, SET_SECCOMP = 38, 1, 22
FILTER_MODE = 2
OPEN_FILES = 128
START_SECONDS = 10


def library() -> Any:
    """The C library, with errno kept."""
    return ctypes.CDLL(None, use_errno=True)


def confine(cell: dict[str, Any], *, full: bool, parent: int, readable: list[str]) -> None:
    """Put up every wall this side can; the namespaces of a full jail stand already."""
    limit_resources(
        memory=cell["memory"],
        seconds=int(cell["seconds"] * max(1, cell["threads"])) + START_SECONDS,
        file_bytes=cell["scratch"],
        processes=cell["processes"] if full else resource.RLIM_INFINITY,
    )
    if sys.platform != "linux":
        return
    if not full:
        die_with_parent(parent)
    forbid_new_privileges()
    restrict_files(readable, writable_places(cell, full=full))
    if not full:
        filter_calls(alone=True)


def writable_places(cell: dict[str, Any], *, full: bool) -> list[str]:
    """Where a jailed process may write: nowhere that outlives it."""
    scratch = ["/tmp"] if full else []
    return ["/dev/null", *scratch, *(cards.nodes() if cell["cuda"] else ())]


def limit_resources(*, memory: int, seconds: int, file_bytes: int, processes: int) -> None:
    """Hard limits that the child cannot raise again."""
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_DATA: memory,
        resource.RLIMIT_NPROC: processes,
    }
    for kind, value in wanted.items():
        ceiling = resource.getrlimit(kind)[1]
        if value != resource.RLIM_INFINITY:
            value = value if ceiling == resource.RLIM_INFINITY else min(value, ceiling)
            resource.setrlimit(kind, (value, value))


def die_with_parent(parent: int) -> None:
    """Be killed when the parent ends, also when it already has."""
    library().prctl(SET_PARENT_DEATH_SIGNAL, 9, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def forbid_new_privileges() -> None:
    """No set-user-id program gives more rights from here on."""
    library().prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def landlock_version() -> int:
    """The kernel's Landlock version, 0 where it has none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(library().syscall(LANDLOCK_CREATE, None, 0, VERSION_FLAG)))


def restrict_files(readable: list[str], writable: list[str]) -> bool:
    """Let this process see these places only; False where the kernel has no Landlock."""
    version = landlock_version()
    if version == 0:
        return False
    handled = HANDLED_BY_VERSION.get(version, HANDLED_BY_VERSION[4])
    network = NETWORK_RIGHTS if version >= 4 else 0
    attributes = struct.pack("=QQ", handled, network)[: 16 if version >= 4 else 8]
    libc = library()
    rules = int(libc.syscall(LANDLOCK_CREATE, attributes, len(attributes), 0))
    if rules < 0:
        return False
    for paths, rights in ((readable, READ_RIGHTS), (writable, WRITE_RIGHTS)):
        for path in filter(os.path.exists, paths):
            add_rule(libc, rules, path, rights)
    done = libc.syscall(LANDLOCK_RESTRICT, rules, 0) == 0
    os.close(rules)
    return bool(done)


def add_rule(libc: Any, rules: int, path: str, rights: int) -> None:
    """Allow these rights beneath one path."""
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    if not os.path.isdir(path):
        rights &= (1 << 0) | (1 << 1) | (1 << 2)
    libc.syscall(LANDLOCK_ADD, rules, RULE_PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
    os.close(place)


def filter_calls(*, alone: bool) -> bool:
    """Install the seccomp filter on this process and its children."""
    code = seccomp.program(alone=alone)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    return bool(library().prctl(SET_SECCOMP, FILTER_MODE, header, 0, 0) == 0)
