"""Redis, RabbitMQ and PostgreSQL in the place of the embedded set-up: the same promises hold."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.faults.workers import SUBMISSIONS, deed, judge, kill, surroundings, worker

# One after the other: one of them empties the broker that the others ring through.
pytestmark = [pytest.mark.services, pytest.mark.timeout(300), pytest.mark.xdist_group("services")]
BROKERS = {"redis": "TEST_REDIS_URL", "rabbitmq": "TEST_RABBITMQ_URL"}


@pytest.fixture
def postgres() -> Iterator[str]:
    """The address of an empty PostgreSQL database, which goes away after the test."""
    server = os.environ["TEST_DATABASE_URL"]
    name = f"plumbline_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield server.rsplit("/", 1)[0] + f"/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=BROKERS)
def environment(request: pytest.FixtureRequest, tmp_path: Path, postgres: str) -> dict[str, str]:
    broker = os.environ[BROKERS[request.param]]
    return surroundings(tmp_path, CELERY_BROKER_URL=broker, DATABASE_URL=postgres)


def test_a_worker_killed_in_the_middle_of_a_run_loses_nothing(environment):
    with worker(environment) as first:
        deed(environment, "prepare", str(SUBMISSIONS))
        assert deed(environment, "running")["phase"]
        kill(first)

    with worker(environment):
        found = deed(environment, "sweep", "120")

    judge(found)


def test_a_shutdown_loses_nothing_and_costs_no_retry(environment):
    deed(environment, "prepare", str(SUBMISSIONS))
    with worker(environment) as process:
        assert deed(environment, "running")["phase"]
        process.terminate()
        assert process.wait(60) == 0
    left = deed(environment, "report")

    with worker(environment):
        found = deed(environment, "sweep", "120")

    assert "running" not in {state for _, _, state, *_ in left["runs"]}
    assert all(losses == 0 for *_, losses in found["runs"])
    judge(found)


def test_a_cancelled_measurement_stops_in_its_jail(environment):
    slow = str(deed(environment, "prepare_slow", "0")["slow"])
    with worker(environment):
        run = str(deed(environment, "computing", slow, "1")["run"])

        found = deed(environment, "cancel", run)

    assert (found["state"], found["measurements"]) == ("cancelled", 0)


def test_a_broker_that_forgets_everything_delays_and_loses_nothing(tmp_path, postgres):
    broker = os.environ["TEST_REDIS_URL"]
    environment = surroundings(tmp_path, CELERY_BROKER_URL=broker, DATABASE_URL=postgres)
    deed(environment, "prepare", str(SUBMISSIONS))
    subprocess.run(["redis-cli", "-u", broker, "FLUSHALL"], check=True, capture_output=True)

    with worker(environment):
        found = deed(environment, "sweep", "120")

    judge(found)


@pytest.mark.parametrize("broker", ["redis://127.0.0.1:1/0", "amqp://guest:guest@127.0.0.1:1//"])
def test_a_broker_that_is_away_fails_no_request(tmp_path, postgres, broker):
    environment = surroundings(tmp_path, CELERY_BROKER_URL=broker, DATABASE_URL=postgres)

    assert deed(environment, "prepare", str(SUBMISSIONS)) == {"submissions": SUBMISSIONS}
