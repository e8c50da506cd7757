"""The thinnest door to grading, and what the worker's process does at its start and end."""

import os
from typing import Any

from celery import shared_task
from celery.signals import (
    worker_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)

from tracker.grading.models import Queue, Run
from tracker.grading.presence import has_gpu, rounds
from tracker.grading.work import drain_flag, grade_next, is_draining, scorer


@shared_task
def grade() -> None:
    """Grade what waits; being rung twice, or never, does no harm."""
    grade_all(Queue.CPU)


@shared_task
def grade_on_gpu() -> None:
    """Grade what waits for a GPU, where there is one."""
    if has_gpu():
        grade_all(Queue.GPU)


def grade_all(queue: Queue) -> None:
    Run.objects.reap()
    while not is_draining() and grade_next(queue):
        pass


@worker_ready.connect
def begin_rounds(sender: Any, **_: Any) -> None:
    """Say that this worker is there, and sweep, for as long as it is."""
    queues = set(sender.app.amqp.queues.consume_from) & set(Queue.values)
    if queues:
        rounds.start(sender.hostname, queues)


@worker_shutdown.connect
def end_rounds(**_: Any) -> None:
    rounds.stop()


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
