"""The cast that tests share, and the walls around them."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Whatever a test writes lies in a folder of its own process; the settings must not be read before that is said.
# pytest-django reads them before this file where the environment names them, so no process that pytest starts
# may inherit that name.
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
from django.conf import settings
from django.core import management
from django.db import connection

django.setup()
del os.environ["DJANGO_SETTINGS_MODULE"]
if VAR.resolve() != settings.VAR_DIR:
    raise pytest.UsageError(
        f"The tests would write into {settings.VAR_DIR}: unset DJANGO_SETTINGS_MODULE and try again."
    )

from tests import left_out, schema
from tests.factories import make_cohort, make_person, make_program, make_stage, make_user
from tracker.cohorts.models import Cohort, Stage
from tracker.people.models import Person, Program, Role, User


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(left_out, "left-out")


def pytest_unconfigure() -> None:
    shutil.rmtree(VAR, ignore_errors=True)


def uses_database(item: pytest.Item) -> bool:
    asks_for_it = {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
    return bool(asks_for_it or item.get_closest_marker("django_db"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """The database is migrated before the first test, whose time it must not take."""
    if connection.vendor == "sqlite" and any(uses_database(item) for item in session.items):
        schema.snapshot()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """After every test that passed and used the database, what must hold there holds."""
    yield
    if uses_database(item) and not item.get_closest_marker("plants") and not connection.needs_rollback:
        from tracker.ops.invariants import broken_at_once

        assert [kept.sentence for kept in broken_at_once()] == []


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
) -> Iterator[None]:
    """A database of SQLite is copied, not migrated once more for each process."""
    patch = pytest.MonkeyPatch()
    if connection.vendor == "sqlite":
        patch.setattr(management, "call_command", schema.copied(management.call_command))
    yield
    patch.undo()


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
