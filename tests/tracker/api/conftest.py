"""A program's key, another program's world, and callers that hold them."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from tests.factories import make_cohort, make_output, make_person, make_program, make_project, make_stage
from tracker.people.models import ApiKey, Program, Role, Scope
from tracker.projects.models import Output


def caller(text: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


@pytest.fixture
def holding(program: Program) -> Callable[..., APIClient]:
    """A caller whose key has the named scopes only."""

    def make(*scopes: str) -> APIClient:
        return caller(ApiKey.objects.issue(program=program, name="Script", scopes=list(scopes))[1])

    return make


@pytest.fixture
def api(holding) -> APIClient:
    """A caller that may do everything the API offers to its program."""
    return holding(*Scope.values)


@pytest.fixture
def output(cohort, stage) -> Output:
    return make_output(make_project(cohort), stage=stage)


@pytest.fixture
def foreign_output(db) -> Output:
    """An output of another program, with people of its own."""
    program = make_program(name="Elsewhere")
    cohort = make_cohort(program, name="Secret cohort")
    make_person(Role.MENTOR, program=program, name="Foreign Mentor")
    return make_output(make_project(cohort, title="Secret project"), stage=make_stage(cohort), title="Secret")


@pytest.fixture
def foreign_api(foreign_output) -> APIClient:
    return caller(
        ApiKey.objects.issue(program=foreign_output.program, name="Theirs", scopes=list(Scope.values))[1]
    )
