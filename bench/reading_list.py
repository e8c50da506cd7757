"""A reader's list and the list of cohorts, in a large program: `python -m bench.reading_list`; fails past the goals.

1,000 projects, 10,000 outputs, 100,000 scores, on an SQLite file of its own. What is printed is processor time, the
middle of several, and the number of queries.
"""

import statistics
import time
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

import bench.throwaway  # noqa: F401 (starts Django)
from tests import factories
from tests.schema import fresh_database
from tracker.people.models import Person, Role
from tracker.projects.models import Credit, Output, Project, TeamMember
from tracker.ratings.handing_out import hand_out
from tracker.ratings.models import Rating, ReadingPlan
from tracker.ratings.rules import Draft

PROJECTS, OUTPUTS_EACH, READERS, MENTEES = 1_000, 10, 60, 120
RATINGS, CRITERIA = 25_000, ("importance", "rigour", "clarity", "execution")
RATED_BY_EACH = RATINGS // READERS
# Everybody has had enough readers by then: these are what the list has assignments from.
SECOND_SHARE = 0.2
LOOKS = 7
# page: (queries, milliseconds of processor time; none: not stated)
GOALS = {"/reading/": (10, 150.0), "/cohorts/": (8, None)}


def prepare() -> tuple[Person, Person]:
    """A reader and a lead of a program of that size."""
    settings.ALLOWED_HOSTS = ["testserver"]
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    program = factories.make_program()
    stage = factories.make_stage(factories.make_cohort(program))
    factories.make_rubric(program, *CRITERIA)
    people = [factories.make_mentee(stage.cohort, with_user=False) for _ in range(MENTEES)]
    readers = [factories.make_person(Role.MENTOR, program=program, with_user=n == 0) for n in range(READERS)]
    outputs = outputs_of(stage, people)
    for at, reader in enumerate(readers):
        rate(reader, rated_by(at, outputs))
    hand_out(ReadingPlan.objects.create(stage=stage, seed=1, second_share=SECOND_SHARE))
    return readers[0], factories.make_person(Role.LEAD, program=program)


def outputs_of(stage: Any, people: list[Person]) -> list[Output]:
    cohort, program = stage.cohort, stage.cohort.program
    projects = Project.objects.bulk_create(
        Project(program=program, cohort=cohort, title=f"Project {n}") for n in range(PROJECTS)
    )
    authors = [people[n % MENTEES] for n in range(PROJECTS)]
    TeamMember.objects.bulk_create(
        TeamMember(project=project, person=author) for project, author in zip(projects, authors, strict=True)
    )
    outputs = Output.objects.bulk_create(
        Output(program=program, project=project, stage=stage, title=f"{project} {n}", kind="post")
        for project in projects
        for n in range(OUTPUTS_EACH)
    )
    Credit.objects.bulk_create(
        Credit(output=output, person=authors[at // OUTPUTS_EACH], kind="execution", share=1)
        for at, output in enumerate(outputs)
    )
    return outputs


def rated_by(at: int, outputs: list[Output]) -> list[Output]:
    """Evenly over all outputs, another part for each reader."""
    step = len(outputs) // RATED_BY_EACH
    return outputs[at % step :: step][:RATED_BY_EACH]


def rate(reader: Person, outputs: list[Output]) -> None:
    drafts = [
        Draft(
            output=output,
            rater=reader,
            scores=dict.fromkeys(CRITERIA, float((output.pk + reader.pk) % 10 + 1)),
        )
        for output in outputs
    ]
    Rating.objects.record_all(drafts, program=reader.program)


def look(browser: Client, path: str) -> tuple[int, float]:
    """Queries and milliseconds of processor time."""
    times = []
    for _ in range(LOOKS):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(path).status_code == 200
            count = len(queries)
        began = time.process_time()
        browser.get(path)
        times.append(1000 * (time.process_time() - began))
    return count, statistics.median(times)


def main() -> int:
    fresh_database()
    reader, lead = prepare()
    is_good = True
    for who, path in ((reader, "/reading/"), (lead, "/cohorts/")):
        browser = Client()
        browser.force_login(who.user)
        count, milliseconds = look(browser, path)
        most, longest = GOALS[path]
        is_good &= count <= most and (longest is None or milliseconds <= longest)
        print(
            f"{path}: {count} queries (at most {most}), {milliseconds:.0f} ms (at most {longest or 'none stated'})"
        )
    return 0 if is_good else 1


if __name__ == "__main__":
    raise SystemExit(main())
