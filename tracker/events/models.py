"""Event: one thing that happened. Consumer and Delivery: who has taken it, each once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from tracker.events.bell import ring
from tracker.events.leases import Leased, LeasedQuerySet

# A transaction that began this long ago is over, so no event can still appear behind one this old.
LATEST_COMMIT = timedelta(minutes=30)


class EventQuerySet(models.QuerySet["Event"]):
    def write(
        self,
        kind: str,
        *,
        program: UUID | None = None,
        subject: UUID | None = None,
        actor: UUID | None = None,
        **payload: Any,
    ) -> "Event":
        """Say what happened, in the caller's transaction; the consumers hear of it after the commit."""
        event = self.create(kind=kind, program=program, subject=subject, actor=actor, payload=payload)
        ring("tracker.ops.tasks.deliver")
        return event

    def waiting_for(self, consumer: "Consumer") -> "EventQuerySet":
        """What this consumer has not taken yet, in order."""
        taken = Delivery.objects.filter(consumer=consumer, event=OuterRef("pk"))
        return self.filter(~Exists(taken), pk__gt=consumer.settled_to).order_by("pk")

    def settled(self) -> "EventQuerySet":
        return self.filter(created_at__lt=Now() - LATEST_COMMIT)


class Event(models.Model):
    kind = models.CharField(max_length=60)
    program = models.UUIDField(null=True, blank=True, help_text="Public id of the program it happened in.")
    subject = models.UUIDField(null=True, blank=True, help_text="Public id of what it happened to.")
    actor = models.UUIDField(null=True, blank=True, help_text="Public id of the user who did it.")
    payload = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        indexes = (
            models.Index(fields=["program", "kind", "created_at"], name="event_program_kind"),
            models.Index(fields=["subject", "kind"], name="event_subject_kind"),
        )

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class Consumer(Leased):
    """Someone who takes events in order; the lease keeps two workers from taking them at once."""

    name = models.CharField(max_length=60, unique=True)
    settled_to = models.PositiveBigIntegerField(
        default=0, help_text="Every event up to this one is taken, and none can appear behind it."
    )

    objects = LeasedQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(owner=None, lease_ends_at=None)
                | Q(owner__isnull=False, lease_ends_at__isnull=False),
                name="a_leased_consumer_has_an_end",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def settle(self) -> None:
        """Remember up to where nothing can be missing, so that the search for news stays short."""
        first = Event.objects.waiting_for(self).values_list("pk", flat=True).first()
        settled = Event.objects.settled().filter(pk__gt=self.settled_to)
        if first is not None:
            settled = settled.filter(pk__lt=first)
        last = settled.order_by("-pk").values_list("pk", flat=True).first()
        if last is not None:
            self.settled_to = last
            self.save(update_fields=["settled_to"])


class Delivery(models.Model):
    """One event taken by one consumer: written in the same transaction as what the consumer did."""

    consumer = models.ForeignKey(Consumer, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries")
    failure = models.TextField(
        blank=True, help_text="Why the consumer gave the event up; empty when it did its work."
    )
    delivered_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["consumer", "event"], name="an_event_is_taken_once"),)

    def __str__(self) -> str:
        return f"{self.event_id} to {self.consumer_id}"
