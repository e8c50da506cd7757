"""Workers die in the middle of runs, on the embedded set-up: nothing is lost and nothing is scored twice."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.faults.workers import SUBMISSIONS, deed, judge, kill, surroundings, worker

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return surroundings(tmp_path)


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
