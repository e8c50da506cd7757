"""Two worlds that differ in one rating look alike to everybody who may not see it."""

import re
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from tests.factories import make_mentee, make_output, make_person, make_project, make_rating
from tracker.estimates.refresh import refresh_estimates
from tracker.people.models import ApiKey, Role, Scope
from tracker.ratings.models import Rating, Score

pytestmark = pytest.mark.django_db
TOKENS = re.compile(rb'(csrfmiddlewaretoken" value=|csrf[^"]*" content=|X-CSRFToken": )"[^"]+"')
SCALE = ("importance", "rigour", "clarity", "execution")


@pytest.fixture(autouse=True)
def still_clock():
    """Only the rating may make a difference, not the seconds between two looks."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.fixture
def world(stage, mentor, lead, stranger, fund_manager) -> dict[str, Any]:
    """A cohort in the middle of its reading, and the rating whose value nobody below the lead may learn."""
    cohort = stage.cohort
    authors = [make_mentee(cohort) for _ in range(4)]
    for level, author in enumerate(authors, start=4):
        output = make_output(make_project(cohort, authors=[author]), stage=stage)
        for reader in range(3):
            scores = dict.fromkeys(SCALE, float(level + reader))
            make_rating(output, make_person(Role.MENTOR, program=cohort.program), scores=scores)
    refresh_estimates(cohort.program)
    hidden = Rating.objects.order_by("pk").first()
    assert hidden is not None
    return {
        "program": cohort.program,
        "hidden": hidden,
        "lead": lead.user,
        "viewers": {
            "mentor": mentor.user,
            "another reader of the same output": Rating.objects.order_by("pk")[1].rater.user,
            "the person rated": authors[0].user,
            "another mentee": authors[1].user,
            "research manager": make_person(Role.RESEARCH_MANAGER, program=cohort.program).user,
            "stranger": stranger,
            "fund manager": fund_manager,
        },
        "addresses": addresses(cohort, stage, authors[0], hidden),
    }


def addresses(cohort: Any, stage: Any, author: Any, rating: Any) -> list[str]:
    return [
        "/",
        "/cohorts/",
        f"/cohorts/{cohort.public_id}/",
        f"/cohorts/{cohort.public_id}/picture/",
        f"/cohorts/{cohort.public_id}/?view=raw",
        f"/people/{author.public_id}/",
        f"/projects/{rating.output.project.public_id}/",
        f"/outputs/{rating.output.public_id}/rate/",
        "/reading/",
        "/released/",
        "/mine/",
        "/admin/",
        "/admin/people/person/",
        "/admin/estimates/estimate/",
        "/admin/estimates/estimate/?o=-2",
        "/admin/estimates/fit/",
    ]


def change(rating: Rating) -> None:
    """The other world: the same rating with other scores, and everything computed from it."""
    Score.objects.filter(rating=rating).update(value=9.5)
    refresh_estimates(rating.program)


def seen(user: Any, addresses: list[str]) -> dict[str, tuple[int, bytes]]:
    client = Client()
    client.force_login(user)
    found = {}
    for address in addresses:
        answer = client.get(address)
        found[address] = (answer.status_code, TOKENS.sub(b"", answer.content))
    return found


def test_below_the_lead_nothing_shows_it(world):
    before = {name: seen(user, world["addresses"]) for name, user in world["viewers"].items()}

    change(world["hidden"])

    after = {name: seen(user, world["addresses"]) for name, user in world["viewers"].items()}
    for name in before:
        for address in world["addresses"]:
            assert before[name][address] == after[name][address], (name, address)


def test_the_lead_sees_it(world):
    before = seen(world["lead"], world["addresses"])

    change(world["hidden"])

    assert before != seen(world["lead"], world["addresses"])


def test_a_key_of_another_program_sees_no_difference(world, stranger):
    program = stranger.persons.get().program
    _, text = ApiKey.objects.issue(program=program, name="Other", scopes=list(Scope.values))
    client = Client(headers={"Authorization": f"Bearer {text}"})
    paths = [f"/api/v1/{name}/" for name in ("people", "outputs", "ratings", "estimates", "fits")]
    paths += [f"/api/v1/ratings/{world['hidden'].public_id}/", "/api/v1/estimates/?ordering=mean"]
    before = [(answer.status_code, answer.content) for answer in map(client.get, paths)]

    change(world["hidden"])

    assert before == [(answer.status_code, answer.content) for answer in map(client.get, paths)]
