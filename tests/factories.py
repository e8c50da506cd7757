"""Minimal valid rows: every argument optional, no randomness."""

from datetime import timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from tracker.cohorts.models import Cohort, Enrollment, Stage
from tracker.people.models import Person, Program, Role, User
from tracker.projects.models import Output, Project
from tracker.ratings.models import Criterion, Rating, Rubric

number = count(1)
PASSWORD = "a-long-enough-passphrase"


def make_user(**values: Any) -> User:
    return User.objects.create_user(
        values.pop("email", f"user{next(number)}@example.org"), PASSWORD, **values
    )


def make_program(**values: Any) -> Program:
    n = next(number)
    return Program.objects.create(**{"name": f"Program {n}", "slug": f"program-{n}", **values})


def make_person(
    *roles: Role, program: Program | None = None, with_user: bool = True, **values: Any
) -> Person:
    n = next(number)
    if with_user and "user" not in values:
        values["user"] = make_user(name=f"Person {n}")
    return Person.objects.join(
        program=program or make_program(), name=values.pop("name", f"Person {n}"), roles=roles, **values
    )


def make_cohort(program: Program | None = None, **values: Any) -> Cohort:
    today = timezone.localdate()
    values = {"starts_on": today - timedelta(days=21), "ends_on": today + timedelta(days=49), **values}
    return Cohort.objects.create(
        program=program or make_program(), name=values.pop("name", f"Cohort {next(number)}"), **values
    )


def make_stage(cohort: Cohort | None = None, **values: Any) -> Stage:
    """A stage whose reading is open now."""
    n, now, today = next(number), timezone.now(), timezone.localdate()
    defaults = {
        "name": f"Stage {n}",
        "position": n,
        "starts_on": today - timedelta(days=21),
        "ends_on": today + timedelta(days=7),
        "reading_opens_at": now - timedelta(days=7),
        "reading_closes_at": now + timedelta(days=3),
        "decisions_due_on": today + timedelta(days=6),
        "notice_on": today + timedelta(days=8),
    }
    return Stage.objects.create(cohort=cohort or make_cohort(), **{**defaults, **values})


def close_reading(stage: Stage) -> Stage:
    Stage.objects.filter(pk=stage.pk).update(reading_closes_at=timezone.now() - timedelta(minutes=1))
    stage.refresh_from_db()
    return stage


def make_mentee(cohort: Cohort, **values: Any) -> Person:
    person = make_person(Role.MENTEE, program=cohort.program, **values)
    Enrollment.objects.create(person=person, cohort=cohort)
    return person


def make_project(cohort: Cohort | None = None, **values: Any) -> Project:
    cohort = cohort or make_cohort()
    authors = values.pop("authors", None) or [make_mentee(cohort)]
    return Project.objects.start(
        cohort=cohort, title=values.pop("title", f"Project {next(number)}"), authors=authors, **values
    )


def make_output(project: Project | None = None, **values: Any) -> Output:
    project = project or make_project()
    if "stage" not in values:
        values["stage"] = project.cohort.stages.first() or make_stage(project.cohort)
    return Output.objects.publish(
        project,
        title=values.pop("title", f"Output {next(number)}"),
        kind=values.pop("kind", "post"),
        **values,
    )


def make_rubric(program: Program, *keys: str) -> Rubric:
    rubric = Rubric.objects.create(program=program, name="Research")
    for position, key in enumerate(keys or ("importance", "rigour", "clarity", "execution")):
        Criterion.objects.create(rubric=rubric, key=key, name=key.capitalize(), position=position)
    return rubric


def make_rating(output: Output, rater: Person | None = None, **values: Any) -> Rating:
    program = output.program
    rubric = Rubric.objects.standing().filter(program=program).first() or make_rubric(program)
    scores = values.pop("scores", None) or {criterion.key: 6.0 for criterion in rubric.criteria.all()}
    rater = rater or make_person(Role.MENTOR, program=program)
    return Rating.objects.record(output=output, rater=rater, scores=scores, **values)
