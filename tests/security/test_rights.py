"""Every address of the program, asked for by every role: a new address without a row here fails.

The world holds one of everything, and its stage's reading is open, so no estimate is released.
"""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse

from tracker.people.models import ApiKey, Scope

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
    "applicant",
    "auditor",
)
LOGIN, OK, NO, NONE, METHOD = 302, 200, 403, 404, 405

ONLY_SENT = (LOGIN, *(METHOD,) * (len(ROLES) - 1))

# address: what GET answers each of ROLES, in their order. 302 without a log-in is the way to the log-in page.
PAGES = {
    "home": (LOGIN, 302, 302, 302, 302, 302, 302, 302, 302, 302, 302),
    "cohorts": (LOGIN, OK, OK, OK, OK, OK, OK, OK, OK, OK, OK),
    "cohort": (LOGIN, NONE, NONE, NONE, OK, OK, OK, NONE, NONE, NONE, NONE),
    "cohort-picture": (LOGIN, NONE, NONE, NONE, NONE, OK, OK, NONE, NONE, NONE, NONE),
    "cohort-grading": (LOGIN, NONE, NONE, NONE, OK, OK, OK, NONE, NONE, NONE, NONE),
    "release": (LOGIN, NO, NO, NO, NO, NO, OK, NONE, NONE, NONE, NONE),
    "stage": (LOGIN, OK, OK, OK, OK, OK, OK, NONE, NONE, NONE, NONE),
    "gate": (LOGIN, NO, NO, NO, NO, NO, OK, NONE, NONE, NONE, NONE),
    "gate-middle": (LOGIN, NO, NO, NO, NO, NO, OK, NONE, NONE, NONE, NONE),
    "lottery": ONLY_SENT,
    "review-people": ONLY_SENT,
    "decisions": (LOGIN, NO, NO, NO, NO, OK, OK, NONE, NONE, NONE, NONE),
    "decide": (LOGIN, NO, NO, NO, NO, OK, OK, NONE, NONE, NONE, NONE),
    "lean": ONLY_SENT,
    "decision": (LOGIN, OK, NONE, NONE, NONE, OK, OK, NONE, NONE, NONE, NONE),
    "second": (LOGIN, NO, NONE, NONE, NONE, OK, OK, NONE, NONE, NONE, NONE),
    "appeal": ONLY_SENT,
    "hear": (LOGIN, NO, NONE, NONE, NONE, OK, OK, NONE, NONE, NONE, NONE),
    "logs": (LOGIN, NONE, NONE, NONE, NONE, NONE, 302, 302, NONE, NONE, 302),
    "looks": (LOGIN, NONE, NONE, NONE, NONE, NONE, OK, NONE, NONE, NONE, OK),
    "changes": (LOGIN, NONE, NONE, NONE, NONE, NONE, OK, NONE, NONE, NONE, OK),
    "person": (LOGIN, NONE, NONE, NONE, NONE, OK, OK, NONE, NONE, NONE, NONE),
    "merge-people": (LOGIN, NONE, NONE, NONE, NONE, NO, OK, NONE, NONE, NONE, NONE),
    "leave": (LOGIN, NONE, NONE, NONE, NONE, NO, OK, NONE, NONE, NONE, NONE),
    "transfer": ONLY_SENT,
    "sharing": (LOGIN, OK, OK, OK, OK, OK, OK, OK, OK, OK, OK),
    "stop-sharing": ONLY_SENT,
    "released": (LOGIN, OK, OK, OK, OK, OK, OK, OK, OK, OK, OK),
    "project": (LOGIN, OK, NONE, OK, OK, OK, OK, NONE, NONE, NONE, NONE),
    "give-feedback": ONLY_SENT,
    "declare-conflict": ONLY_SENT,
    "acknowledge": ONLY_SENT,
    "add-output": (LOGIN, OK, NONE, NO, NO, NO, OK, NONE, NONE, NONE, NONE),
    "add-probe": (LOGIN, OK, NONE, NO, NO, NO, OK, NONE, NONE, NONE, NONE),
    "output": (LOGIN, OK, NONE, OK, OK, OK, OK, NONE, NONE, NONE, NONE),
    "credit": (LOGIN, OK, NONE, OK, OK, OK, OK, NONE, NONE, NONE, NONE),
    "confirm-credit": ONLY_SENT,
    "object-to-credit": ONLY_SENT,
    "settle-credit": ONLY_SENT,
    "answer-objection": ONLY_SENT,
    "course": (LOGIN, OK, NONE, OK, OK, OK, OK, NONE, NONE, NONE, NONE),
    "add-claim": ONLY_SENT,
    "check-claim": ONLY_SENT,
    "withdraw-claim": ONLY_SENT,
    "name-bottleneck": ONLY_SENT,
    "take-pivot": ONLY_SENT,
    "reviews": (LOGIN, OK, OK, OK, OK, OK, OK, OK, OK, OK, OK),
    # The review is of an output of the author's team; nobody has been asked to review it.
    "review": (LOGIN, OK, NONE, NONE, NONE, NONE, OK, NONE, NONE, NONE, NONE),
    "assign-review": ONLY_SENT,
    "flag-output": ONLY_SENT,
    "plan-milestone": (LOGIN, OK, NONE, NO, NO, NO, OK, NONE, NONE, NONE, NONE),
    "milestone": (LOGIN, OK, NONE, OK, OK, OK, OK, NONE, NONE, NONE, NONE),
    "reach-milestone": ONLY_SENT,
    "version-file": (LOGIN, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "revise-output": (LOGIN, OK, NONE, NO, NO, NO, OK, NONE, NONE, NONE, NONE),
    "foreseen": (LOGIN, OK, OK, OK, OK, OK, OK, OK, OK, OK, OK),
    "answer-outlook": ONLY_SENT,
    "reading": (LOGIN, OK, OK, OK, OK, OK, OK, OK, OK, OK, OK),
    "rate": (LOGIN, OK, NONE, OK, OK, OK, OK, NONE, NONE, NONE, NONE),
    "keep-draft": ONLY_SENT,
    "revise": (LOGIN, NONE, NONE, OK, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "reply": ONLY_SENT,
    "retract": (LOGIN, NONE, NONE, OK, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "caseload": (LOGIN, OK, OK, OK, OK, OK, OK, OK, OK, OK, OK),
    "pulse": (LOGIN, OK, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    # Only the author leaves as the author.
    "leave-self": (LOGIN, OK, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "mine": (LOGIN, OK, OK, OK, OK, OK, OK, OK, OK, OK, OK),
    "applications": (LOGIN, OK, OK, OK, OK, OK, OK, OK, OK, OK, OK),
    "application": (LOGIN, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, OK, NONE),
    "withdraw-application": (
        LOGIN,
        METHOD,
        METHOD,
        METHOD,
        METHOD,
        METHOD,
        METHOD,
        METHOD,
        METHOD,
        METHOD,
        METHOD,
    ),
    "decline-place": (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD),
    "name-referee": (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD),
    "admission-round": (LOGIN, NONE, NONE, OK, OK, OK, OK, NONE, NONE, OK, NONE),
    "reference-link": (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD),
    # Whoever has the link writes; this one was never issued.
    "write-reference": (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "submit": (LOGIN, OK, NONE, NO, NO, NO, OK, NONE, NONE, NONE, NONE),
    # The benchmark of this world is a row without a folder: its files are nowhere.
    "benchmark-file": (LOGIN, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "submission": (LOGIN, OK, NONE, OK, OK, OK, OK, NONE, NONE, NONE, NONE),
    "submission-progress": (LOGIN, OK, NONE, OK, OK, OK, OK, NONE, NONE, NONE, NONE),
    "regrade": (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD),
    "submit-in-full": (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD),
    "ask-regrade": (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD),
    "decide-regrade": (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD),
    "let-through": (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD),
    "refuse-held": (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD),
    "choose": (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD),
    "cancel-run": (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD),
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


# In this world the reading is open, and who was asked to second has done so: nothing links to these now.
NOT_NOW = {"release", "second"}


def test_every_page_is_reached_by_links(world, users):
    """From everybody's front page on, following what pages link to."""
    found = {"home"}
    for user in filter(None, users.values()):
        client = Client()
        client.force_login(user)
        ways, seen = {"/", "/cohorts/"}, set()
        while ways:
            seen |= ways
            pages = [client.get(way, follow=True).content.decode() for way in ways]
            linked = {link for page in pages for link in re.findall(r'(?:href|hx-get)="(/[^"?#]*)', page)}
            ways = {
                link for link in linked if not link.startswith(("/admin/", "/static/", "/accounts/"))
            } - seen
        found |= {resolve(way).url_name for way in seen}

    opened = {name for name, answers in PAGES.items() if OK in answers}
    assert opened - found == NOT_NOW


def test_without_a_log_in_every_page_leads_to_it(client, world):
    for name in (name for name, answers in PAGES.items() if answers[0] == LOGIN):
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

        page = client.get("/admin/people/person/").content.decode()

        assert world["author"].name in page
        assert users["mentee"].name not in page
