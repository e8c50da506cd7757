"""The worlds that the tests of rights look at: of pages, of models, of fields."""

from typing import Any

import pytest

from tests.factories import (
    make_application,
    make_artifact,
    make_benchmark,
    make_mentee,
    make_output,
    make_person,
    make_program,
    make_project,
    make_rating,
    make_round,
    make_submission,
    make_thorough_run,
)
from tests.security.casts import Cast, own_models
from tests.tracker.gate_world import appealed, decide, second
from tracker.estimates.refresh import refresh_estimates
from tracker.funding.models import Fund
from tracker.grading.models import RegradeRequest
from tracker.mentoring.models import Feedback, Support
from tracker.people.models import ApiKey, Program, Role, ShareGrant
from tracker.projects.models import Claim, CreditStatement, Reference, TeamMember
from tracker.ratings.models import Outlook

SCALE = ("importance", "rigour", "clarity", "execution")
# What all of a program have together; a second cast does not make another one.
SHARED = (
    "people.Program",
    "ratings.Rubric",
    "grading.Benchmark",
    "estimates.Fit",
    "auth.Group",
    "funding.Fund",
    "projects.ReleasePolicy",
)


@pytest.fixture
def world(stage, lead, mentor, fund_manager) -> dict[str, Any]:
    """One of everything in one program, and everybody who may or may not see it."""
    cohort = stage.cohort
    author, colleague = make_mentee(cohort), make_mentee(cohort)
    manager = make_person(Role.RESEARCH_MANAGER, program=cohort.program)
    Support.objects.begin(author, manager=manager)
    project = make_project(cohort, authors=[author, colleague])
    output = make_output(project, stage=stage)
    make_rating(output)
    for level in (3.0, 8.0):
        make_rating(make_output(make_project(cohort), stage=stage), scores=dict.fromkeys(SCALE, level))
    rating = make_rating(make_output(make_project(cohort), stage=stage), mentor)
    statement = CreditStatement.objects.state(project, {"idea": {author: 0.4, colleague: 0.6}}, by=colleague)
    benchmark = make_benchmark(cohort.program)
    submission = make_submission(project, benchmark, artifact=make_artifact(), by=author)
    graded = make_thorough_run(
        make_submission(project, benchmark, artifact=make_artifact(), by=author)
    ).submission
    application = make_application(make_round(cohort, references_asked=1))
    reference = Reference.objects.ask(application, name="Rae Referee", email="rae@example.org")
    refresh_estimates(cohort.program)
    reader = make_person(Role.COMMITTEE, program=cohort.program)
    decision = second(decide(stage, author, lead, "end"), reader)
    return {
        "decision_id": decision.public_id,
        "appeal_id": appealed(decision).public_id,
        "program_id": cohort.program.public_id,
        "cohort_id": cohort.public_id,
        "stage_id": stage.public_id,
        "person_id": author.public_id,
        "project_id": project.public_id,
        "output_id": output.public_id,
        "statement_id": statement.public_id,
        "objection_id": statement.object(by=colleague, text="I did more.").public_id,
        "claim_id": Claim.objects.make(project, "Probes find features.", by=author).public_id,
        "review_id": make_output(project, hazards=["misuse"]).reviews.get().public_id,
        "milestone_id": project.milestones.create(title="M", due_on=stage.ends_on).public_id,
        "version_id": output.current_version().public_id,
        "rating_id": rating.public_id,
        "benchmark_id": benchmark.public_id,
        "submission_id": submission.public_id,
        "request_id": RegradeRequest.objects.ask(graded, by=author, reason="It changed.").public_id,
        "run_id": submission.runs.get().public_id,
        "feedback_id": Feedback.objects.give(project=project, author=lead, text="Good.").public_id,
        "name": "train.npz",
        "application_id": application.public_id,
        "round_id": application.round.public_id,
        "outlook_id": Outlook.objects.create(
            output=make_output(make_project(cohort), stage=None),
            key="holds-up",
            text="Does it hold up?",
            due_on=stage.starts_on,
        ).public_id,
        "reference_id": reference.public_id,
        "grant_id": ShareGrant.objects.share(
            author, shared_with=fund_manager.groups.get(), what=ShareGrant.What.ESTIMATES
        ).public_id,
        "token": "nobody-has-this",
        "author": author.user,
        "manager": manager.user,
        "applicant": application.person.user,
    }


@pytest.fixture
def users(world, stage, lead, mentor, stranger, fund_manager) -> dict[str, Any]:
    program = stage.cohort.program
    return {
        "anonymous": None,
        "author": world["author"],
        "mentee": make_mentee(stage.cohort).user,
        "mentor": mentor.user,
        "manager": world["manager"],
        "committee": make_person(Role.COMMITTEE, program=program).user,
        "lead": lead.user,
        "stranger": stranger,
        "fund_manager": fund_manager,
        "applicant": world["applicant"],
        "auditor": make_person(Role.AUDITOR, program=program).user,
    }


def cast_in(program: Program, shared: dict[str, Any]) -> Cast:
    """Its people, by what they do, and what they share with others."""
    author = make_person(Role.MENTEE, program=program)
    key, _ = ApiKey.objects.issue(program=program, name="Script", scopes=[])
    mentor = make_person(Role.MENTOR, program=program)
    return Cast(
        shared
        | {
            "people.Program": program,
            "author": author,
            "mentor": mentor,
            "manager": make_person(Role.RESEARCH_MANAGER, program=program),
            "lead": make_person(Role.LEAD, program=program),
            "client": key.person,
            "people.User": author.user,
            "people.Person": author,
            "people.Membership": author.memberships.get(),
            "people.ApiKey": key,
        }
    )


@pytest.fixture
def casts() -> tuple[Cast, Cast, Cast]:
    """Somebody's own rows, other people's of the same program, and another program's."""
    fund = Fund.objects.found("A fund")
    own = cast_in(make_program(), {"auth.Group": fund.group, "funding.Fund": fund})
    for model in own_models():
        if model._meta.label != "estimates.Release":
            own[model._meta.label]
    TeamMember.objects.create(
        project=own["projects.Project"], person=own["mentor"], role=TeamMember.Role.MENTOR
    )
    elsewhere = Fund.objects.found("Another fund")
    foreign = {"auth.Group": elsewhere.group, "funding.Fund": elsewhere}
    others = cast_in(own["people.Program"], {label: own[label] for label in SHARED} | foreign)
    return own, others, cast_in(make_program(), foreign)
