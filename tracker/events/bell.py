"""The doorbell: tell a worker, after the commit, that a row waits. A broken bell breaks nothing."""

import logging
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def publish(task: str, *arguments: int) -> None:
    """Send one task by name; a broker that is away is logged, and the sweeps find the row."""
    try:
        current_app.send_task(task, args=arguments, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        logger.warning("The bell for %s did not ring: %s", task, error)


def ring(task: str, *arguments: int) -> None:
    """Send one task once the present transaction is committed; never raises."""
    transaction.on_commit(partial(publish, task, *arguments), robust=True)
