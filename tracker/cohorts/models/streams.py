"""Track, Stream: the parts of a cohort that people are in."""

import uuid
from typing import Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import Q

from tracker.cohorts.models.cohorts import Cohort, Track
from tracker.cohorts.models.stages import MOST_PLACES
from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import Person, Role, Visitor


class StreamQuerySet(TrackedQuerySet["Stream"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(track__cohort__in=Cohort.objects.visible_to(user))

    def open_in(self, track: Track, *, name: str, places: int | None = None) -> "Stream":
        """A new stream of a track."""
        stream: Stream = self.create(track=track, name=name, places=places)
        return stream


class Stream(Tracked):
    """A part of a track with its own mentors, such as one team or topic."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    track = models.ForeignKey(Track, on_delete=models.PROTECT, related_name="streams")
    name = models.CharField(max_length=200)
    places = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: as many as the track.")
    mentors = models.ManyToManyField(Person, blank=True, related_name="streams")

    objects = StreamQuerySet.as_manager()

    class Meta:
        ordering = ("track", "name")
        constraints = (
            models.UniqueConstraint(fields=["track", "name"], name="one_stream_per_name_in_a_track"),
            models.CheckConstraint(
                condition=Q(places=None) | Q(places__gte=1), name="a_stream_has_a_place_or_no_limit"
            ),
            models.CheckConstraint(
                condition=Q(places=None) | Q(places__lte=MOST_PLACES),
                name="a_stream_has_10000_places_at_most",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.track})"

    def lock(self) -> "Stream":
        """Those who would take the same last place wait for each other."""
        return Stream.objects.select_for_update().get(pk=self.pk)

    @property
    def has_place(self) -> bool:
        return self.places is None or self.enrollments.active().count() < self.places

    def assign(self, mentors: list[Person], *, by: UUID | None = None) -> None:
        """Who mentors in this stream from now on."""
        for person in mentors:
            if person.program_id != self.track.cohort.program_id or not person.holds(Role.MENTOR, Role.LEAD):
                raise RuleBroken(
                    f"{person} is no mentor of {self.track.cohort.program}.",
                    field="mentors",
                    code="no-mentor",
                )
        with transaction.atomic():
            self.mentors.set(mentors)
            Event.objects.write(
                "stream.mentored",
                program=self.track.cohort.program.public_id,
                subject=self.public_id,
                actor=by,
                mentors=sorted(str(person.public_id) for person in mentors),
            )
