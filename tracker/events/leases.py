"""Leases: who works on a row, until when by the database's clock, and how that is kept and lost.

A row is taken by one conditional update, so that of many workers one gets it; it is kept by renewing it every
third of the lease; and whoever has lost it can write nothing, because every write names the owner.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.db import Error, close_old_connections, connection, models
from django.db.models import F, Q
from django.db.models.functions import Now

logger = logging.getLogger(__name__)


class LeasedQuerySet(models.QuerySet[Any]):
    def free(self) -> Self:
        """Rows that a worker may take now."""
        return self.filter(Q(owner=None) | Q(lease_ends_at__lte=Now()))

    def held_by(self, owner: UUID | None) -> Self:
        """Rows that this owner may still write; nobody holds nothing."""
        return self.filter(owner=owner, lease_ends_at__gt=Now())

    def lease(self, pk: int, *, owner: UUID, **values: Any) -> Any | None:
        """Take a free row for this worker, or None if another one has it."""
        taken = (
            self.free()
            .filter(pk=pk)
            .update(owner=owner, lease_ends_at=Now() + settings.LEASE, attempts=F("attempts") + 1, **values)
        )
        return self.get(pk=pk) if taken == 1 else None

    def renew(self, pk: int, *, owner: UUID | None) -> bool:
        """Keep a row for another lease; False when it is no longer this worker's."""
        return self.held_by(owner).filter(pk=pk).update(lease_ends_at=Now() + settings.LEASE) == 1

    def give_back(self, pk: int, *, owner: UUID | None, **values: Any) -> bool:
        return (
            owner is not None
            and self.filter(pk=pk, owner=owner).update(owner=None, lease_ends_at=None, **values) == 1
        )


class Leased(models.Model):
    owner = models.UUIDField(null=True, blank=True, editable=False)
    lease_ends_at = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        abstract = True


class Heartbeat:
    """Renews a lease from a thread of its own; ``lost`` is set once the work must stop."""

    def __init__(self, rows: LeasedQuerySet, pk: int, owner: UUID | None) -> None:
        self.rows = rows
        self.pk = pk
        self.owner = owner
        self.lost = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease-{pk}", daemon=True)

    def _beat(self) -> None:
        pause = settings.LEASE.total_seconds() / 3
        while not self._ended.wait(pause):
            try:
                close_old_connections()
                kept = self.rows.all().renew(self.pk, owner=self.owner)
            except Error:
                # The database may be away for a moment; the lease itself decides when that was too long.
                logger.warning("Could not renew the lease of %s %s.", self.rows.model.__name__, self.pk)
                continue
            if not kept:
                self.lost.set()
                break
        connection.close()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(timeout=30)


@contextmanager
def heartbeat(rows: LeasedQuerySet, pk: int, *, owner: UUID | None) -> Iterator[Heartbeat]:
    """Keep the lease of one row while the block runs."""
    pulse = Heartbeat(rows, pk, owner)
    pulse.start()
    try:
        yield pulse
    finally:
        pulse.stop()
