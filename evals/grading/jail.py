"""The jail: the command that starts a fresh interpreter where it can read Python and nothing else.

Full isolation is bubblewrap: no network, no host files, no environment, an own user where we are root.
Without it Landlock, seccomp and resource limits remain: reduced isolation, said on every result.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from evals.grading import cards, confine, seccomp
from evals.grading.limits import MEBIBYTE

CODE_ROOT = "/code"
SITE_ROOT = "/site"
STAGE = "/tmp"
FIRST_UID, UID_COUNT = 40_000, 20_000
PROBE_SECONDS = 20
SYSTEM_FOLDERS = ("/usr/lib", "/usr/lib64", "/usr/lib32", "/lib", "/lib64", "/etc/ld.so.cache")
START = (
    "import sys; sys.path[:0] = [{code!r}]; sys.path.append({site!r}); "
    "from evals.grading.reader import main; main({settings!r})"
)


@dataclass(frozen=True)
class Cell:
    """How large one jail is."""

    memory: int
    seconds: float
    scratch: int = MEBIBYTE
    processes: int = 64
    threads: int = 1
    cuda: bool = False


@dataclass(frozen=True)
class Isolation:
    """Which walls stand on this machine, and why not more."""

    level: str
    why: str
    own_user: bool = False

    @property
    def is_full(self) -> bool:
        return self.level == "full"


@dataclass(frozen=True)
class Start:
    """How to start one jailed interpreter."""

    arguments: list[str]
    descriptors: tuple[int, ...] = ()

    def popen(self) -> subprocess.Popen[bytes]:
        """The running child, its three streams piped, its environment empty."""
        return subprocess.Popen(
            self.arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            cwd="/",
            pass_fds=self.descriptors,
            start_new_session=True,
            bufsize=0,
        )


@contextmanager
def jailed(cell: Cell, wanted: Isolation | None = None) -> Iterator[Start]:
    """The start of a jail of this size, its descriptors open for as long as the block lasts."""
    level = wanted or isolation()
    if not level.is_full:
        yield Start(interpreter(cell, level))
        return
    calls = seccomp_pipe()
    try:
        yield Start(bubblewrap(cell, level, calls), (calls,))
    finally:
        os.close(calls)


def seccomp_pipe() -> int:
    """A pipe that holds the filter, for bwrap to read."""
    reading, writing = os.pipe()
    os.write(writing, seccomp.program(alone=False))
    os.close(writing)
    return reading


def bubblewrap(cell: Cell, level: Isolation, calls: int) -> list[str]:
    """The whole command: walls, what can be read, and the interpreter."""
    places = sources()
    before = stage(places) if level.own_user else []
    if level.own_user:
        places = tuple((f"{STAGE}/{number}", target) for number, (_, target) in enumerate(places))
    arguments = [
        *(program("bwrap"), "--unshare-all", "--unshare-user", "--disable-userns"),
        *("--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"),
        *("--uid", "1000", "--gid", "1000", "--hostname", "jail"),
        *("--setenv", "OMP_NUM_THREADS", str(cell.threads), "--setenv", "TMPDIR", "/tmp"),
        *("--setenv", "OPENBLAS_NUM_THREADS", "1"),
    ]
    for source, target in places:
        arguments += ["--ro-bind", source, target]
    arguments += ["--proc", "/proc", "--dev", "/dev", "--size", str(MEBIBYTE // 16), "--tmpfs", "/dev/shm"]
    arguments += cards.binds() if cell.cuda else []
    arguments += ["--size", str(cell.scratch), "--tmpfs", "/tmp", *hidden_places()]
    arguments += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    return [*before, *arguments, "--seccomp", str(calls), "--", *interpreter(cell, level)]


def stage(places: tuple[tuple[str, str], ...]) -> list[str]:
    """As root: show the sources under names that another user can reach, then become that user.

    Limits on processes count per user and do not bind root, so each worker's jails get a user of their own.
    The death of a parent is not told across users: a process namespace around both ends what is inside with it.
    """
    arguments = [program("bwrap"), "--die-with-parent", "--unshare-pid"]
    arguments += ["--dev-bind", "/", "/", "--tmpfs", STAGE]
    for number, (source, _) in enumerate(places):
        arguments += ["--ro-bind", source, f"{STAGE}/{number}"]
    uid = str(FIRST_UID + os.getpid() % UID_COUNT)
    return [*arguments, "--", program("setpriv"), "--reuid", uid, "--regid", uid, "--clear-groups"]


def program(name: str) -> str:
    """The full path of a system program."""
    return str(shutil.which(name))


def hidden_places() -> list[str]:
    """Cover what lies beside our code and is not for a jail: the demo's benchmarks with their labels."""
    demo = Path(__file__).resolve().parent / "demo"
    inside = f"{CODE_ROOT}/evals/grading/demo"
    return ["--tmpfs", inside, "--remount-ro", inside] if demo.exists() else []


@cache
def sources() -> tuple[tuple[str, str], ...]:
    """(place outside, place inside) of all that a jailed interpreter can read."""
    package = Path(__file__).resolve().parent
    pairs = [
        (str(Path(sys.base_prefix).resolve()), str(Path(sys.base_prefix).resolve())),
        (str(Path(sysconfig.get_path("purelib")).resolve()), SITE_ROOT),
        (str(package.parent / "__init__.py"), f"{CODE_ROOT}/evals/__init__.py"),
        (str(package), f"{CODE_ROOT}/evals/grading"),
    ]
    return tuple(pairs + [(place, place) for place in SYSTEM_FOLDERS if Path(place).exists()])


def interpreter(cell: Cell, level: Isolation) -> list[str]:
    """A fresh isolated interpreter that confines itself, then reads its job from stdin."""
    inside = level.is_full
    code = CODE_ROOT if inside else str(Path(__file__).resolve().parents[2])
    site = SITE_ROOT if inside else str(Path(sysconfig.get_path("purelib")).resolve())
    settings = json.dumps({"cell": asdict(cell), "full": inside, "parent": 0 if inside else os.getpid()})
    start = START.format(code=code, site=site, settings=settings)
    return [str(Path(sys.executable).resolve()), "-I", "-S", "-B", "-X", "utf8", "-c", start]


@cache
def isolation() -> Isolation:
    """The strongest walls that work on this machine, tried once."""
    if shutil.which("bwrap") is None:
        return reduced("bubblewrap is not installed")
    choices = [Isolation("full", "bubblewrap", own_user=False)]
    if os.geteuid() == 0 and shutil.which("setpriv"):
        choices.insert(0, Isolation("full", "bubblewrap with an own user", own_user=True))
    for choice in choices:
        if starts(choice):
            return choice
    return reduced("bubblewrap cannot make namespaces here")


def reduced(reason: str) -> Isolation:
    """What remains without namespaces."""
    version = confine.landlock_version()
    walls = f"Landlock {version}, seccomp and limits" if version else "seccomp and limits"
    return Isolation("reduced", f"{reason}; {walls} only")


def starts(choice: Isolation) -> bool:
    """Whether a jail of this kind starts and ends cleanly with nothing to do."""
    with jailed(Cell(memory=1 << 30, seconds=PROBE_SECONDS), choice) as start:
        try:
            child = start.popen()
        except (OSError, subprocess.SubprocessError):
            return False
        try:
            child.communicate(b"", timeout=PROBE_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            return False
        return child.returncode == 0
