"""What a process really runs with, read back from where it took effect and not from where it was asked for."""

from celery import current_app
from django.conf import settings
from django.db import connection


def effective_configuration() -> str:
    """One line, without secrets."""
    celery = current_app.conf
    facts = {
        "database": connection.vendor,
        "journal": journal_mode(),
        "broker": current_app.connection().transport_cls,
        "acks_late": celery.task_acks_late,
        "prefetch": celery.worker_prefetch_multiplier,
        "time_limit": celery.task_time_limit,
        "lease": f"{settings.LEASE.total_seconds():g}s",
        "fit_pause": f"{settings.FIT_PAUSE.total_seconds():g}s",
        "device": settings.GRADING_DEVICE,
    }
    return " ".join(f"{name}={value}" for name, value in facts.items())


def journal_mode() -> str:
    """How SQLite keeps its journal now; a dash for databases that have none to choose."""
    if connection.vendor != "sqlite":
        return "-"
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        return str(cursor.fetchone()[0])
