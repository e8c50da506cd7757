"""AdmissionRound, Application: how people come into a cohort.

An admission round has a stage of its own, so that applications are read, modelled and decided as everything
else is: what somebody sends in are outputs of that stage, and its decisions admit people.
"""

import uuid
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import F, Max, Q
from django.db.models.functions import Now
from django.utils import timezone

from tracker.cohorts.models.cohorts import Cohort, Enrollment, Track
from tracker.cohorts.models.stages import MOST_PLACES, Stage
from tracker.cohorts.models.streams import Stream
from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import JUDGED, READERS, STAFF, Person, Program, Role, User, Visitor


class AdmissionRoundQuerySet(TrackedQuerySet["AdmissionRound"]):
    def visible_to(self, user: Visitor) -> Self:
        """Rounds of programs one works for, and those one has applied in."""
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        workplaces = Program.objects.where(user, *STAFF, *READERS)
        own = Application.objects.filter(enrollment__person__in=Person.objects.of(user))
        return self.filter(Q(cohort__program__in=workplaces) | Q(pk__in=own.values("round")))

    def led_by(self, user: Visitor) -> Self:
        return self.filter(cohort__program__in=Program.objects.where(user, Role.LEAD))

    def open(self) -> Self:
        return self.filter(opens_at__lte=Now(), closes_at__gt=Now())

    def announce(
        self, stage: Stage, *, opens_at: datetime, closes_at: datetime, **values: Any
    ) -> "AdmissionRound":
        """A new round, whose applications are read and decided in this stage."""
        if closes_at <= opens_at:
            raise RuleBroken("A round closes after it opens: correct the dates.", field="closes_at")
        if stage.reading_closes_at <= closes_at:
            raise RuleBroken(
                "Applications are read after they are in: close the round before its reading closes.",
                field="closes_at",
            )
        with transaction.atomic():
            announced: AdmissionRound = self.create(
                stage=stage, cohort=stage.cohort, opens_at=opens_at, closes_at=closes_at, **values
            )
            Event.objects.write(
                "admission.announced", program=stage.cohort.program.public_id, subject=announced.public_id
            )
        return announced


class AdmissionRound(Tracked):
    """When people may apply to a cohort, and what is asked of them."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="admission_rounds")
    stage = models.OneToOneField(
        Stage,
        on_delete=models.PROTECT,
        related_name="admission_round",
        help_text="Where its applications are read and decided; its places are the round's.",
    )
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    asks = models.TextField(blank=True, help_text="What applicants are to write, as they read it.")
    work_test = models.TextField(blank=True, help_text="A task with its time; empty: there is none.")
    references_asked = models.PositiveSmallIntegerField(default=0)
    waitlist_places = models.PositiveSmallIntegerField(default=0)

    objects = AdmissionRoundQuerySet.as_manager()

    class Meta:
        ordering = ("-opens_at", "pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(closes_at__gt=F("opens_at")), name="a_round_closes_after_it_opens"
            ),
            models.CheckConstraint(
                condition=Q(references_asked__lte=20), name="a_round_asks_for_20_references_at_most"
            ),
            models.CheckConstraint(
                condition=Q(waitlist_places__lte=MOST_PLACES), name="a_waitlist_has_10000_places_at_most"
            ),
        )

    def __str__(self) -> str:
        return f"{self.stage} of {self.cohort}"

    @property
    def is_open(self) -> bool:
        return self.opens_at <= timezone.now() < self.closes_at

    @property
    def free_places(self) -> int | None:
        """None where nobody limits them."""
        places = self.stage.places
        return None if places is None else max(0, places - self.applications.holding_a_place().count())

    def lock(self) -> "AdmissionRound":
        """Those who would take the same last place wait for each other."""
        return AdmissionRound.objects.select_for_update(of=("self",)).select_related("stage").get(pk=self.pk)

    def invite(self, *, name: str, email: str, by: UUID | None = None) -> "Application":
        """Somebody may apply: they get an account, and an application to fill in."""
        program = self.cohort.program
        with transaction.atomic():
            user = User.objects.invited(email, name=name)
            person = Person.objects.filter(program=program, user=user).first()
            if person is None:
                person = Person.objects.join(program=program, name=name, roles=(Role.APPLICANT,), user=user)
            elif not person.holds(*JUDGED):
                person.memberships.create(role=Role.APPLICANT)
            return Application.objects.start(self, person, by=by)


class ApplicationQuerySet(TrackedQuerySet["Application"]):
    def visible_to(self, user: Visitor) -> Self:
        """One's own; all of programs one decides or supports in, once they are sent."""
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        workplaces = Program.objects.where(user, *STAFF)
        sent = Q(round__cohort__program__in=workplaces) & ~Q(state=Application.State.DRAFT)
        return self.filter(sent | Q(enrollment__person__in=Person.objects.of(user)))

    def of(self, user: Visitor) -> Self:
        return self.filter(enrollment__person__in=Person.objects.of(user))

    def open(self) -> Self:
        """Those that may still be taken back."""
        return self.filter(state__in=Application.OPEN)

    def not_begun(self) -> Self:
        """Places in cohorts that are still to start: somebody who waits can take them."""
        to_start = self.holding_a_place().filter(round__cohort__starts_on__gt=timezone.localdate())
        return to_start.filter(enrollment__left_on=None)

    def holding_a_place(self) -> Self:
        return self.filter(state=Application.State.ADMITTED)

    def waiting(self) -> Self:
        """Those on the waitlist, who comes next first."""
        return self.filter(state=Application.State.WAITLISTED).order_by("waitlist_position")

    def start(self, round: AdmissionRound, person: Person, *, by: UUID | None = None) -> "Application":
        """An application to fill in; asked for again it is the same one."""
        if person.program_id != round.cohort.program_id:
            raise RuleBroken(f"{person} is not in {round.cohort.program}: invite them first.")
        round.cohort.demand_open()
        if not round.is_open:
            raise RuleBroken(f"{round} takes no applications now.", code="not-open")
        with transaction.atomic():
            # The lock makes two requests for the same person wait for each other.
            Person.objects.select_for_update(of=("self",)).get(pk=person.pk)
            known = self.filter(round=round, enrollment__person=person).first()
            return known or self._new(round, person, by)

    def _new(self, round: AdmissionRound, person: Person, by: UUID | None) -> "Application":
        if Enrollment.objects.filter(person=person, cohort=round.cohort, left_on=None).exists():
            raise RuleBroken(f"{person} is in {round.cohort} already.", code="enrolled")
        enrollment = Enrollment.objects.enroll(
            person, cohort=round.cohort, by=by, applying_since=timezone.now()
        )
        application: Application = self.create(round=round, enrollment=enrollment)
        return application


class Application(Tracked):
    """Somebody's wish to be in a cohort, and what came of it. What they sent are outputs of the round's stage."""

    history_is_for_leads = True

    class State(models.TextChoices):
        DRAFT = "draft", "being written"
        SUBMITTED = "submitted", "sent"
        ADMITTED = "admitted", "admitted"
        WAITLISTED = "waitlisted", "on the waitlist"
        NOT_ADMITTED = "not_admitted", "not admitted"
        WITHDRAWN = "withdrawn", "withdrawn"
        DECLINED = "declined", "place declined"

    OPEN = (State.DRAFT, State.SUBMITTED, State.WAITLISTED)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    round = models.ForeignKey(AdmissionRound, on_delete=models.PROTECT, related_name="applications")
    enrollment = models.OneToOneField(Enrollment, on_delete=models.PROTECT, related_name="application")
    track = models.ForeignKey(Track, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=20, choices=State, default=State.DRAFT)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    submitted_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    waitlist_position = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        ordering = ("round", "started_at", "pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(state="waitlisted", waitlist_position__isnull=False)
                | (~Q(state="waitlisted") & Q(waitlist_position=None)),
                name="who_waits_has_a_position",
            ),
            models.UniqueConstraint(
                fields=["round", "waitlist_position"],
                condition=~Q(waitlist_position=None),
                name="one_application_per_waitlist_position",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("draft", "withdrawn")) | Q(submitted_at__isnull=False),
                name="only_what_was_sent_is_answered",
            ),
            models.CheckConstraint(
                condition=Q(stream=None) | Q(track__isnull=False), name="a_stream_is_wished_with_its_track"
            ),
        )

    def __str__(self) -> str:
        return f"{self.enrollment.person} for {self.round}"

    @property
    def person(self) -> Person:
        return self.enrollment.person

    def wish(self, *, track: Track | None, stream: Stream | None) -> None:
        """Which part of the cohort they would like."""
        if track is not None and track.cohort_id != self.round.cohort_id:
            raise RuleBroken(f"{track} is a track of another cohort.", field="track")
        if stream is not None and (track is None or stream.track_id != track.pk):
            raise RuleBroken(f"{stream} is not a stream of that track.", field="stream")
        self.track, self.stream = track, stream
        self.save(update_fields=["track", "stream"])

    def submit(self) -> None:
        """Send it; until the round closes it may be changed and sent again."""
        if not self.round.is_open:
            raise RuleBroken(f"{self.round} takes no applications now.", code="not-open")
        self._turn(self.State.SUBMITTED, whence=(self.State.DRAFT, self.State.SUBMITTED), submitted_at=Now())

    def withdraw(self) -> None:
        """The applicant takes it back, whatever was answered to it before they were admitted."""
        self._turn(self.State.WITHDRAWN, whence=self.OPEN)
        self._leave()

    def admit(self, *, by: UUID | None = None) -> None:
        """A place, in the track and stream they wished for where it has one."""
        with transaction.atomic():
            if self.round.lock().free_places == 0:
                raise RuleBroken(
                    f"{self.round} has no free place: put {self.person} on the waitlist.", code="no-place"
                )
            self._turn(self.State.ADMITTED, whence=(self.State.SUBMITTED, self.State.WAITLISTED), by=by)
            self.enrollment.admit(by=by)
            self._place_as_wished(by)

    def admit_or_wait(self, *, by: UUID | None = None, on_appeal: bool = False) -> None:
        """Decided for them: a place where there is one, else the next on the waitlist, which no appeal finds full."""
        with transaction.atomic():
            if self.round.lock().free_places == 0:
                self.put_on_waitlist(by=by, on_appeal=on_appeal)
            else:
                self.admit(by=by)

    def _place_as_wished(self, by: UUID | None) -> None:
        stream = self.stream if self.stream is not None and self.stream.lock().has_place else None
        self.enrollment.place(track=self.track, stream=stream, by=by)

    def put_on_waitlist(self, *, by: UUID | None = None, on_appeal: bool = False) -> None:
        """Next in line, behind those who wait already."""
        with transaction.atomic():
            round = self.round.lock()
            waiting = round.applications.waiting()
            if not on_appeal and waiting.count() >= round.waitlist_places:
                raise RuleBroken(f"The waitlist of {round} is full.", code="no-place")
            last = round.applications.aggregate(last=Max("waitlist_position"))["last"] or 0
            self._turn(
                self.State.WAITLISTED, whence=(self.State.SUBMITTED,), by=by, waitlist_position=last + 1
            )

    def turn_down(self, *, by: UUID | None = None) -> None:
        """No place. Only a decision that stands leads here."""
        whence = (self.State.SUBMITTED, self.State.WAITLISTED)
        self._turn(self.State.NOT_ADMITTED, whence=whence, by=by)
        self._leave()

    def decline(self, *, by: UUID | None = None) -> "Application | None":
        """The applicant does not take the place: the first who waits gets it, if it is still there to give."""
        with transaction.atomic():
            round = self.round.lock()
            self._turn(self.State.DECLINED, whence=(self.State.ADMITTED,), by=by)
            self._leave()
            first = None if round.free_places == 0 else round.applications.waiting().first()
            if first is not None:
                first.admit(by=by)
        return first

    def _leave(self) -> None:
        self.enrollment.leave()

    def _turn(self, state: str, *, whence: tuple[str, ...], by: UUID | None = None, **values: Any) -> None:
        """One conditional update, and its event."""
        values = {"waitlist_position": None, "answered_at": Now(), **values}
        if state == self.State.SUBMITTED:
            values.pop("answered_at")
        with transaction.atomic():
            here = Application.objects.filter(pk=self.pk, state__in=whence)
            if not here.update(state=state, **values):
                self.refresh_from_db(fields=["state"])
                raise RuleBroken(
                    f"This application is {self.get_state_display()}: that is no longer possible.",
                    code="state",
                )
            self.refresh_from_db()
            Event.objects.write(
                f"application.{state}",
                program=self.round.cohort.program.public_id,
                subject=self.public_id,
                actor=by,
            )
