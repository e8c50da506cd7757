"""Who gets in with a key, and what every refusal looks like."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from rest_framework.test import APIClient

from tests.tracker.api.conftest import caller
from tracker.api.urls import router
from tracker.people.models import ApiKey, Scope

pytestmark = pytest.mark.django_db
PEOPLE = "/api/v1/people/"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def key(program) -> tuple[ApiKey, str]:
    return ApiKey.objects.issue(program=program, name="Script", scopes=[Scope.READ])


def test_a_standing_key_opens_what_its_scope_names(key):
    assert caller(key[1]).get(PEOPLE).status_code == 200


def test_a_revoked_key_opens_nothing_from_the_next_request_on(key):
    client = caller(key[1])
    assert client.get(PEOPLE).status_code == 200

    key[0].revoke()

    assert client.get(PEOPLE).status_code == 401


def test_an_expired_key_opens_nothing(key):
    ApiKey.objects.filter(pk=key[0].pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    assert caller(key[1]).get(PEOPLE).status_code == 401


def test_a_key_whose_role_has_ended_sees_nobody(key):
    key[0].person.memberships.get().end()

    assert caller(key[1]).get(PEOPLE).json()["results"][1:] == []


@pytest.mark.parametrize("header", ["Bearer plb_wrong", "Bearer ", "Basic YTpi", "Bearer \xff", ""])
def test_an_unknown_key_is_told_whom_to_ask(client, header):
    answer = client.get(PEOPLE, headers={"authorization": header})

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["detail"]


def test_a_session_alone_does_not_open_the_api(client, lead):
    client.force_login(lead.user)

    assert client.get(PEOPLE).status_code == 401


def test_the_text_of_a_key_is_kept_nowhere(key):
    values = {str(value) for value in ApiKey.objects.filter(pk=key[0].pk).values().get().values()}

    assert not any(key[1] in value for value in values)


def endpoints() -> list[tuple[str, str, str]]:
    """Every method of every address that the router knows, with the action that answers it."""
    return [
        (method, "/api/v1/" + str(route.pattern).replace("<uuid:public_id>", NOBODY), action)
        for route in router.urls
        for method, action in route.callback.actions.items()
    ]


@pytest.mark.parametrize(("method", "path", "action"), endpoints())
def test_every_endpoint_wants_a_key(method, path, action):
    assert APIClient().generic(method.upper(), path).status_code == 401


@pytest.mark.parametrize(("method", "path", "action"), endpoints())
def test_every_endpoint_names_a_scope_and_refuses_a_key_without_it(holding, method, path, action):
    answer = holding().generic(method.upper(), path)

    assert answer.status_code == 403
    assert "lacks the scope" in answer.json()["detail"]


@pytest.mark.parametrize(("method", "path", "action"), [row for row in endpoints() if NOBODY in row[1]])
def test_every_address_of_nobody_is_not_found(api, method, path, action):
    answer = api.generic(method.upper(), path, content_type="application/json")

    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_what_an_address_does_not_do_is_said(api, method):
    answer = getattr(api, method)(PEOPLE)

    assert answer.status_code == 405
    assert answer.json()["status"] == 405


@pytest.mark.parametrize("path", ["nothing/", "people", "people/7/", "people/x/", "../v1"])
def test_an_address_that_does_not_exist_is_a_problem_and_not_a_page(api, path):
    answer = api.get(f"/api/v1/{path}")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"title": NaN}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"title": ' + b"1" * 5000 + b"}",
        b'"x"',
        b"[]",
        b"7",
        b'{"\\ud800": 1}',
        b'{"title": "\\ud800"}',
    ],
)
def test_a_body_that_cannot_be_read_is_refused_in_a_sentence(api, body):
    answer = api.generic("POST", "/api/v1/projects/", body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["detail"].strip()


def test_a_page_is_never_made_of_an_answer(api):
    answer = api.get(PEOPLE, headers={"accept": "text/html"})

    assert answer.status_code == 406
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_body_of_another_type_is_refused(api):
    answer = api.generic("POST", "/api/v1/projects/", b"title=x", content_type="text/plain")

    assert answer.status_code == 415


def test_a_body_that_is_too_large_is_refused(api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    answer = api.post("/api/v1/projects/", {"title": "x" * 200})

    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


@pytest.mark.parametrize(
    "query",
    [
        "ordering=user__email",
        "search=a",
        "program=1",
        "format=xml",
        "limit=5",
        "role=",
        "external_id=",
        "cursor=",
    ],
)
def test_a_parameter_without_a_name_or_a_value_here_is_refused(api, query):
    answer = api.get(f"{PEOPLE}?{query}")

    assert answer.status_code == 400
    assert query.split("=")[0] in answer.json()["errors"]


@pytest.mark.parametrize("cursor", ["x", "cD1hYmM=", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk="])
def test_a_cursor_that_was_made_up_is_refused(api, cursor):
    answer = api.get(f"{PEOPLE}?cursor={cursor}")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-cursor")


def test_a_mistake_of_ours_is_a_problem_that_tells_nothing_of_it(api, monkeypatch):
    def break_down(*arguments):
        raise RuntimeError("secret of the house")

    monkeypatch.setattr("tracker.api.viewsets.people.PersonViewSet.get_queryset", break_down)
    api.raise_request_exception = False
    answer = api.get(PEOPLE)

    assert (answer.status_code, answer.json()["code"]) == (500, "crashed")
    assert "secret" not in answer.content.decode()


def test_a_busy_database_is_said_and_not_a_crash(api, monkeypatch):
    def busy(*arguments):
        raise OperationalError("database is locked")

    monkeypatch.setattr("tracker.api.viewsets.people.PersonViewSet.get_queryset", busy)
    answer = api.get(PEOPLE)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
