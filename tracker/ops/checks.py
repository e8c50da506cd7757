"""Refuses, before anything starts, settings under which work would be lost or quietly done otherwise."""

from collections.abc import Iterable
from typing import Any

from celery.app.defaults import NAMESPACES, flatten
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from tracker.estimates.covariates import OF_THE_READING

PREFIX = "CELERY_"
# Early acknowledgement, one task at a time: the row remembers, not the broker (docs/operations.md).
NEEDED = {
    "CELERY_TASK_ACKS_LATE": False,
    "CELERY_TASK_IGNORE_RESULT": True,
    "CELERY_WORKER_PREFETCH_MULTIPLIER": 1,
}


@register()
def sqlite_waits_for_its_turn(**_: Any) -> Iterable[CheckMessage]:
    """Without both, two writers at once are refused instead of waiting for each other."""
    for alias, database in settings.DATABASES.items():
        if not database["ENGINE"].endswith("sqlite3"):
            continue
        options = database.get("OPTIONS", {})
        if options.get("transaction_mode") != "IMMEDIATE":
            yield Error(
                f"The SQLite database {alias!r} begins transactions late: set transaction_mode to IMMEDIATE.",
                id="plumbline.E001",
            )
        if "journal_mode=wal" not in options.get("init_command", "").lower().replace(" ", ""):
            yield Error(
                f"The SQLite database {alias!r} has no write-ahead log: set PRAGMA journal_mode=WAL.",
                id="plumbline.E002",
            )


@register()
def celery_knows_every_setting(**_: Any) -> Iterable[CheckMessage]:
    """A misspelt setting would have no effect, in silence."""
    known = {PREFIX + key.upper() for key, _ in flatten(NAMESPACES)}
    for name in sorted(name for name in dir(settings) if name.startswith(PREFIX)):
        if name not in known:
            yield Error(
                f"Celery knows no setting {name}: correct its name or take it out.", id="plumbline.E003"
            )


@register()
def the_row_remembers(**_: Any) -> Iterable[CheckMessage]:
    for name, needed in NEEDED.items():
        found = getattr(settings, name, None)
        if found != needed:
            yield Error(f"{name} is {found!r}: leases need {needed!r}.", id="plumbline.E004")
    if getattr(settings, "CELERY_TASK_REJECT_ON_WORKER_LOST", None):
        yield Error(
            "CELERY_TASK_REJECT_ON_WORKER_LOST would try a poisonous job for ever: take it out.",
            id="plumbline.E004",
        )


@register()
def only_readings_have_covariates(**_: Any) -> Iterable[CheckMessage]:
    """What people are or feel never enters the model."""
    for name in settings.COVARIATES:
        if name not in OF_THE_READING:
            yield Error(
                f"PLUMBLINE_COVARIATES names {name!r}, which is no property of a reading:"
                f" use {', '.join(OF_THE_READING)}.",
                id="plumbline.E007",
            )


@register()
def times_are_in_order(**_: Any) -> Iterable[CheckMessage]:
    """Soft before hard, and both after a lease, within which a lost worker is noticed anyway."""
    lease = settings.LEASE.total_seconds()
    soft = getattr(settings, "CELERY_TASK_SOFT_TIME_LIMIT", None)
    hard = getattr(settings, "CELERY_TASK_TIME_LIMIT", None)
    if soft is not None and hard is not None and soft >= hard:
        yield Error(
            f"The soft time limit ({soft} s) does not come before the hard one ({hard} s): lower it.",
            id="plumbline.E005",
        )
    for name, limit in (("soft", soft), ("hard", hard)):
        if limit is not None and limit <= lease:
            yield Error(
                f"The {name} time limit ({limit} s) ends a task within its lease ({lease:g} s): raise it.",
                id="plumbline.E006",
            )
