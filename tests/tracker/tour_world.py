"""What the test of the README's tour does in processes of its own: `python -m tests.tracker.tour_world DEED`."""

import sys
import time
from pathlib import Path

import tests.standalone  # noqa: F401 (starts Django)
from tests.factories import (
    make_cohort,
    make_mentee,
    make_output,
    make_person,
    make_program,
    make_project,
    make_rating,
    make_rubric,
    make_stage,
)
from tests.schema import fresh_database
from tracker.estimates.refresh import refresh_due, refresh_estimates
from tracker.events.delivery import deliver_events
from tracker.grading.installing import install_benchmark
from tracker.grading.work import grade_next
from tracker.people.models import ApiKey, Role, Scope

DIGITS = Path("evals/grading/demo/digits")
KEY = "plb_a-key-for-the-tour"


def prepare() -> None:
    """A program in mid-cohort, with a few ratings and the digits benchmark."""
    fresh_database()
    program = make_program()
    stage = make_stage(make_cohort(program))
    make_rubric(program)
    readers = [make_person(Role.MENTOR, program=program, with_user=False) for _ in range(4)]
    for place in range(6):
        author = make_mentee(stage.cohort, with_user=False)
        output = make_output(make_project(stage.cohort, authors=[author]), stage=stage)
        for shift, reader in enumerate(readers):
            make_rating(output, reader, scores=scores(place, shift))
    install_benchmark(program, DIGITS, slug="digits")
    ApiKey.objects.enter(KEY, program=program, name="Tour", scopes=list(Scope.values))
    refresh_estimates(program)


def scores(place: int, shift: int) -> dict[str, float]:
    keys = ("importance", "rigour", "clarity", "execution")
    return {key: 3.0 + (place + shift * at) % 6 for at, key in enumerate(keys)}


def work() -> None:
    """What workers and the tick do, in one process, until it is told to end."""
    while True:
        deliver_events()
        refresh_due()
        if not grade_next():
            time.sleep(0.2)


if __name__ == "__main__":
    {"prepare": prepare, "work": work}[sys.argv[1]]()
