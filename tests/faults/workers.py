"""Real workers for the fault tests: started, killed without a word, and judged by what is in the database."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from evals.grading.processes import descendants

SUBMISSIONS = 2
PHASES = ["qualification", "safety", "thorough"]
WORKER = (
    "-m celery -A tracker worker -P prefork -c 1 -Q grade.cpu --without-gossip --without-mingle -l WARNING"
)
# How a jail that computes with weights is started, and no other one.
READER = b'"threads": 2'


def surroundings(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a set-up of its own: embedded broker and SQLite unless told otherwise, short leases."""
    ours = {"PLUMBLINE_VAR": str(folder), "PLUMBLINE_LEASE_SECONDS": "3", "OMP_NUM_THREADS": "1"}
    kept = {
        name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "CELERY_BROKER_URL")
    }
    return kept | ours | more


def deed(environment: dict[str, str], *arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.deeds", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, *WORKER.split()], env=environment, start_new_session=True)
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """The worker and its pool, at once and without a word."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def readers_of(process: subprocess.Popen[bytes]) -> list[int]:
    """The processes of the jails in which a worker computes with weights."""
    lines = {pid: Path(f"/proc/{pid}/cmdline") for pid in descendants(process.pid)}
    return [pid for pid, line in lines.items() if line.exists() and READER in line.read_bytes()]


def judge(found: Any, *, without: int | None = None) -> None:
    """Every submission, but the one left out, went through its three phases once, and has one score."""
    by_submission: dict[int, list[Any]] = {}
    for submission, phase, state, *_ in found["runs"]:
        if submission == without:
            continue
        by_submission.setdefault(submission, []).append((phase, state))
    assert len(by_submission) == SUBMISSIONS
    for runs in by_submission.values():
        assert runs == [(phase, "succeeded") for phase in PHASES]
    assert found["measurements"] == SUBMISSIONS
    assert found["attempts"] == [run[3] for run in found["runs"]]
