"""docs/security.md says who sees, adds, changes and does what; every cell of its tables is tried.

A model, an admin page or an address without its row fails. What is found is printed as the row would be: read it,
and where it is right, put it into the table.
"""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.test import Client, RequestFactory

from tests.factories import make_person, make_program
from tests.security.casts import Cast, own_models
from tests.security.test_rights import ROLES as VISITORS
from tests.security.test_rights import address, own_pages
from tracker.cohorts.models import Application
from tracker.funding.models import Fund
from tracker.people.models import Role, User

pytestmark = pytest.mark.django_db
SEERS = ("mentee", "mentor", "manager", "committee", "lead", "key", "auditor", "fund", "superuser")
NOBODY = "-"
TO_THE_LOG_IN = -1
REFUSALS = {403, 404, 405, TO_THE_LOG_IN}


def people_of(cast: Cast, fund: Fund) -> dict[str, User]:
    program = cast["people.Program"]
    manager = make_person(program=make_program()).user
    fund.appoint(manager)
    named = {
        "mentee": cast["author"],
        "mentor": cast["mentor"],
        "manager": cast["manager"],
        "committee": make_person(Role.COMMITTEE, program=program),
        "lead": cast["lead"],
        "key": cast["client"],
        "auditor": make_person(Role.AUDITOR, program=program),
    }
    seers = {role: person.user for role, person in named.items()}
    return seers | {"fund": manager, "superuser": User.objects.create_superuser("root@example.org", "x" * 20)}


def seen(model: Any, user: User, casts: tuple[Cast, Cast, Cast]) -> str:
    """all, own or nobody's; what is another program's is for superusers alone."""
    label = model._meta.label
    keys = [cast[label].pk for cast in casts]
    visible = set(model._default_manager.visible_to(user).filter(pk__in=keys).values_list("pk", flat=True))
    own, others, foreign = (key in visible for key in keys)
    assert not foreign or user.is_superuser or label in ABOVE_PROGRAMS, (
        f"{user} sees {label} of another program"
    )
    if own and others:
        return "all"
    return "own" if own else "others" if others else NOBODY


# What is of no program.
ABOVE_PROGRAMS = {"grading.Worker"}


def table(title: str) -> dict[str, tuple[str, ...]]:
    """The rows of the table under this heading, by their first cell."""
    text = (Path(settings.BASE_DIR) / "docs/security.md").read_text()
    section = text.partition(f"### {title}\n")[2].partition("\n#")[0]
    lines = [line.strip("| \n") for line in section.splitlines() if line.startswith("|")]
    cells = [tuple(cell.strip(" `") for cell in line.split("|")) for line in lines]
    return {row[0]: row[1:] for row in cells[2:]}


def compare(found: dict[str, tuple[str, ...]], title: str) -> None:
    told = table(title)
    wrong = {name: row for name, row in found.items() if told.get(name) != row}
    as_told = "\n".join(f"| `{name}` | {' | '.join(row)} |" for name, row in sorted(wrong.items()))
    assert not wrong, f"docs/security.md, {title}: found\n{as_told}"
    assert set(told) == set(found), f"docs/security.md tells of {sorted(set(told) - set(found))}"


@pytest.mark.plants
def test_who_sees_what(casts):
    own = casts[0]
    seers = people_of(own, own["funding.Fund"])
    shown = [model for model in own_models() if hasattr(model._default_manager, "visible_to")]
    before = {
        (model, role): seen(model, user, casts)
        for model in shown
        if model._meta.label != "estimates.Release"
        for role, user in seers.items()
    }

    for cast in casts:
        cast["estimates.Release"]

    found = {}
    for model in shown:
        after = {role: seen(model, user, casts) for role, user in seers.items()}
        found[model._meta.label] = tuple(
            cell if before.get((model, role), cell) == cell else f"{cell} released"
            for role, cell in after.items()
        )
    compare(found, "See")


@pytest.mark.plants
def test_an_application_that_is_not_sent_is_its_authors_alone(casts):
    seers = people_of(casts[0], casts[0]["funding.Fund"])
    sent = [cast["cohorts.Application"].pk for cast in casts]
    assert QuerySet(Application).filter(pk__in=sent).update(state="draft", submitted_at=None) == 3

    found = {role for role, user in seers.items() if seen(Application, user, casts) != NOBODY}

    assert found == {"mentee", "superuser"}


@pytest.mark.plants
def test_who_adds_and_changes_in_the_admin(casts):
    own = casts[0]
    seers = people_of(own, own["funding.Fund"])
    found = {}
    for user in seers.values():
        user.become_staff()
    for model, door in admin.site._registry.items():
        if model in own_models():
            label = model._meta.label
            adds, changes = [], []
            for role, user in seers.items():
                request = RequestFactory().get("/admin/")
                request.user = User.objects.get(pk=user.pk)
                adds += [role] if door.has_add_permission(request) else []
                changes += [role] if door.has_change_permission(request, own[label]) else []
                assert label == "people.User" or not door.has_delete_permission(request, own[label])
                assert not door.has_delete_permission(request, own[label])
            found[label] = (", ".join(adds) or NOBODY, ", ".join(changes) or NOBODY)
    compare(found, "Add and change")


def test_who_does_what_on_pages(world, users):
    """An address that takes a form, asked by everybody; a refusal is a 403 or 404, or the way to the log-in."""
    found = {}
    clients = {role: entered(user) for role, user in users.items()}
    for name in own_pages():
        path = address(name, world)
        if posted(clients["lead"], path) != 405:
            answers = {role: posted(clients[role], path) for role in VISITORS}
            may = [role for role, status in answers.items() if status not in REFUSALS]
            found[name] = (", ".join(may) or NOBODY,)
    compare(found, "Act")


def entered(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def posted(client: Client, path: str) -> int:
    """What a form without values is answered; whatever it does is taken back."""
    with transaction.atomic():
        answer = client.post(path)
        transaction.set_rollback(True)
    is_sent_away = answer.status_code == 302 and answer.headers["Location"].startswith("/accounts/login/")
    return TO_THE_LOG_IN if is_sent_away else answer.status_code
