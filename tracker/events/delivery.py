"""Give every event to every consumer, in order, each once."""

import logging
import traceback
from collections.abc import Callable
from uuid import uuid4

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.utils.module_loading import import_string

from tracker.events.leases import Heartbeat, heartbeat
from tracker.events.models import Consumer, Delivery, Event

logger = logging.getLogger(__name__)
BATCH = 200

Take = Callable[[Event], None]


def deliver_events() -> int:
    """Let every consumer take what is new; how many deliveries were made."""
    return sum(deliver_to(name, import_string(path)) for name, path in settings.EVENT_CONSUMERS.items())


def deliver_to(name: str, take: Take) -> int:
    """Let one consumer take what is new, unless another worker is at it."""
    consumer, _ = Consumer.objects.get_or_create(name=name)
    leased = Consumer.objects.lease(consumer.pk, owner=uuid4())
    if leased is None:
        return 0
    try:
        with heartbeat(Consumer.objects.all(), leased.pk, owner=leased.owner) as pulse:
            count = take_all(leased, take, pulse)
        leased.settle()
        return count
    finally:
        Consumer.objects.give_back(leased.pk, owner=leased.owner)


def take_all(consumer: Consumer, take: Take, pulse: Heartbeat) -> int:
    count = 0
    while not pulse.lost.is_set():
        events = list(Event.objects.waiting_for(consumer)[:BATCH])
        if not events:
            break
        for event in events:
            take_one(consumer, event, take)
        count += len(events)
    return count


def take_one(consumer: Consumer, event: Event, take: Take) -> None:
    """The effect and the mark that it happened, in one transaction.

    An event that the consumer cannot take is kept with its reason and seen by operators; those behind it go on.
    """
    try:
        with transaction.atomic():
            _, is_new = Delivery.objects.get_or_create(consumer=consumer, event=event)
            if is_new:
                take(event)
    except (OperationalError, InterfaceError):
        raise  # the database was away: nothing is marked, and the next round takes it
    except Exception:
        logger.exception("%s could not take event %s (%s).", consumer.name, event.pk, event.kind)
        Delivery.objects.create(consumer=consumer, event=event, failure=traceback.format_exc(limit=5))
