"""How many scores a second the API takes in bulk: `python -m bench.api_ingest`; fails below the goal.

It works on an SQLite file of its own, or with ``--postgresql`` on a test database beside the one that
TEST_DATABASE_URL names. The process is made ready as every web worker is, so that no request is the first.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import setup_databases, teardown_databases

import bench.throwaway  # noqa: F401 (starts Django)
from tests import factories
from tracker.ops.supervision.web import post_worker_init
from tracker.people.models import ApiKey, Role, Scope

GOALS_SCORES_PER_SECOND = {"sqlite": 5_000, "postgresql": 3_000}
OUTPUTS, RATERS, CRITERIA = 250, 10, ("importance", "rigour", "clarity", "execution")
ROUNDS = 4


def prepare() -> tuple[str, list[list[dict]]]:
    """A program, its key, and several loads of ratings."""
    settings.ALLOWED_HOSTS = ["testserver"]
    program = factories.make_program()
    cohort = factories.make_cohort(program)
    stage, project = factories.make_stage(cohort), factories.make_project(cohort)
    factories.make_rubric(program, *CRITERIA)
    outputs = [factories.make_output(project, stage=stage) for _ in range(OUTPUTS)]
    loads = []
    for _ in range(ROUNDS):
        raters = [factories.make_person(Role.MENTOR, program=program, with_user=False) for _ in range(RATERS)]
        loads.append([row(output, rater) for output in outputs for rater in raters])
    _, key = ApiKey.objects.issue(program=program, name="Bench", scopes=[Scope.RATINGS_WRITE])
    return key, loads


def row(output, rater) -> dict:
    scores = {key: (output.pk + rater.pk + place) % 10 + 1 for place, key in enumerate(CRITERIA)}
    return {"output": str(output.public_id), "rater": str(rater.public_id), "scores": scores}


@contextmanager
def database() -> Iterator[None]:
    """A migrated database that nothing else uses."""
    if connection.vendor == "sqlite":
        call_command("migrate", verbosity=0)
        yield
        return
    old = setup_databases(verbosity=0, interactive=False)
    try:
        yield
    finally:
        teardown_databases(old, verbosity=0)


def main() -> int:
    with database():
        rates = measure()
    goal = GOALS_SCORES_PER_SECOND[connection.vendor]
    print(f"slowest of {ROUNDS}: {min(rates):,.0f} scores/s, {min(rates) / goal:.1f} x the goal")
    return 0 if min(rates) >= goal else 1


def measure() -> list[float]:
    """Scores per second of each load."""
    key, loads = prepare()
    client = Client(headers={"authorization": f"Bearer {key}"})
    post_worker_init(None)
    rates = []
    for load in loads:
        body = json.dumps({"ratings": load})
        began = time.perf_counter()
        answer = client.post("/api/v1/ratings/bulk/", body, content_type="application/json")
        seconds = time.perf_counter() - began
        assert answer.status_code == 201, answer.content[:300]
        rates.append(len(load) * len(CRITERIA) / seconds)
        print(f"{len(load)} ratings, {len(load) * len(CRITERIA)} scores: {rates[-1]:,.0f} scores/s")
    return rates


if __name__ == "__main__":
    raise SystemExit(main())
