"""docs/security.md says which field of the API is read and set with which scope; no other is, and none without a key.

The fields are those of the generated description, and what is really answered is held against it.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.security.casts import Cast
from tests.security.test_matrix import compare
from tests.security.test_rights import ROLES
from tests.tracker.api.conftest import caller
from tracker.api.urls import router
from tracker.people.models import ApiKey, Scope

pytestmark = pytest.mark.django_db
BASE = "/api/v1/"
NOTHING = "-"


def operations() -> Iterator[tuple[str, str, str]]:
    """Method, address as the description writes it, and the scope that it takes."""
    for route in router.urls:
        path = BASE + str(route.pattern).replace("<uuid:public_id>", "{public_id}")
        for method, action in list(route.callback.actions.items()):
            if method != "head":
                yield method, path, str(route.callback.cls.scopes[action])


def resource_of(path: str) -> str:
    return path.removeprefix(BASE).partition("/")[0]


def body_of(part: dict[str, Any]) -> dict[str, Any]:
    """The schema of a request or an answer; empty where it has none."""
    kinds = part.get("content", {})
    return next((kind["schema"] for kind in kinds.values()), {})


def fields_of(described: dict[str, Any], schema: dict[str, Any], *, reading: bool) -> set[str]:
    """Names of fields, those within others after a point; pages of rows are their rows."""
    schema = resolved(described, schema)
    found: set[str] = set()
    for name, inner in schema.get("properties", {}).items():
        if inner.get("writeOnly" if reading else "readOnly"):
            continue
        within = fields_of(described, inner, reading=reading)
        found |= {f"{name}.{one}" for one in within} if within else {name}
    rows = {name.removeprefix("results.") for name in found if name.startswith("results.")}
    return rows or found


def resolved(described: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Behind references, lists and alternatives with nothing."""
    while True:
        if "$ref" in schema:
            schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif schema.get("type") == "array":
            schema = schema["items"]
        elif "allOf" in schema or "oneOf" in schema:
            schema = (schema.get("allOf") or schema["oneOf"])[0]
        else:
            return schema


@pytest.fixture
def described(api) -> dict[str, Any]:
    return api.get(f"{BASE}schema/", headers={"accept": "application/json"}).json()


@pytest.fixture
def api(program) -> Client:
    return caller(ApiKey.objects.issue(program=program, name="All", scopes=list(Scope.values))[1])


def fields_by_scope(described: dict[str, Any]) -> dict[tuple[str, str], tuple[set[str], set[str]]]:
    found: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
    for method, path, scope in operations():
        operation = described["paths"][path][method]
        reads, sets = found.setdefault((resource_of(path), scope), (set(), set()))
        for status in ("200", "201"):
            reads |= fields_of(described, body_of(operation["responses"].get(status, {})), reading=True)
        sets |= fields_of(described, body_of(operation.get("requestBody", {})), reading=False)
    return found


def test_every_field_has_its_row(described):
    found = {
        f"{resource}` with `{scope}": tuple(", ".join(sorted(names)) or NOTHING for names in columns)
        for (resource, scope), columns in fields_by_scope(described).items()
    }

    compare(found, "Fields in the API")


@pytest.mark.plants
def test_nothing_else_is_answered(casts, described):
    own: Cast = casts[0]
    _, text = ApiKey.objects.issue(program=own["people.Program"], name="All", scopes=list(Scope.values))
    lists = {(path, scope) for method, path, scope in operations() if method == "get" and "{" not in path}
    told, empty = fields_by_scope(described), []
    for path, scope in sorted(lists):
        rows = caller(text).get(path).json()["results"]
        reads, _ = told[resource_of(path), scope]
        if not rows:
            empty.append(path)
        for row in rows:
            assert {name for name in row if not is_told(name, reads)} == set(), path

    assert empty == []


def is_told(name: str, reads: set[str]) -> bool:
    return any(field == name or field.startswith(f"{name}.") for field in reads)


@pytest.mark.parametrize("role", ROLES)
def test_no_role_reads_any_field_without_a_key(role, users):
    client = Client()
    if users[role] is not None:
        client.force_login(users[role])

    answers = {client.get(path).status_code for method, path, _ in operations() if "{" not in path}

    assert answers == {401}
