"""The thinnest door to deliveries, and what every worker does when it starts."""

import logging
import os
from typing import Any

from celery import shared_task
from celery.signals import celeryd_after_setup, worker_process_init

from tracker.events.delivery import deliver_events
from tracker.ops.readback import effective_configuration
from tracker.ops.supervision.lifeline import end_with_parent

logger = logging.getLogger(__name__)


@shared_task
def deliver() -> None:
    """Give every consumer what is new; being rung twice, or never, does no harm."""
    deliver_events()


@worker_process_init.connect
def end_with_worker(**_: Any) -> None:
    """A process of the pool must not go on alone when its worker is killed."""
    end_with_parent(os.getppid())


@celeryd_after_setup.connect
def tell_configuration(sender: str, **_: Any) -> None:
    """What this worker really runs with, in one line of its log."""
    logger.info("%s runs with %s", sender, effective_configuration())
