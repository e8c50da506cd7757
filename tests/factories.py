"""Minimal valid rows: every argument optional, no randomness."""

from datetime import timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from tracker.cohorts.models import AdmissionRound, Application, Cohort, Enrollment, Stage
from tracker.grading.models import Artifact, Benchmark, Run, Submission
from tracker.people.models import Person, Program, Role, User
from tracker.projects.models import Output, Project
from tracker.ratings.models import Criterion, Rating, Rubric

number = count(1)
PASSWORD = "a-long-enough-passphrase"
CHEAP_PHASES = (Run.Phase.QUALIFICATION, Run.Phase.SAFETY)


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


def make_benchmark(program: Program | None = None, **values: Any) -> Benchmark:
    """A benchmark's row alone; nothing can be graded against it."""
    spec = {
        "name": "Handwritten digits",
        "headline": "accuracy",
        "metrics": {"accuracy": {"direction": "higher"}, "log_loss": {"direction": "lower"}},
        "anchors": {"start": 0.1, "reference": 0.98},
        "limits": {"max_bytes": 1_000_000, "submissions_per_day": 5},
    }
    defaults = {"slug": "digits", "name": spec["name"], "version": 1, "content_hash": "0" * 64, "spec": spec}
    return Benchmark.objects.create(program=program or make_program(), **{**defaults, **values})


def make_artifact(**values: Any) -> Artifact:
    return Artifact.objects.create(
        **{"sha256": f"{next(number):064x}", "size": 100, "format": "csv", **values}
    )


def make_submission(
    project: Project | None = None, benchmark: Benchmark | None = None, **values: Any
) -> Submission:
    project = project or make_project()
    if benchmark is None:
        benchmark = Benchmark.objects.filter(program=project.program).first() or make_benchmark(
            project.program
        )
    return Submission.objects.submit(
        project=project,
        benchmark=benchmark,
        artifact=values.pop("artifact", None) or make_artifact(),
        filename=values.pop("filename", "predictions.csv"),
        by=values.pop("by", None),
        **values,
    )


def make_round(cohort: Cohort | None = None, **values: Any) -> AdmissionRound:
    """A round that takes applications now, whose reading comes after it."""
    now = timezone.now()
    places = values.pop("places", None)
    stage = make_stage(
        cohort,
        name=f"Admission {next(number)}",
        places=places,
        reading_opens_at=now + timedelta(days=2),
        reading_closes_at=now + timedelta(days=9),
    )
    defaults = {"opens_at": now - timedelta(days=2), "closes_at": now + timedelta(days=1)}
    return AdmissionRound.objects.announce(stage, **{**defaults, **values})


def make_application(round: AdmissionRound | None = None, **values: Any) -> Application:
    n = next(number)
    round = round or make_round()
    values = {"name": f"Applicant {n}", "email": f"applicant{n}@example.org", **values}
    application = round.invite(**values)
    application.submit()
    return application


def make_thorough_run(submission: Submission | None = None, **values: Any) -> Run:
    """A thorough run that is over, behind both earlier phases."""
    submission = submission or make_submission()
    ended = {"state": Run.State.SUCCEEDED, "ended_at": timezone.now()}
    submission.runs.filter(state=Run.State.QUEUED).update(**ended)
    ended["benchmark"] = values.pop("benchmark", submission.benchmark)
    passed = [submission.runs.create(phase=phase, **ended) for phase in CHEAP_PHASES]
    clearance = submission.clearances.grant(passed[-1])
    return submission.runs.create(phase=Run.Phase.THOROUGH, clearance=clearance, **{**ended, **values})
