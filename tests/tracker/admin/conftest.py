"""A lead who is staff, a superuser, and a person who shares a released estimate with a fund."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import close_reading, make_mentee, make_person, make_program
from tests.tracker.api.test_estimates import make_estimate, make_fit
from tracker.estimates.models import Estimate, Release
from tracker.funding.models import Fund
from tracker.people.models import Person, Role, ShareGrant, User


def entering(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def leads_door(lead) -> Client:
    lead.user.become_staff()
    return entering(lead.user)


@pytest.fixture
def masters_door(db) -> Client:
    return entering(User.objects.create_superuser("root@example.org", "a-long-enough-passphrase"))


@pytest.fixture
def funds_door(fund_manager) -> Client:
    return entering(fund_manager)


@pytest.fixture
def shared(program, cohort, stage, lead, fund_manager) -> Estimate:
    """Released to whom it concerns, and shared by its person with the fund for a month."""
    person = make_mentee(cohort, name="Sara Shares")
    estimate = make_estimate(make_fit(program), person)
    Release.objects.release(close_reading(stage), by=lead)
    until = timezone.now() + timedelta(days=30)
    ShareGrant.objects.share(person, shared_with=Fund.objects.get().group, what="estimates", until=until)
    return estimate


@pytest.fixture
def private(shared, cohort) -> Estimate:
    """In the same fit, and shared with nobody."""
    return make_estimate(shared.fit, make_mentee(cohort, name="Peter Private"))


@pytest.fixture
def foreigner(db) -> Person:
    return make_person(Role.MENTEE, program=make_program(name="Elsewhere"), name="Fritz Foreign")
