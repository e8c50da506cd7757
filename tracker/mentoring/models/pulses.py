"""Pulse: how somebody feels, in their own words, for their own research manager and for nobody else.

It is no evidence: no event, mail, export, endpoint, admin or model of ours reads it, and no history copies it. Tests
hold this.
"""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.mentoring.models.supports import Support
from tracker.people.models import Person, Visitor

LOWEST, HIGHEST = 1, 5
LONGEST_NOTE = 2_000


class PulseQuerySet(models.QuerySet["Pulse"]):
    def visible_to(self, user: Visitor) -> Self:
        """One's own, and those of whom one supports now; superusers are nobody's research manager."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        supported = Support.objects.given_by(user)
        return self.filter(Q(person__in=Person.objects.of(user)) | Q(person__in=supported.values("person")))

    def merge_people(self, name: str, *, kept: Person, doubled: Person) -> None:
        """Of two answers on one day the kept entry's stays."""
        answered = list(self.filter(person=kept).values_list("asked_on", flat=True))
        self.filter(person=doubled).exclude(asked_on__in=answered).update(person=kept)

    def answer(self, person: Person, *, value: int, note: str = "") -> "Pulse":
        """Somebody says how they are today; saying it again on the same day replaces it."""
        if not LOWEST <= value <= HIGHEST:
            raise RuleBroken(f"Choose a number from {LOWEST} to {HIGHEST}.", field="value")
        if len(note) > LONGEST_NOTE:
            raise RuleBroken(f"Shorten the note to {LONGEST_NOTE} characters.", field="note")
        values = {"value": value, "note": note}
        pulse: Pulse
        pulse, _ = self.update_or_create(person=person, asked_on=timezone.localdate(), defaults=values)
        return pulse


class Pulse(models.Model):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="pulses")
    asked_on = models.DateField(default=timezone.localdate)
    value = models.PositiveSmallIntegerField(help_text="From 1, badly, to 5, very well.")
    note = models.TextField(blank=True, max_length=LONGEST_NOTE)

    objects = PulseQuerySet.as_manager()

    class Meta:
        ordering = ("-asked_on",)
        constraints = (
            models.UniqueConstraint(fields=["person", "asked_on"], name="one_pulse_a_day"),
            models.CheckConstraint(
                condition=Q(value__gte=LOWEST, value__lte=HIGHEST), name="a_pulse_is_on_its_scale"
            ),
        )

    def __str__(self) -> str:
        return f"{self.asked_on:%Y-%m-%d}"
