"""Cohort, Track, Stage, Enrollment."""

import uuid
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.people.models import STAFF, Person, Program, Role, Visitor


class CohortQuerySet(models.QuerySet["Cohort"]):
    def visible_to(self, user: Visitor) -> Self:
        """Cohorts of programs one works for, and those one is in."""
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        workplaces = Program.objects.where(user, *STAFF, Role.MENTOR)
        own = Enrollment.objects.filter(person__in=Person.objects.of(user))
        return self.filter(Q(program__in=workplaces) | Q(pk__in=own.values("cohort")))

    def decided_by(self, user: Visitor) -> Self:
        """Cohorts whose estimates this user may see in full."""
        return self.filter(program__in=Program.objects.where(user, Role.LEAD, Role.COMMITTEE))

    def overseen_by(self, user: Visitor) -> Self:
        """Cohorts whose work this user looks after: those who decide, and research managers."""
        overseers = (Role.LEAD, Role.COMMITTEE, Role.RESEARCH_MANAGER)
        return self.filter(program__in=Program.objects.where(user, *overseers))


class Cohort(models.Model):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="cohorts")
    external_id = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=200)
    starts_on = models.DateField()
    ends_on = models.DateField()

    objects = CohortQuerySet.as_manager()

    class Meta:
        ordering = ("-starts_on", "name")
        constraints = (
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")), name="a_cohort_ends_after_it_starts"
            ),
            models.UniqueConstraint(fields=["program", "name"], name="one_cohort_per_name_in_a_program"),
            models.UniqueConstraint(
                fields=["program", "external_id"],
                condition=~Q(external_id=""),
                name="one_cohort_per_external_id_in_a_program",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def week(self) -> int:
        """The week it stands in, the first being 1."""
        return (timezone.localdate() - self.starts_on).days // 7 + 1

    @property
    def current_stage(self) -> "Stage | None":
        return self.stages.current().first()


class Track(models.Model):
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="tracks")
    name = models.CharField(max_length=200)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["cohort", "name"], name="one_track_per_name_in_a_cohort"),
        )

    def __str__(self) -> str:
        return self.name


class StageQuerySet(models.QuerySet["Stage"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(cohort__in=Cohort.objects.visible_to(user))

    def led_by(self, user: Visitor) -> Self:
        return self.filter(cohort__program__in=Program.objects.where(user, Role.LEAD))

    def current(self) -> Self:
        today = timezone.localdate()
        return self.filter(starts_on__lte=today, ends_on__gte=today)

    def reading(self) -> Self:
        """Stages whose outputs may be rated now."""
        return self.filter(reading_opens_at__lte=Now(), reading_closes_at__gt=Now())


class Stage(models.Model):
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
    default = models.CharField(max_length=10, choices=Default, default=Default.GO_ON)
    places = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many can go on; empty: everybody."
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

    def move_reading(self, *, opens_at: datetime, closes_at: datetime) -> None:
        """Open or close the reading at other times; what was rated stays."""
        if closes_at <= opens_at:
            raise RuleBroken("A reading closes after it opens: correct the dates.", field="reading_closes_at")
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


class EnrollmentQuerySet(models.QuerySet["Enrollment"]):
    def enroll(
        self, person: Person, *, cohort: Cohort, by: UUID | None = None, **values: Any
    ) -> "Enrollment":
        """A person of the program joins one of its cohorts."""
        if person.program_id != cohort.program_id:
            raise RuleBroken(f"{person} is not in {cohort.program}: choose somebody of this program.")
        with transaction.atomic():
            enrollment: Enrollment = self.create(person=person, cohort=cohort, **values)
            Event.objects.write(
                "person.enrolled", program=cohort.program.public_id, subject=person.public_id, actor=by
            )
        return enrollment

    def active(self) -> Self:
        return self.filter(left_on=None)

    def visible_to(self, user: Visitor) -> Self:
        return self.filter(person__in=Person.objects.visible_to(user))


class Enrollment(models.Model):
    """A person in a cohort."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="enrollments")
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="enrollments")
    track = models.ForeignKey(
        Track, on_delete=models.PROTECT, null=True, blank=True, related_name="enrollments"
    )
    joined_on = models.DateField(default=timezone.localdate)
    left_on = models.DateField(null=True, blank=True)

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["person", "cohort"],
                condition=Q(left_on=None),
                name="a_person_is_in_a_cohort_once_at_a_time",
            ),
        )

    def __str__(self) -> str:
        return f"{self.person} in {self.cohort}"
