"""Every address of the program, asked for by every role: a new address without a row here fails.

The world holds one of everything, and its stage's reading is open, so no estimate is released.
"""

from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.factories import (
    make_artifact,
    make_benchmark,
    make_mentee,
    make_output,
    make_person,
    make_project,
    make_rating,
    make_submission,
)
from tracker.estimates.refresh import refresh_estimates
from tracker.mentoring.models import Feedback
from tracker.people.models import ApiKey, Role, Scope

pytestmark = pytest.mark.django_db
ROLES = (
    "anonymous",
    "author",
    "mentee",
    "mentor",
    "manager",
    "committee",
    "lead",
    "stranger",
    "fund_manager",
)
LOGIN, OK, NO, NONE, METHOD = 302, 200, 403, 404, 405

# address: what GET answers each of ROLES, in their order. 302 without a log-in is the way to the log-in page.
PAGES = {
    "home": (LOGIN, 302, 302, 302, 302, 302, 302, 302, 302),
    "cohorts": (LOGIN, OK, OK, OK, OK, OK, OK, OK, OK),
    "cohort": (LOGIN, NONE, NONE, NONE, OK, OK, OK, NONE, NONE),
    "cohort-picture": (LOGIN, NONE, NONE, NONE, NONE, OK, OK, NONE, NONE),
    "cohort-grading": (LOGIN, NONE, NONE, NONE, OK, OK, OK, NONE, NONE),
    "release": (LOGIN, NO, NO, NO, NO, NO, OK, NONE, NONE),
    "person": (LOGIN, NONE, NONE, NONE, NONE, OK, OK, NONE, NONE),
    "released": (LOGIN, OK, OK, OK, OK, OK, OK, OK, OK),
    "project": (LOGIN, OK, NONE, OK, OK, OK, OK, NONE, NONE),
    "give-feedback": (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD),
    "declare-conflict": (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD),
    "acknowledge": (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD),
    "reading": (LOGIN, OK, OK, OK, OK, OK, OK, OK, OK),
    "rate": (LOGIN, OK, NONE, OK, OK, OK, OK, NONE, NONE),
    "retract": (LOGIN, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "mine": (LOGIN, OK, OK, OK, OK, OK, OK, OK, OK),
    "submit": (LOGIN, OK, NONE, NO, NO, NO, OK, NONE, NONE),
    # The benchmark of this world is a row without a folder: its files are nowhere.
    "benchmark-file": (LOGIN, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "submission": (LOGIN, OK, NONE, OK, OK, OK, OK, NONE, NONE),
    "submission-progress": (LOGIN, OK, NONE, OK, OK, OK, OK, NONE, NONE),
    "regrade": (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD),
    "let-through": (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD),
    "refuse-held": (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD),
    "choose": (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD),
    "cancel-run": (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD),
}
SCALE = ("importance", "rigour", "clarity", "execution")


@pytest.fixture
def world(stage, lead) -> dict[str, Any]:
    """One of everything in one program, and everybody who may or may not see it."""
    cohort = stage.cohort
    author = make_mentee(cohort)
    project = make_project(cohort, authors=[author])
    output = make_output(project, stage=stage)
    rating = make_rating(output)
    for level in (3.0, 8.0, 5.0):
        make_rating(make_output(make_project(cohort), stage=stage), scores=dict.fromkeys(SCALE, level))
    benchmark = make_benchmark(cohort.program)
    submission = make_submission(project, benchmark, artifact=make_artifact(), by=author)
    refresh_estimates(cohort.program)
    return {
        "cohort_id": cohort.public_id,
        "stage_id": stage.public_id,
        "person_id": author.public_id,
        "project_id": project.public_id,
        "output_id": output.public_id,
        "rating_id": rating.public_id,
        "benchmark_id": benchmark.public_id,
        "submission_id": submission.public_id,
        "run_id": submission.runs.get().public_id,
        "feedback_id": Feedback.objects.give(project=project, author=lead, text="Good.").public_id,
        "name": "train.npz",
        "author": author.user,
    }


@pytest.fixture
def users(world, stage, lead, mentor, stranger, fund_manager) -> dict[str, Any]:
    program = stage.cohort.program
    return {
        "anonymous": None,
        "author": world["author"],
        "mentee": make_mentee(stage.cohort).user,
        "mentor": mentor.user,
        "manager": make_person(Role.RESEARCH_MANAGER, program=program).user,
        "committee": make_person(Role.COMMITTEE, program=program).user,
        "lead": lead.user,
        "stranger": stranger,
        "fund_manager": fund_manager,
    }


def patterns(resolver: URLResolver, namespace: str = "") -> list[tuple[str, URLPattern]]:
    found = []
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            found += patterns(entry, f"{namespace}{entry.namespace}:" if entry.namespace else namespace)
        else:
            found.append((f"{namespace}{entry.name}", entry))
    return found


def own_pages() -> dict[str, URLPattern]:
    return {
        name: entry
        for name, entry in patterns(get_resolver())
        if entry.lookup_str.startswith("tracker.web") or name in PAGES
    }


def address(name: str, world: dict[str, Any]) -> str:
    names = own_pages()[name].pattern.converters
    return reverse(name, kwargs={key: world[key] for key in names})


def test_every_page_has_its_row():
    assert set(own_pages()) == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_answers_each_role_as_its_row_says(name, world, users):
    found = []
    for role in ROLES:
        client = Client()
        if users[role] is not None:
            client.force_login(users[role])
        found.append(client.get(address(name, world)).status_code)

    assert dict(zip(ROLES, found, strict=True)) == dict(zip(ROLES, PAGES[name], strict=True))


def test_without_a_log_in_every_page_leads_to_it(client, world):
    for name in PAGES:
        answer = client.get(address(name, world))
        assert answer["Location"].startswith("/accounts/login/")


def test_no_answer_to_somebody_without_a_key_says_anything(client, world):
    public = {"api-schema", "api-docs"}
    endpoints = [
        reverse(name, kwargs=dict.fromkeys(entry.pattern.converters, str(world["project_id"])))
        for name, entry in patterns(get_resolver())
        if name.startswith("api-") and name not in public
    ]

    assert len(endpoints) > 20
    assert {client.get(path).status_code for path in endpoints} == {401}


def test_a_key_of_another_program_sees_none_of_it(world, stranger):
    program = stranger.persons.get().program
    _, text = ApiKey.objects.issue(program=program, name="Other", scopes=list(Scope.values))
    client = Client(headers={"Authorization": f"Bearer {text}"})

    for name in (
        "people",
        "cohorts",
        "projects",
        "outputs",
        "ratings",
        "benchmarks",
        "submissions",
        "estimates",
    ):
        answer = client.get(f"/api/v1/{name}/")
        assert answer.status_code == 200
        for value in world.values():
            assert str(value) not in answer.content.decode()


class TestTheAdmin:
    @pytest.mark.parametrize("role", [role for role in ROLES if role != "fund_manager"])
    def test_only_staff_come_in(self, role, users):
        client = Client()
        if users[role] is not None:
            client.force_login(users[role])

        assert client.get("/admin/").status_code == 302

    def test_a_fund_manager_opens_what_funds_see_and_nothing_else(self, users):
        from django.contrib import admin

        from tracker.funding.models import SEEN_BY_FUNDS

        client = Client()
        client.force_login(users["fund_manager"])
        for model in admin.site._registry:
            key = (model._meta.app_label, model._meta.model_name)
            answer = client.get(reverse(f"admin:{key[0]}_{key[1]}_changelist"))
            assert (answer.status_code == 200) == (key in SEEN_BY_FUNDS), key

    def test_a_fund_manager_sees_nobody_who_has_not_shared(self, users, world):
        client = Client()
        client.force_login(users["fund_manager"])

        answer = client.get("/admin/people/person/")

        assert world["author"].name not in answer.content.decode()
