"""The doorbell: tell a worker, after the commit, that a row waits. A broken bell breaks nothing."""

import logging
import time
from functools import partial

from celery import current_app
from django.db import connection, transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

# After a broker was away no request waits for it again for this long; the sweeps find the rows meanwhile.
SECONDS_OF_SILENCE = 10.0


class Silence:
    """Until when this process leaves a broken bell alone, by its own steady clock."""

    until = 0.0


def publish(task: str, *arguments: int) -> None:
    """Send one task by name; a broker that is away is logged, and the sweeps find the row."""
    if time.monotonic() < Silence.until:
        return
    try:
        current_app.send_task(task, args=arguments, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        Silence.until = time.monotonic() + SECONDS_OF_SILENCE
        logger.warning("The bell for %s did not ring: %s", task, error)


def ring(task: str, *arguments: int) -> None:
    """Send one task once the present transaction is committed, however often it asks; never raises."""
    if (task, *arguments) not in waiting_for_commit():
        transaction.on_commit(partial(publish, task, *arguments), robust=True)


def waiting_for_commit() -> set[tuple[str | int, ...]]:
    """What this transaction will ring for already; Django drops what a savepoint's rollback takes back."""
    waiting = [entry[1] for entry in connection.run_on_commit]
    return {call.args for call in waiting if isinstance(call, partial) and call.func is publish}
