"""The OpenAPI description and its pages."""

import re
from pathlib import Path

import pytest

from tests.tracker.api.test_keys import endpoints

pytestmark = pytest.mark.django_db
SCHEMA, DOCS = "/api/v1/schema/", "/api/v1/docs/"


@pytest.fixture
def described(api) -> dict:
    return api.get(SCHEMA, headers={"accept": "application/json"}).json()


def test_every_endpoint_is_described_and_nothing_else(described):
    wanted = {
        (method, re.sub(r"[0-9a-f-]{36}", "{public_id}", path))
        for method, path, action in endpoints()
        if method != "head"
    }

    found = {(method, path) for path, operations in described["paths"].items() for method in operations}

    assert found - {("get", SCHEMA)} == wanted


def test_every_operation_names_the_refusals_it_can_answer_with(described):
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            statuses = set(operation["responses"])
            assert {"400", "401", "403", "503"} <= statuses
            assert ("404" in statuses) == ("{" in path or operation["operationId"].endswith("_list"))
            assert ({"409", "413", "415"} <= statuses) == (method == "post")


def test_every_operation_takes_the_key(described):
    operations = [operation for path in described["paths"].values() for operation in path.values()]

    assert all({"key": []} in operation["security"] for operation in operations)
    assert described["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


def test_the_description_and_its_page_are_for_keys_and_for_people_who_are_logged_in(client, lead):
    assert client.get(SCHEMA).status_code == client.get(DOCS).status_code == 401

    client.force_login(lead.user)

    assert client.get(SCHEMA).status_code == client.get(DOCS).status_code == 200


def test_the_page_loads_only_files_of_our_own_and_runs_no_script_within(client, lead):
    client.force_login(lead.user)

    page = client.get(DOCS)
    script = client.get(re.search(r'src="(/api/v1/docs/[^"]*)"', page.content.decode()).group(1))

    html = page.content.decode()
    assert "http" not in re.sub(r"<!.*?>", "", html)
    assert not re.search(r"<script(?![^>]*src=)|<style|style=", html)
    assert script.headers["Content-Type"].startswith("application/javascript")
    assert "unsafe" not in page.headers["Content-Security-Policy"]


def test_the_documentation_names_every_endpoint(settings):
    text = Path(settings.BASE_DIR, "docs/api.md").read_text()

    missing = {path.split("/")[3] for _, path, _ in endpoints() if f"`{path.split('/')[3]}" not in text}
    assert missing == set()
