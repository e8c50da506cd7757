"""Workers die in the middle of runs, on the embedded set-up: nothing is lost and nothing is scored twice."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
SUBMISSIONS = 2
PHASES = ["qualification", "safety", "thorough"]
WORKER = (
    "-m celery -A tracker worker -P prefork -c 1 -Q grade.cpu --without-gossip --without-mingle -l WARNING"
)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    ours = {"PLUMBLINE_VAR": str(tmp_path), "PLUMBLINE_LEASE_SECONDS": "3", "OMP_NUM_THREADS": "1"}
    kept = {
        name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "CELERY_BROKER_URL")
    }
    return kept | ours


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


def judge(found: Any) -> None:
    """Every submission went through its three phases once, and has one score."""
    by_submission: dict[int, list[Any]] = {}
    for submission, phase, state, *_ in found["runs"]:
        by_submission.setdefault(submission, []).append((phase, state))
    assert len(by_submission) == SUBMISSIONS
    for runs in by_submission.values():
        assert runs == [(phase, "succeeded") for phase in PHASES]
    assert found["measurements"] == SUBMISSIONS
    assert found["attempts"] == [run[3] for run in found["runs"]]


def test_a_worker_killed_in_the_middle_of_a_run_loses_nothing(environment):
    deed(environment, "prepare", str(SUBMISSIONS))
    with worker(environment) as first:
        assert deed(environment, "running")["phase"]
        kill(first)

    with worker(environment):
        found = deed(environment, "sweep", "120")

    judge(found)
    assert sum(run[4] for run in found["runs"]) >= 1


def test_workers_killed_again_and_again_score_everything_once(environment):
    rng = random.Random(7)
    deed(environment, "prepare", str(SUBMISSIONS))
    for _ in range(4):
        with worker(environment):
            time.sleep(rng.uniform(2.0, 4.5))

    with worker(environment):
        found = deed(environment, "sweep", "180")

    judge(found)


def test_a_result_is_the_same_as_without_a_kill(environment, tmp_path):
    deed(environment, "prepare", str(SUBMISSIONS))
    with worker(environment):
        deed(environment, "running")
    with worker(environment):
        disturbed = deed(environment, "sweep", "120")
    calm_environment = environment | {"PLUMBLINE_VAR": str(tmp_path / "calm")}
    deed(calm_environment, "prepare", str(SUBMISSIONS))

    with worker(calm_environment):
        calm = deed(calm_environment, "sweep", "120")

    assert disturbed["scores"] == calm["scores"]


def test_a_stopped_worker_that_wakes_after_its_lease_stores_nothing(environment):
    deed(environment, "prepare", str(SUBMISSIONS))
    with worker(environment) as sleeper:
        assert deed(environment, "running")["phase"]
        os.killpg(sleeper.pid, signal.SIGSTOP)
        with worker(environment):
            found = deed(environment, "sweep", "120")
            os.killpg(sleeper.pid, signal.SIGCONT)
            time.sleep(3)
            later = deed(environment, "report")

    judge(found)
    assert later == found
