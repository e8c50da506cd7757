"""Cohort, Track, Enrollment."""

import uuid
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import JUDGED, STAFF, Person, Program, Role, Visitor

if TYPE_CHECKING:
    from tracker.cohorts.models.stages import Stage
    from tracker.cohorts.models.streams import Stream


class CohortQuerySet(TrackedQuerySet["Cohort"]):
    def visible_to(self, user: Visitor) -> Self:
        """Cohorts of programs one works for, and those one is in."""
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        workplaces = Program.objects.where(user, *STAFF, Role.MENTOR)
        own = Enrollment.objects.admitted().filter(person__in=Person.objects.of(user))
        return self.filter(Q(program__in=workplaces) | Q(pk__in=own.values("cohort")))

    def decided_by(self, user: Visitor) -> Self:
        """Cohorts whose estimates this user may see in full."""
        return self.filter(program__in=Program.objects.where(user, Role.LEAD, Role.COMMITTEE))

    def overseen_by(self, user: Visitor) -> Self:
        """Cohorts whose work this user looks after: those who decide, and research managers."""
        overseers = (Role.LEAD, Role.COMMITTEE, Role.RESEARCH_MANAGER)
        return self.filter(program__in=Program.objects.where(user, *overseers))


class Cohort(Tracked):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="cohorts")
    external_id = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=200)
    starts_on = models.DateField()
    ends_on = models.DateField()
    neighbours_after_weeks = models.PositiveSmallIntegerField(
        "ask for neighbouring questions after",
        default=3,
        help_text="Weeks without an empirical output before a project is asked what else it could find out sooner.",
    )
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CohortQuerySet.as_manager()

    class Meta:
        ordering = ("-starts_on", "name")
        constraints = (
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")), name="a_cohort_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=Q(neighbours_after_weeks__lte=520), name="neighbours_are_asked_for_within_520_weeks"
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

    def demand_open(self) -> None:
        """Nothing more is written in an archived cohort."""
        if self.archived_at is not None:
            raise RuleBroken(
                f"{self} is archived, so it is only read: its lead can take it up again.", code="archived"
            )

    def archive(self, *, by: UUID | None = None) -> None:
        """Only read from now on, until it is taken up again."""
        unread = self.stages.filter(reading_closes_at__gt=timezone.now()).first()
        if unread is not None:
            raise RuleBroken(
                f"The reading of {unread} has not closed: close it first, by its dates.", code="reading-open"
            )
        self._turn(timezone.now(), "cohort.archived", by, refusal=f"{self} is archived already.")

    def take_up(self, *, by: UUID | None = None) -> None:
        """Out of the archive."""
        self._turn(None, "cohort.taken_up", by, refusal=f"{self} is not archived.")

    def _turn(self, archived_at: datetime | None, kind: str, by: UUID | None, *, refusal: str) -> None:
        with transaction.atomic():
            turnable = Cohort.objects.filter(pk=self.pk, archived_at__isnull=archived_at is not None)
            if not turnable.update(archived_at=archived_at):
                raise RuleBroken(refusal, code="state")
            self.refresh_from_db(fields=["archived_at"])
            Event.objects.write(kind, program=self.program.public_id, subject=self.public_id, actor=by)

    @property
    def week(self) -> int:
        """The week it stands in, the first being 1."""
        return (timezone.localdate() - self.starts_on).days // 7 + 1

    @property
    def current_stage(self) -> "Stage | None":
        return self.stages.current().first()


class TrackQuerySet(TrackedQuerySet["Track"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(cohort__in=Cohort.objects.visible_to(user))


class Track(Tracked):
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="tracks")
    name = models.CharField(max_length=200)

    objects = TrackQuerySet.as_manager()

    class Meta:
        ordering = ("cohort", "name")
        constraints = (
            models.UniqueConstraint(fields=["cohort", "name"], name="one_track_per_name_in_a_cohort"),
        )

    def __str__(self) -> str:
        return self.name


class EnrollmentQuerySet(TrackedQuerySet["Enrollment"]):
    def enroll(
        self, person: Person, *, cohort: Cohort, by: UUID | None = None, **values: Any
    ) -> "Enrollment":
        """A mentee of the program joins one of its cohorts, or an applicant applies to it."""
        if person.program_id != cohort.program_id:
            raise RuleBroken(f"{person} is not in {cohort.program}: choose somebody of this program.")
        if not person.holds(*(JUDGED if "applying_since" in values else (Role.MENTEE,))):
            raise RuleBroken(
                f"{person} is no mentee of {cohort.program}: give them that role first.",
                field="cohort",
                code="no-mentee",
            )
        cohort.demand_open()
        with transaction.atomic():
            # The lock makes two requests for the same person wait for each other.
            Person.objects.select_for_update(of=("self",)).get(pk=person.pk)
            if self.filter(person=person, cohort=cohort, left_on=None).exists():
                raise RuleBroken(
                    f"{person} is in {cohort} already, or applies to it.", field="cohort", code="enrolled"
                )
            enrollment: Enrollment = self.create(person=person, cohort=cohort, **values)
            Event.objects.write(
                "person.enrolled", program=cohort.program.public_id, subject=person.public_id, actor=by
            )
        return enrollment

    def admitted(self) -> Self:
        return self.filter(applying_since=None)

    def active(self) -> Self:
        """Who is in: admitted, and has not left."""
        return self.admitted().filter(left_on=None)

    def merge_people(self, name: str, *, kept: Person, doubled: Person) -> None:
        """In a cohort that both are in, they are once."""
        twice = self.filter(person=kept, left_on=None).values("cohort")
        self.filter(person=doubled, left_on=None, cohort__in=twice).update(left_on=timezone.localdate())
        self.filter(person=doubled).update(person=kept)

    def of_stage(self, stage: "Stage") -> Self:
        """Whom a stage decides about: those who have sent an application to its round, else everybody who is in."""
        if not hasattr(stage, "admission_round"):
            return self.active().filter(cohort=stage.cohort_id)
        applied = self.filter(application__round__stage=stage, left_on=None)
        return applied.exclude(application__state="draft")

    def besides(self, user: Visitor) -> Self:
        """Those of others: nobody decides about themselves."""
        return self.exclude(person__in=Person.objects.of(user))

    def visible_to(self, user: Visitor) -> Self:
        return self.filter(person__in=Person.objects.known_to(user))


class Enrollment(Tracked):
    """A person in a cohort, or who applies to be."""

    history_told_to = "person__user"

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="enrollments")
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="enrollments")
    track = models.ForeignKey(
        Track, on_delete=models.PROTECT, null=True, blank=True, related_name="enrollments"
    )
    stream = models.ForeignKey(
        "cohorts.Stream", on_delete=models.PROTECT, null=True, blank=True, related_name="enrollments"
    )
    joined_on = models.DateField(default=timezone.localdate)
    left_on = models.DateField(null=True, blank=True)
    applying_since = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Set until somebody who applied is admitted."
    )

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["person", "cohort"],
                condition=Q(left_on=None),
                name="a_person_is_in_a_cohort_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(stream=None) | Q(track__isnull=False), name="a_stream_is_chosen_with_its_track"
            ),
        )

    def __str__(self) -> str:
        return f"{self.person} in {self.cohort}"

    def admit(self, *, by: UUID | None = None) -> None:
        """Whoever applied is in from today on, as a mentee."""
        with transaction.atomic():
            applying = Enrollment.objects.filter(pk=self.pk).exclude(applying_since=None)
            if not applying.update(applying_since=None, joined_on=timezone.localdate()):
                raise RuleBroken(f"{self.person} is in {self.cohort} already.")
            self.refresh_from_db(fields=["applying_since", "joined_on"])
            self.person.become(Role.MENTEE, instead_of=Role.APPLICANT)
            Event.objects.write(
                "person.admitted",
                program=self.cohort.program.public_id,
                subject=self.person.public_id,
                actor=by,
            )

    def leave(self, *, on: date | None = None) -> None:
        """They are in it until this day, today where none is given; what they did stays."""
        standing = Enrollment.objects.filter(pk=self.pk, left_on=None)
        if not standing.update(left_on=on or timezone.localdate()):
            raise RuleBroken(f"{self.person} has left {self.cohort} already.")
        self.refresh_from_db(fields=["left_on"])

    def transfer(self, cohort: Cohort, *, on: date | None = None, by: UUID | None = None) -> "Enrollment":
        """On to another cohort of the program: what was done and said in this one stays and counts."""
        if cohort.pk == self.cohort_id:
            raise RuleBroken(f"{self.person} is in {cohort} already.", field="cohort")
        day = on or timezone.localdate()
        with transaction.atomic():
            self.leave(on=day)
            return Enrollment.objects.enroll(self.person, cohort=cohort, joined_on=day, by=by)

    def place(self, *, track: Track | None, stream: "Stream | None" = None, by: UUID | None = None) -> None:
        """Move to a track and stream of the cohort, where there is a place."""
        if track is not None and track.cohort_id != self.cohort_id:
            raise RuleBroken(
                f"{track} is a track of another cohort: choose one of {self.cohort}.", field="track"
            )
        if stream is not None and (track is None or stream.track_id != track.pk):
            raise RuleBroken(
                f"{stream} is not a stream of that track: choose one of {track}.", field="stream"
            )
        with transaction.atomic():
            if stream is not None and stream.pk != self.stream_id and not stream.lock().has_place:
                raise RuleBroken(
                    f"{stream} has no free place: choose another, or give it one.", field="stream"
                )
            self.track, self.stream = track, stream
            self.save(update_fields=["track", "stream"])
            Event.objects.write(
                "person.placed",
                program=self.cohort.program.public_id,
                subject=self.person.public_id,
                actor=by,
            )
