"""An admission's decisions give a place or none, and silence leaves an application open."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from tests.factories import make_application, make_person, make_round
from tests.tracker.gate_world import appealed, decide, second
from tracker.cohorts.models import Application
from tracker.decisions.models import StageDecision
from tracker.decisions.silence import keep_dates
from tracker.errors import RuleBroken
from tracker.people.models import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def application(cohort) -> Application:
    return make_application(make_round(cohort, places=1))


def test_to_go_on_is_to_be_admitted(application, lead):
    decide(application.round.stage, application.person, lead)

    application.refresh_from_db()
    assert application.state == "admitted"
    assert application.person.holds(Role.MENTEE)


def test_without_a_place_to_give_or_to_wait_for_nothing_is_decided(application, lead):
    other = make_application(application.round)
    decide(application.round.stage, application.person, lead)

    with pytest.raises(RuleBroken, match="is full"):
        decide(application.round.stage, other.person, lead)

    assert StageDecision.objects.count() == 1


def test_an_end_turns_them_down_once_it_takes_effect(application, lead, program):
    stage, reader = application.round.stage, make_person(Role.COMMITTEE, program=program)
    second(decide(stage, application.person, lead, "end"), reader)
    application.refresh_from_db()
    assert application.state == "submitted"

    with time_machine.travel(timezone.now() + timedelta(days=15), tick=False):
        keep_dates()

    application.refresh_from_db()
    assert application.state == "not_admitted"


def test_an_end_of_what_was_taken_back_ends_nothing(application, lead, program):
    stage, reader = application.round.stage, make_person(Role.COMMITTEE, program=program)
    second(decide(stage, application.person, lead, "end"), reader)
    application.withdraw()

    with time_machine.travel(timezone.now() + timedelta(days=15), tick=False):
        assert (keep_dates(), keep_dates()) == (1, 0)

    application.refresh_from_db()
    assert application.state == "withdrawn"


def test_an_appeal_that_is_right_finds_no_waitlist_full(application, lead, program):
    stage, third = application.round.stage, make_person(Role.LEAD, program=program)
    other = make_application(application.round)
    decision = second(
        decide(stage, application.person, lead, "end"), make_person(Role.COMMITTEE, program=program)
    )
    decide(stage, other.person, lead)

    appealed(decision).hear(by=third, upholds=False, reasons="Another version was read.")

    application.refresh_from_db()
    assert application.state == "waitlisted"


def test_an_application_is_not_extended(application, lead):
    with pytest.raises(RuleBroken, match="not extended"):
        decide(application.round.stage, application.person, lead, "extend")

    assert not StageDecision.objects.exists()


def test_silence_leaves_it_open(application):
    with time_machine.travel(timezone.now() + timedelta(days=40), tick=False):
        assert keep_dates() == 0

    application.refresh_from_db()
    assert application.state == "submitted"
