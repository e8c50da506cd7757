"""Milestone, DateForecast."""

import uuid
from datetime import date, datetime
from typing import Self

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import Person, Role, Visitor
from tracker.projects.models.projects import Project
from tracker.wording import LONGEST_TEXT, LONGEST_TITLE, worded


class MilestoneQuerySet(TrackedQuerySet["Milestone"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(project__in=Project.objects.visible_to(user))

    def unreached(self) -> Self:
        return self.filter(reached_at=None)

    def plan(
        self, project: Project, *, title: str, definition_of_done: str, due_on: date, by: Person
    ) -> "Milestone":
        """Something to reach, and how anybody can tell that it is reached. Planned again it is the same."""
        project.judge_member(by)
        title, definition_of_done = (
            worded(text, "Say what it is and when it counts as done.", field=field, longest=longest)
            for field, text, longest in (
                ("title", title, LONGEST_TITLE),
                ("definition_of_done", definition_of_done, LONGEST_TEXT),
            )
        )
        values = {"title": title, "definition_of_done": definition_of_done, "due_on": due_on}
        with transaction.atomic():
            Project.objects.select_for_update().get(pk=project.pk)
            known: Milestone | None = self.filter(project=project, **values).first()
            if known is not None:
                return known
            milestone: Milestone = self.create(project=project, **values)
            milestone.tell("milestone.planned", by)
        return milestone


class Milestone(Tracked):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="milestones")
    title = models.CharField(max_length=300)
    definition_of_done = models.TextField(blank=True)
    due_on = models.DateField()
    reached_at = models.DateTimeField(null=True, blank=True)

    objects = MilestoneQuerySet.as_manager()

    class Meta:
        ordering = ("due_on", "pk")

    def __str__(self) -> str:
        return self.title

    @property
    def expected_on(self) -> date:
        """What was predicted last, or what was planned."""
        told = list(self.forecasts.all())
        return told[-1].predicted_on if told else self.due_on

    def reach(self, *, at: datetime | None = None, by: Person | None = None) -> None:
        """It is done, as its definition says; its forecasters can be scored."""
        if by is not None:
            self.project.judge_member(by)
        with transaction.atomic():
            unreached = Milestone.objects.unreached().filter(pk=self.pk)
            if not unreached.update(reached_at=at or timezone.now()):
                raise RuleBroken("This milestone has been reached already.")
            self.refresh_from_db(fields=["reached_at"])
            self.tell("milestone.reached", by)

    def predict(
        self,
        predicted_on: date,
        *,
        by: Person,
        at: datetime | None = None,
        low_on: date | None = None,
        high_on: date | None = None,
    ) -> "DateForecast":
        """When this person now thinks it will be done, perhaps with a range; every prediction is kept.

        What they said last and say again on the same day is one prediction, so that a second click adds none.
        """
        self.project.cohort.demand_open()
        made_at = at or timezone.now()
        if self.reached_at is not None and made_at > self.reached_at:
            raise RuleBroken("This milestone has been reached: there is nothing to predict.", code="reached")
        if (low_on is None) != (high_on is None) or (
            low_on and high_on and not low_on <= predicted_on <= high_on
        ):
            raise RuleBroken(
                "Give both ends of the range, with your date between them, or neither.",
                field="low_on",
                code="bad-range",
            )
        if predicted_on < timezone.localdate(made_at):
            raise RuleBroken(
                f"{predicted_on:%-d %B %Y} has passed without it: say a day to come.",
                field="predicted_on",
                code="past",
            )
        on_team = self.project.team.active().filter(person=by).exists()
        if not on_team and not (by.program_id == self.project.program_id and by.holds(Role.LEAD)):
            raise RuleBroken(f"Only the team of {self.project}, or a lead, predicts.", code="not-on-the-team")
        said = {"predicted_on": predicted_on, "low_on": low_on, "high_on": high_on}
        with transaction.atomic():
            Milestone.objects.select_for_update().get(pk=self.pk)
            # Of two at once the one that waited here speaks later, whichever began first.
            made_at = at or timezone.now()
            last = self.forecasts.filter(person=by, made_at__lte=made_at).last()
            if last is not None and last.says_the_same(said, on=timezone.localdate(made_at)):
                return last
            return self.forecasts.create(person=by, made_at=made_at, **said)

    def tell(self, kind: str, by: Person | None) -> None:
        program, actor = self.project.program.public_id, by.public_id if by else None
        Event.objects.write(kind, program=program, subject=self.public_id, actor=actor)


class DateForecastQuerySet(TrackedQuerySet["DateForecast"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(milestone__in=Milestone.objects.visible_to(user))


class DateForecast(Tracked):
    milestone = models.ForeignKey(Milestone, on_delete=models.PROTECT, related_name="forecasts")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="date_forecasts")
    predicted_on = models.DateField()
    low_on = models.DateField(null=True, blank=True, help_text="Earlier than this only once in ten times.")
    high_on = models.DateField(null=True, blank=True, help_text="Later than this only once in ten times.")
    made_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = DateForecastQuerySet.as_manager()

    class Meta:
        ordering = ("made_at", "pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(low_on=None, high_on=None)
                | Q(low_on__isnull=False, high_on__isnull=False)
                & Q(low_on__lte=F("predicted_on"), high_on__gte=F("predicted_on")),
                name="a_forecast_lies_in_its_range",
            ),
        )

    def __str__(self) -> str:
        return f"{self.milestone}: {self.predicted_on}"

    def says_the_same(self, said: dict[str, date | None], *, on: date) -> bool:
        return timezone.localdate(self.made_at) == on and all(
            getattr(self, name) == value for name, value in said.items()
        )
