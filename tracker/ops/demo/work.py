"""The cohort's stages, rubric, projects, outputs and milestones."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tracker.cohorts.models import Cohort, Stage
from tracker.ops.demo.people import Cast
from tracker.ops.demo.plan import Calendar
from tracker.people.models import Person, Program
from tracker.projects.models import (
    Bottleneck,
    Claim,
    Credit,
    CreditStatement,
    Milestone,
    Output,
    Project,
)
from tracker.ratings.models import Criterion, Question, Rubric

EXERCISE_DAY = -17
# A milestone's later predictions lie this many days after the date it had at first.
SLIPS_DAYS = (0, 3, 7)


@dataclass(frozen=True)
class Piece:
    """An output, the day it appeared, and how many read it."""

    output: Output
    day: int
    readers: int


def hold_cohort(program: Program, plan: dict[str, Any], calendar: Calendar) -> Cohort:
    told = plan["program"]
    cohort = Cohort.objects.create(
        program=program,
        name=told["cohort"],
        starts_on=calendar.on(told["starts"]),
        ends_on=calendar.on(told["ends"]),
    )
    for position, stage in enumerate(plan["stages"], start=1):
        Stage.objects.create(
            cohort=cohort,
            name=stage["name"],
            position=position,
            starts_on=calendar.on(stage["starts"]),
            ends_on=calendar.on(stage["ends"]),
            reading_opens_at=calendar.at(stage["reading_opens"], 9),
            reading_closes_at=calendar.at(stage["reading_closes"]),
            decisions_due_on=calendar.on(stage["decisions_due"]),
            notice_on=calendar.on(stage["notice"]),
            places=stage.get("places"),
        )
    return cohort


def write_rubric(program: Program, criteria: list[dict[str, str]]) -> Rubric:
    rubric = Rubric.objects.create(program=program, name="Research")
    for position, criterion in enumerate(criteria):
        Criterion.objects.create(rubric=rubric, position=position, lowest=1, highest=10, **criterion)
    Question.objects.create(rubric=rubric, key="holds-up", text="Will this hold up?", months=12)
    return rubric


def start_projects(cohort: Cohort, cast: Cast, projects: list[dict[str, Any]]) -> dict[str, Project]:
    return {
        told["title"]: Project.objects.start(
            cohort=cohort,
            title=told["title"],
            summary=told["summary"],
            authors=[cast.mentees[name] for name in told["authors"]],
            mentors=[cast.mentors[told["mentor"]]],
        )
        for told in projects
    }


def publish_exercises(
    projects: dict[str, Project], cast: Cast, *, plan: dict[str, Any], stage: Stage, calendar: Calendar
) -> list[Piece]:
    """One piece of training by each mentee, theirs alone though it lies in the team's project."""
    pieces = []
    titles = iter(plan["training"]["exercises"])
    for told in plan["projects"]:
        for name in told["authors"]:
            output = Output.objects.publish(
                projects[told["title"]],
                title=next(titles),
                kind=Output.Kind.REPOSITORY,
                stage=stage,
                is_empirical=True,
                produced_on=calendar.on(EXERCISE_DAY),
            )
            output.set_credit({Credit.Kind.EXECUTION: {cast.mentees[name]: 1.0}})
            pieces.append(Piece(output, EXERCISE_DAY, readers=3))
    return pieces


def publish_research(
    projects: dict[str, Project], told: list[dict[str, Any]], *, stage: Stage, calendar: Calendar
) -> list[Piece]:
    """What the teams made since; the newest pieces still wait for their readers."""
    pieces = []
    for row in told:
        for title, kind, is_empirical, day in row["outputs"]:
            output = Output.objects.publish(
                projects[row["title"]],
                title=title,
                kind=kind,
                stage=stage,
                is_empirical=is_empirical,
                produced_on=calendar.on(day),
            )
            pieces.append(Piece(output, day, readers=readers_by_now(day)))
    return pieces


def readers_by_now(day: int) -> int:
    if day <= -7:
        return 3
    return 2 if day <= -3 else 1 if day <= -2 else 0


def set_milestones(projects: dict[str, Project], told: list[dict[str, Any]], calendar: Calendar) -> None:
    """Due, reached, late; each with what its team predicted week by week."""
    for row in told:
        project = projects[row["title"]]
        author = project.authors()[0]
        for title, due, reached in row["milestones"]:
            milestone = Milestone.objects.create(project=project, title=title, due_on=calendar.on(due))
            predict(milestone, author, due=due, calendar=calendar)
            if reached:
                milestone.reach(at=calendar.at(reached, 15))


def tell_the_course(projects: dict[str, Project], told: list[dict[str, Any]], cast: Cast) -> None:
    """What some teams stand on, lack, and propose as their credit; the first claim alone has been tried."""
    for row in told:
        if "claims" not in row:
            continue
        project = projects[row["title"]]
        author = project.authors()[0]
        claims = [Claim.objects.make(project, text, by=author) for text in row["claims"]]
        for lower, upper in pairwise(claims):
            upper.rest_on(lower, by=author)
        claims[0].check_off(
            Claim.State.REPRODUCED, by=author, evidence="On our own probes, with three readers."
        )
        kind, note = row["bottleneck"]
        Bottleneck.objects.name_it(project, kind, by=author, note=note)
        shares = {cast.mentees[name]: share for name, share in row["idea_shares"].items()}
        CreditStatement.objects.state(project, {Credit.Kind.IDEA: shares}, by=author)


def predict(milestone: Milestone, author: Person, *, due: int, calendar: Calendar) -> None:
    """As with most dates, the later the prediction the later the date."""
    for week, slip in enumerate(SLIPS_DAYS):
        made = -21 + 7 * week
        if made < due:
            milestone.predict(calendar.on(due + slip), by=author, at=calendar.at(made, 10))
