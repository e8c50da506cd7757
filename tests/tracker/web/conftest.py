"""Visitors of pages."""

from collections.abc import Callable

import pytest
from django.test import Client

from tests.factories import make_mentee
from tracker.cohorts.models import Cohort, Stage
from tracker.people.models import Person, User

Enter = Callable[[Person | User], Client]


@pytest.fixture
def enter(client: Client) -> Enter:
    """The browser of somebody who is logged in."""

    def log_in(somebody: Person | User) -> Client:
        user = somebody.user if isinstance(somebody, Person) else somebody
        assert user is not None
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def mentee(cohort: Cohort, stage: Stage) -> Person:
    return make_mentee(cohort, name="Mia Mentee")
