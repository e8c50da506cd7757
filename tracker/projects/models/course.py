"""Bottleneck, Pivot: how a project goes, in its team's own words."""

import uuid
from typing import Self

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import Person, Visitor
from tracker.projects.models.projects import Project
from tracker.wording import LONGEST_REASON, LONGEST_TITLE, worded, wording


class BottleneckQuerySet(TrackedQuerySet["Bottleneck"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(project__in=Project.objects.visible_to(user))

    def name_it(self, project: Project, kind: str, *, by: Person, note: str = "") -> "Bottleneck":
        """What holds the project up now; what held it up before stays on record."""
        project.judge_member(by)
        if kind not in Bottleneck.Kind.values:
            raise RuleBroken(f"Choose one of {', '.join(Bottleneck.Kind.labels)}.", field="kind")
        note = wording(note, field="note", longest=LONGEST_TITLE)
        bottleneck: Bottleneck = self.create(project=project, kind=kind, note=note, named_by=by)
        return bottleneck


class Bottleneck(Tracked):
    """What a project lacks most, as its team says. Never changed: the next one is another row."""

    class Kind(models.TextChoices):
        IDEAS = "ideas", "ideas"
        EXECUTION = "execution", "execution"
        EVIDENCE = "evidence", "evidence"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="bottlenecks")
    kind = models.CharField(max_length=10, choices=Kind)
    note = models.CharField(max_length=300, blank=True)
    named_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    named_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = BottleneckQuerySet.as_manager()

    class Meta:
        ordering = ("-named_at", "-pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(kind__in=("ideas", "execution", "evidence")),
                name="a_bottleneck_is_ideas_execution_or_evidence",
            ),
        )

    def __str__(self) -> str:
        return self.get_kind_display()


class PivotQuerySet(TrackedQuerySet["Pivot"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(project__in=Project.objects.visible_to(user))

    def take(self, project: Project, *, title: str, summary: str, reasons: str, by: Person) -> "Pivot":
        """Go on with another question: neither a failure nor a new start, so clock and evidence stay."""
        project.judge_member(by)
        if project.state != Project.State.ACTIVE:
            raise RuleBroken("Only an active project takes another direction.", code="not-active")
        title, reasons = (
            worded(text, "Give the new question and what led to it.", field=field, longest=longest)
            for field, text, longest in (
                ("title", title, LONGEST_TITLE),
                ("reasons", reasons, LONGEST_REASON),
            )
        )
        with transaction.atomic():
            pivot: Pivot = self.create(
                project=project,
                from_title=project.title,
                from_summary=project.summary,
                reasons=reasons,
                taken_by=by,
            )
            project.retitle(title=title, summary=summary)
            program = project.program.public_id
            Event.objects.write(
                "project.pivoted", program=program, subject=project.public_id, actor=by.public_id
            )
        return pivot


class Pivot(Tracked):
    """What a project asked before, and why it asks something else now."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="pivots")
    from_title = models.CharField(max_length=300)
    from_summary = models.TextField(blank=True)
    reasons = models.TextField(max_length=2000)
    taken_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    taken_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = PivotQuerySet.as_manager()

    class Meta:
        ordering = ("-taken_at", "-pk")
        constraints = (models.CheckConstraint(condition=~Q(reasons=""), name="a_pivot_has_its_reasons"),)

    def __str__(self) -> str:
        return f"from {self.from_title}"
