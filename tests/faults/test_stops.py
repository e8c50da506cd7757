"""Full measurements that are stopped while they compute: cancelled, given back at a shutdown, killed from within."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.workers import SUBMISSIONS, deed, judge, readers_of, surroundings, worker

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
PATIENCE_SECONDS = 60.0


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return surroundings(tmp_path)


def wait_until_none_is_left(process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while readers_of(process) and time.monotonic() < ends:
        time.sleep(0.05)
    assert readers_of(process) == []


def test_a_cancelled_measurement_stops_in_its_jail_and_scores_nothing(environment):
    slow = str(deed(environment, "prepare_slow", "0")["slow"])
    with worker(environment) as process:
        run = str(deed(environment, "computing", slow, "1")["run"])
        assert readers_of(process)

        found = deed(environment, "cancel", run)

        assert (found["state"], found["measurements"]) == ("cancelled", 0)
        wait_until_none_is_left(process)
        assert process.poll() is None


def test_a_shutdown_gives_back_what_takes_long_and_the_next_worker_takes_it(environment):
    slow = str(deed(environment, "prepare_slow", "0")["slow"])
    with worker(environment) as process:
        run = str(deed(environment, "computing", slow, "1")["run"])
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
        given_back = deed(environment, "one", run)

    with worker(environment):
        again = deed(environment, "computing", slow, "2")

    assert (given_back["state"], given_back["retries"], given_back["endings"]) == ("queued", 0, ["drained"])
    assert again == {"run": int(run)}


def test_a_shutdown_loses_nothing_and_costs_no_retry(environment):
    deed(environment, "prepare", str(SUBMISSIONS))
    with worker(environment) as process:
        assert deed(environment, "running")["phase"]
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    left = deed(environment, "report")

    with worker(environment):
        found = deed(environment, "sweep", "120")

    assert "running" not in {state for _, _, state, *_ in left["runs"]}
    assert all(losses == 0 for *_, losses in found["runs"])
    judge(found)


def test_what_kills_its_reader_every_time_is_quarantined_and_holds_up_no_other(environment):
    prepared = deed(environment, "prepare_slow", str(SUBMISSIONS))
    slow = str(prepared["slow"])
    with worker(environment) as process:
        for attempt in range(1, 5):
            assert deed(environment, "computing", slow, str(attempt))["run"]
            for reader in readers_of(process):
                with suppress(ProcessLookupError):
                    os.kill(reader, signal.SIGABRT)
        poison = deed(environment, "ended", slow, "60")
        found = deed(environment, "sweep", "60")

    assert (poison["state"], poison["code"]) == ("failed", "quarantined")
    assert poison["endings"] == ["crashed"] * 4
    judge(found, without=prepared["slow"])
