"""The thinnest door to grading, and what the worker's process does at its start and end."""

import os
from typing import Any

from celery import shared_task
from celery.signals import worker_init, worker_process_shutdown, worker_shutting_down

from tracker.grading.models import Run
from tracker.grading.work import drain_flag, grade_next, is_draining, scorer


@shared_task
def grade() -> None:
    """Grade what waits; being rung twice, or never, does no harm."""
    Run.objects.reap()
    while not is_draining() and grade_next():
        pass


@worker_init.connect
def forget_an_old_drain(**_: Any) -> None:
    """Process ids come again: a flag of an earlier worker does not mean this one."""
    drain_flag(os.getpid()).unlink(missing_ok=True)


@worker_shutting_down.connect
def drain(**_: Any) -> None:
    """Tell the pool's processes, which do not hear of it otherwise, to give back what takes long."""
    flag = drain_flag(os.getpid())
    flag.parent.mkdir(parents=True, exist_ok=True)
    flag.touch()


@worker_process_shutdown.connect
def end_scorer(**_: Any) -> None:
    if scorer.cache_info().currsize:
        scorer().close()
