"""The tick: what must happen though nobody rang. Every step may run twice, or in two processes, and does no harm."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import Error, close_old_connections
from django.utils import timezone

from tracker.decisions.silence import keep_dates
from tracker.estimates.models import FitRequest
from tracker.events.bell import publish
from tracker.events.delivery import deliver_events
from tracker.events.doors import Door, through
from tracker.grading.models import Run
from tracker.ops.invariants import check_tonight, is_due
from tracker.ratings.nearness import check_closeness

logger = logging.getLogger(__name__)

TICK_SECONDS = 1.0
NIGHT_WATCH_SECONDS = 600.0
SWEEP_SECONDS = 15.0


def sweep() -> dict[str, int]:
    """Take back what lost workers held, keep the dates of decisions, give events to their consumers."""
    with through(Door.WORKER):
        return {
            "runs": Run.objects.reap(),
            "fits": FitRequest.objects.reap(),
            "decisions": keep_dates(),
            "events": deliver_events(),
        }


def tonight() -> None:
    """What is looked after once a night; the last of it says that the night's work is done."""
    with through(Door.WORKER):
        check_closeness()
        check_tonight()


@dataclass
class Tick:
    """One process's rounds, and what it has rung for."""

    swept_at: float = float("-inf")
    watched_at: float = float("-inf")
    rung: dict[int, float] = field(default_factory=dict)

    def round(self, now: float) -> None:
        self.ring_for_fits(now)
        if now - self.swept_at >= min(SWEEP_SECONDS, settings.LEASE.total_seconds()):
            sweep()
            self.swept_at = now
        if now - self.watched_at >= NIGHT_WATCH_SECONDS:
            self.watched_at = now
            if is_due(timezone.now()):
                tonight()

    def ring_for_fits(self, now: float) -> None:
        """Ring once when a fit has become due, and again when nobody came for a whole sweep."""
        due = set(FitRequest.objects.due().values_list("pk", flat=True))
        self.rung = {pk: at for pk, at in self.rung.items() if pk in due and now - at < SWEEP_SECONDS}
        if due - set(self.rung):
            publish("tracker.estimates.tasks.fit")
            self.rung |= dict.fromkeys(due - set(self.rung), now)


def tick(*, is_over: Callable[[], bool]) -> None:
    """Rounds until told to end; a database that is away for a moment ends nothing."""
    rounds = Tick()
    while not is_over():
        try:
            close_old_connections()
            rounds.round(time.monotonic())
        except Error as error:
            logger.warning("A round was left out: %s", error)
        time.sleep(TICK_SECONDS)
