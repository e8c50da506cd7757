"""The cast that tests share, and the walls around them."""

import os
import tempfile
from pathlib import Path

# Whatever a test writes lies in a folder of its own process; the settings must not be read before that is said.
VAR = Path(tempfile.mkdtemp(prefix="plumbline-test-"))
(VAR / "static").mkdir()
os.environ["PLUMBLINE_VAR"] = str(VAR)
os.environ["DJANGO_SETTINGS_MODULE"] = "tracker.settings"
for name in ("DATABASE_URL", "CELERY_BROKER_URL"):
    if f"TEST_{name}" in os.environ:
        os.environ[name] = os.environ[f"TEST_{name}"]
    else:
        os.environ.pop(name, None)

import django
import pytest

django.setup()

from tests import left_out
from tests.factories import make_cohort, make_person, make_program, make_stage, make_user
from tracker.cohorts.models import Cohort, Stage
from tracker.people.models import Person, Program, Role, User


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(left_out, "left-out")


@pytest.fixture(autouse=True)
def quiet_bell(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No broker in tests: what would have been rung for."""
    rung: list[str] = []
    monkeypatch.setattr("tracker.events.bell.publish", lambda task, *arguments: rung.append(task))
    return rung


@pytest.fixture(autouse=True)
def plain_static_files(settings) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def program(db) -> Program:
    return make_program(name="Northern Lights", slug="northern-lights")


@pytest.fixture
def cohort(program: Program) -> Cohort:
    return make_cohort(program)


@pytest.fixture
def stage(cohort: Cohort) -> Stage:
    return make_stage(cohort)


@pytest.fixture
def lead(program: Program) -> Person:
    return make_person(Role.LEAD, program=program, name="Lena Lead")


@pytest.fixture
def mentor(program: Program) -> Person:
    return make_person(Role.MENTOR, program=program, name="Max Mentor")


@pytest.fixture
def stranger(db) -> User:
    """Somebody with every role, in another program."""
    person = make_person(*Role, program=make_program(name="Elsewhere"))
    assert person.user is not None
    return person.user


@pytest.fixture
def fund_manager(db) -> User:
    from tracker.funding.models import Fund

    user = make_user(name="Fay Fund")
    Fund.objects.found("Open Research Fund").appoint(user)
    return user
