"""Two requests at the same moment, where the database lets both in: one deed is done, and no answer is a crash."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from tests.factories import (
    close_reading,
    make_cohort,
    make_mentee,
    make_output,
    make_person,
    make_project,
    make_rating,
    make_stage,
)
from tests.tracker.web.worlds import make_fit
from tracker.errors import RuleBroken
from tracker.estimates.models import Release
from tracker.people.models import Role
from tracker.projects.models import Claim, CreditStatement, DateForecast, Milestone, Output
from tracker.ratings.models import Rating, Reply

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
LINK = "https://arxiv.org/abs/2401.01234"


def at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """What each answered, or the rule that it broke; anything else is raised."""
    start = Barrier(len(deeds))

    def do(deed: Callable[[], Any]) -> Any:
        try:
            start.wait()
            return deed()
        except RuleBroken as broken:
            return broken
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(do, deeds))


def refused(answers: list[Any]) -> list[str]:
    return [answer.code for answer in answers if isinstance(answer, RuleBroken)]


@pytest.fixture
def stage():
    return make_stage(make_cohort())


@pytest.fixture
def team(stage):
    return [make_mentee(stage.cohort) for _ in range(3)]


@pytest.fixture
def project(stage, team):
    return make_project(stage.cohort, authors=team)


def test_with_the_last_two_who_confirm_credit_it_holds(project, team):
    stated = CreditStatement.objects.state(project, {"idea": {team[0]: 1.0}}, by=team[0])
    twins = [CreditStatement.objects.get(pk=stated.pk) for _ in range(2)]

    at_once(lambda: twins[0].confirm(by=team[1]), lambda: twins[1].confirm(by=team[2]))

    stated.refresh_from_db()
    assert stated.in_force_at is not None


def test_a_rating_is_revised_once(project, stage):
    rating = make_rating(make_output(project, stage=stage))
    said = rating.says()
    twins = [Rating.objects.get(pk=rating.pk) for _ in range(2)]

    answers = at_once(*(lambda twin=twin: twin.revise(scores=said) for twin in twins))

    assert refused(answers) == ["not-standing"]
    assert Rating.objects.count() == 2


def test_a_link_is_published_once(project, stage):
    answers = at_once(*[lambda: make_output(project, stage=stage, url=LINK)] * 2)

    assert refused(answers) == ["already-here"]
    assert Output.objects.count() == 1


def test_what_is_said_twice_is_one(project, team, stage):
    day = timezone.localdate() + timedelta(days=9)
    milestone = project.milestones.create(title="M", due_on=day)
    told = {"title": "First", "definition_of_done": "Sent.", "due_on": day}

    at_once(*[lambda: milestone.predict(day, by=team[0])] * 2)
    at_once(*[lambda: Claim.objects.make(project, "It scales.", by=team[0])] * 2)
    at_once(*[lambda: Milestone.objects.plan(project, by=team[0], **told)] * 2)
    at_once(*[lambda: make_output(project, stage=stage, title="Reading group")] * 2)

    assert DateForecast.objects.count() == Claim.objects.count() == 1
    assert Milestone.objects.filter(title="First").count() == 1
    assert Output.objects.count() == 1


def test_a_rating_is_replied_to_once(project, team, stage):
    rating = make_rating(make_output(project, stage=stage))
    lead = make_person(Role.LEAD, program=stage.cohort.program)
    fit = make_fit(stage.cohort.program, {team[0]: 0.0})
    Release.objects.create(stage=close_reading(stage), fit=fit, released_by=lead)

    answers = at_once(*[lambda: Reply.objects.give(rating, person=team[0], text="Thank you.")] * 2)

    assert refused(answers) == ["replied-already"]
