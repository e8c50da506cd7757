"""Settings under which work would be lost are refused before anything starts."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from tracker.ops import checks

SAFE = {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode = wal;"}


def ids(check):
    return [message.id for message in check()]


@pytest.mark.parametrize(
    ("option", "value", "refusal"),
    [
        ("transaction_mode", "DEFERRED", "plumbline.E001"),
        ("init_command", "PRAGMA synchronous=NORMAL;", "plumbline.E002"),
    ],
)
def test_sqlite_without_its_safeguards_is_refused(monkeypatch, option, value, refusal):
    databases = {"default": {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": SAFE | {option: value}}}
    monkeypatch.setattr(checks, "settings", SimpleNamespace(DATABASES=databases))

    assert ids(checks.sqlite_waits_for_its_turn) == [refusal]


def test_sqlite_with_its_safeguards_and_other_databases_pass(monkeypatch):
    databases = {
        "default": {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": SAFE},
        "other": {"ENGINE": "django.db.backends.postgresql"},
    }
    monkeypatch.setattr(checks, "settings", SimpleNamespace(DATABASES=databases))

    assert ids(checks.sqlite_waits_for_its_turn) == []


def test_a_setting_that_celery_does_not_know_is_refused_by_name(settings):
    settings.CELERY_TASK_ACK_LATE = True

    (message,) = checks.celery_knows_every_setting()

    assert "CELERY_TASK_ACK_LATE" in message.msg


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CELERY_TASK_ACKS_LATE", True),
        ("CELERY_WORKER_PREFETCH_MULTIPLIER", 4),
        ("CELERY_TASK_REJECT_ON_WORKER_LOST", True),
    ],
)
def test_what_leases_cannot_live_with_is_refused(settings, name, value):
    setattr(settings, name, value)

    assert ids(checks.the_row_remembers) == ["plumbline.E004"]


@pytest.mark.parametrize(
    ("soft", "hard", "refusals"),
    [
        (120, 120, ["plumbline.E005"]),
        (120, 180, []),
        (30, 180, ["plumbline.E006"]),
        (20, 30, ["plumbline.E006", "plumbline.E006"]),
    ],
)
def test_time_limits_come_in_order_and_after_a_lease(settings, soft, hard, refusals):
    settings.LEASE = timedelta(seconds=60)
    settings.CELERY_TASK_SOFT_TIME_LIMIT, settings.CELERY_TASK_TIME_LIMIT = soft, hard

    assert ids(checks.times_are_in_order) == refusals


def test_the_project_as_it_stands_passes():
    for check in (
        checks.sqlite_waits_for_its_turn,
        checks.celery_knows_every_setting,
        checks.the_row_remembers,
        checks.times_are_in_order,
    ):
        assert ids(check) == []
