"""Load the demo cohort: people, work, readings of two stages, one of them closed and released."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from tracker.cohorts.models import Cohort, Stage
from tracker.errors import RuleBroken
from tracker.estimates.models import Release
from tracker.estimates.refresh import refresh_due, refresh_estimates
from tracker.grading.installing import install_benchmark
from tracker.grading.models import Benchmark
from tracker.grading.models.submissions import evaluation_of
from tracker.mentoring.models import Feedback
from tracker.ops.demo.benchmark import DIGITS, SLUG
from tracker.ops.demo.deciding import fix_gate, let_go_on
from tracker.ops.demo.people import Cast, invite_everybody, open_other_doors
from tracker.ops.demo.plan import Calendar, read_plan
from tracker.ops.demo.readings import (
    assign,
    hand_out_reading,
    keep_truth,
    record_readings,
    simulate_readings,
)
from tracker.ops.demo.work import (
    Piece,
    hold_cohort,
    publish_exercises,
    publish_research,
    set_milestones,
    start_projects,
    tell_the_course,
    write_rubric,
)
from tracker.people.models import Program
from tracker.projects.models import Project, ReleasePolicy, TeamMember
from tracker.ratings.models import Conflict

# Twenty outputs with both a rating and a measurement are the rule; the demo has four, and says that it joins earlier.
MEASUREMENTS_JOIN_FROM = 3
RESULTS_DAY = -4


def load_demo() -> Program:
    """The demo's program: loaded into an empty database, or as it is there already."""
    slug = read_plan()["program"]["slug"]
    present = Program.objects.filter(slug=slug, is_simulated=True).first()
    if present is not None:
        return present
    if Program.objects.exists():
        raise RuleBroken(
            "This database holds programs already: load the demo into an empty one,"
            " such as PLUMBLINE_VAR=var-demo makes.",
            code="not-empty",
        )
    if settings.HTTPS:
        raise RuleBroken(
            "The demo's passwords are known to everybody: load it on a host without PLUMBLINE_HTTPS.",
            code="not-here",
        )
    with transaction.atomic():
        return load(read_plan(), Calendar.now())


def load(plan: dict[str, Any], calendar: Calendar) -> Program:
    told = plan["program"]
    program = Program.objects.create(
        name=told["name"],
        slug=told["slug"],
        is_simulated=True,
        conflicts_reach=Program.Reach.TEAM,
        measurements_join_from=MEASUREMENTS_JOIN_FROM,
    )
    cohort = hold_cohort(program, plan, calendar)
    write_rubric(program, plan["criteria"])
    ReleasePolicy.objects.publish(program, told["release_policy"])
    cast = invite_everybody(program, cohort, plan)
    projects = start_projects(cohort, cast, plan["projects"])
    set_milestones(projects, plan["projects"], calendar)
    tell_the_course(projects, plan["projects"], cast)
    benchmark = install_benchmark(program, DIGITS, slug=SLUG)
    Conflict.objects.declare(
        person=list(cast.mentors.values())[4],
        project=list(projects.values())[6],
        reason="Worked together until last year.",
    )
    open_other_doors(program, cast, plan["staff"])
    read_everything(plan, calendar, cohort=cohort, cast=cast, projects=projects, benchmark=benchmark)
    return program


def read_everything(
    plan: dict[str, Any],
    calendar: Calendar,
    *,
    cohort: Cohort,
    cast: Cast,
    projects: dict[str, Project],
    benchmark: Benchmark,
) -> None:
    """Publish, draw what the readers of both stages say, and record it stage by stage."""
    training, research = cohort.stages.all()[:2]
    fix_gate(research, lead=cast.lead)
    closes_at = training.reading_closes_at
    # Ratings enter only while a reading is open: the training's is open until they are in.
    training.move_reading(opens_at=training.reading_opens_at, closes_at=timezone.now() + timedelta(hours=1))
    exercises = publish_exercises(projects, cast, plan=plan, stage=training, calendar=calendar)
    works = publish_research(projects, plan["projects"], stage=research, calendar=calendar)
    works += expected_results(plan, projects, benchmark)
    readings = assign([*exercises, *works], cast)
    simulated = simulate_readings(list(readings), cast, [criterion["key"] for criterion in plan["criteria"]])
    keep_truth(simulated)
    ours = {piece.output.pk for piece in exercises}
    early = {reading: piece for reading, piece in readings.items() if reading.output in ours}
    late = {reading: piece for reading, piece in readings.items() if reading.output not in ours}
    program = cohort.program
    record_readings(program, early, simulated=simulated, cast=cast, calendar=calendar)
    release_training(training, cast, closes_at=closes_at)
    let_go_on(training, lead=cast.lead)
    record_readings(program, late, simulated=simulated, cast=cast, calendar=calendar)
    refresh_estimates(program)
    hand_out_reading(research, works, lead=cast.lead)
    give_feedback(projects, cast, texts=plan["feedback"]["texts"], calendar=calendar)


def expected_results(plan: dict[str, Any], projects: dict[str, Project], benchmark: Benchmark) -> list[Piece]:
    """The outputs that benchmark results will belong to; readers judge their write-ups as any other."""
    submitting = [projects[told["title"]] for told in plan["projects"] if told.get("submits")]
    return [Piece(evaluation_of(project, benchmark), RESULTS_DAY, readers=2) for project in submitting]


def release_training(stage: Stage, cast: Cast, *, closes_at: Any) -> None:
    """Close the reading when the plan says it closed, fit what was said, and show it to those below the lead."""
    refresh_estimates(stage.cohort.program)
    refresh_due()
    stage.move_reading(opens_at=stage.reading_opens_at, closes_at=closes_at)
    Release.objects.release(stage, by=cast.lead)


def give_feedback(projects: dict[str, Project], cast: Cast, *, texts: list[str], calendar: Calendar) -> None:
    """From each project's mentor, some of it read by the team already."""
    rows = TeamMember.objects.active().filter(role=TeamMember.Role.MENTOR, project__in=projects.values())
    mentors = dict(rows.values_list("project", "person__name"))
    for position, project in enumerate(projects.values()):
        feedback = Feedback.objects.give(
            project=project,
            author=cast.mentors[mentors[project.pk]],
            text=texts[position % len(texts)],
            given_at=calendar.at(-(position % 6) - 1, 11),
        )
        if position % 3 == 1:
            feedback.acknowledge(by=project.authors()[0])
