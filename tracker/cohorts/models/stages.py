"""Stage: a dated part of a cohort, when it is read and decided, and what it takes to go on."""

import uuid
from datetime import date, datetime
from typing import Self

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from tracker.cohorts.models.cohorts import Cohort
from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import Person, Program, Role, Visitor

READ_FIRST = "Decisions are due after the reading has closed: move one of the dates."
MOST_WEEKS = 52
MOST_READERS = 20
MOST_PLACES = 10_000
FINITE = Q(bar__gt=-1e6, bar__lt=1e6)


def is_too_late(closes_at: datetime, due_on: date) -> bool:
    """Whether a reading would outlast its decisions; past those, it opens again for more evidence."""
    return timezone.localdate() <= due_on < timezone.localdate(closes_at)


class StageQuerySet(TrackedQuerySet["Stage"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(cohort__in=Cohort.objects.visible_to(user))

    def led_by(self, user: Visitor) -> Self:
        return self.filter(cohort__program__in=Program.objects.where(user, Role.LEAD))

    def decided_by(self, user: Visitor) -> Self:
        return self.filter(cohort__in=Cohort.objects.decided_by(user))

    def of(self, user: Visitor) -> Self:
        """Stages of cohorts that this user is in themselves."""
        active = Q(cohort__enrollments__left_on=None, cohort__enrollments__person__in=Person.objects.of(user))
        return self.filter(active).distinct()

    def current(self) -> Self:
        today = timezone.localdate()
        return self.filter(starts_on__lte=today, ends_on__gte=today)

    def with_a_gate(self) -> Self:
        """Stages after which not everybody can go on."""
        return self.exclude(places=None, bar=None)

    def reading(self) -> Self:
        """Stages whose outputs may be rated now."""
        return self.filter(reading_opens_at__lte=Now(), reading_closes_at__gt=Now())


class Stage(Tracked):
    """A dated part of a cohort: its reading is blind until it closes, and its decisions have a date."""

    class Default(models.TextChoices):
        """What happens if nobody decides. To end is not among them: nobody is ended by silence."""

        GO_ON = "go_on", "go on"
        EXTEND = "extend", "extend"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="stages")
    name = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField()
    reading_opens_at = models.DateTimeField()
    reading_closes_at = models.DateTimeField()
    decisions_due_on = models.DateField()
    notice_on = models.DateField(help_text="When people must know, before their other commitments lapse.")
    commitments_lapse_on = models.DateField(
        null=True,
        blank=True,
        help_text="When other commitments of theirs lapse, such as a lease or a place elsewhere.",
    )
    default = models.CharField(max_length=10, choices=Default, default=Default.GO_ON)
    default_weeks = models.PositiveSmallIntegerField(
        default=2, help_text="How long an extension lasts that nobody decided."
    )
    places = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many can go on; empty: everybody, or everybody above a bar."
    )
    bar = models.FloatField(
        null=True, blank=True, help_text="The level to reach, in points from the middle of everybody."
    )
    planned_readers = models.PositiveSmallIntegerField(
        default=3, help_text="How many different readers each piece is planned to have."
    )

    objects = StageQuerySet.as_manager()

    class Meta:
        ordering = ("cohort", "position")
        constraints = (
            models.UniqueConstraint(fields=["cohort", "position"], name="one_stage_per_position"),
            models.UniqueConstraint(fields=["cohort", "name"], name="one_stage_per_name_in_a_cohort"),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")), name="a_stage_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=Q(reading_closes_at__gt=F("reading_opens_at")),
                name="a_reading_closes_after_it_opens",
            ),
            models.CheckConstraint(
                condition=Q(default__in=("go_on", "extend")), name="nobody_is_ended_by_silence"
            ),
            models.CheckConstraint(
                condition=Q(default_weeks__gte=1), name="an_extension_by_silence_has_weeks"
            ),
            models.CheckConstraint(
                condition=Q(default_weeks__lte=MOST_WEEKS),
                name="an_extension_by_silence_has_52_weeks_at_most",
            ),
            models.CheckConstraint(
                condition=Q(decisions_due_on__lte=F("notice_on")),
                name="decisions_are_due_before_people_must_know",
            ),
            models.CheckConstraint(
                condition=Q(commitments_lapse_on=None) | Q(notice_on__lt=F("commitments_lapse_on")),
                name="people_know_before_other_commitments_lapse",
            ),
            models.CheckConstraint(
                condition=Q(places=None) | Q(bar=None), name="a_stage_has_places_or_a_bar_not_both"
            ),
            models.CheckConstraint(condition=Q(bar=None) | FINITE, name="a_bar_is_finite"),
            models.CheckConstraint(condition=Q(planned_readers__gte=1), name="a_stage_plans_with_readers"),
            models.CheckConstraint(
                condition=Q(planned_readers__lte=MOST_READERS), name="a_stage_plans_with_20_readers_at_most"
            ),
            models.CheckConstraint(
                condition=Q(places=None) | Q(places__lte=MOST_PLACES), name="a_stage_has_10000_places_at_most"
            ),
            models.CheckConstraint(
                condition=Q(position__lte=32_767), name="a_stage_has_a_position_that_every_database_holds"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_reading(self) -> bool:
        return self.reading_opens_at <= timezone.now() < self.reading_closes_at

    @property
    def is_current(self) -> bool:
        return self.starts_on <= timezone.localdate() <= self.ends_on

    @property
    def has_been_read(self) -> bool:
        return self.reading_closes_at <= timezone.now()

    @property
    def days_to_decisions(self) -> int:
        return (self.decisions_due_on - timezone.localdate()).days

    @property
    def has_a_gate(self) -> bool:
        """Whether not everybody can go on."""
        return self.places is not None or self.bar is not None

    def clean(self) -> None:
        """What the database cannot compare on every engine: a moment with a day."""
        closes_at, due_on = self.reading_closes_at, self.decisions_due_on
        if closes_at is not None and due_on is not None and is_too_late(closes_at, due_on):
            raise ValidationError({"decisions_due_on": READ_FIRST})

    def aim_for(self, *, places: int | None, bar: float | None, planned_readers: int) -> None:
        """What it takes to go on; a gate's rule says it, and keeps every version of it."""
        if places is not None and bar is not None:
            raise RuleBroken("Choose places or a bar, not both.", field="bar", code="places-and-bar")
        self.places, self.bar, self.planned_readers = places, bar, planned_readers
        self.save(update_fields=["places", "bar", "planned_readers"])

    def move_reading(self, *, opens_at: datetime, closes_at: datetime) -> None:
        """Open or close the reading at other times; what was rated stays."""
        self.cohort.demand_open()
        if closes_at <= opens_at:
            raise RuleBroken("A reading closes after it opens: correct the dates.", field="reading_closes_at")
        if is_too_late(closes_at, self.decisions_due_on):
            raise RuleBroken(READ_FIRST, field="reading_closes_at", code="closes-after-decisions")
        if closes_at > timezone.now() and hasattr(self, "release"):
            raise RuleBroken(
                "Its estimates are released: a reading is not opened again after that.", code="released"
            )
        with transaction.atomic():
            self.reading_opens_at, self.reading_closes_at = opens_at, closes_at
            self.save(update_fields=["reading_opens_at", "reading_closes_at"])
            Event.objects.write(
                "reading.moved", program=self.cohort.program.public_id, subject=self.public_id
            )
