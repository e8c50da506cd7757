"""Feedback: what a mentor says to a team, and that it was read."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.people.models import READERS, STAFF, Person, Visitor
from tracker.projects.models import Output, Project


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    def visible_to(self, user: Visitor) -> Self:
        """Whoever may see the project may read what was said to its team."""
        return self.filter(project__in=Project.objects.visible_to(user))

    def waiting(self) -> Self:
        return self.filter(acknowledged_at=None)

    def give(
        self,
        *,
        project: Project,
        author: Person,
        text: str,
        output: Output | None = None,
        given_at: datetime | None = None,
    ) -> "Feedback":
        if not text.strip():
            raise RuleBroken("Write the feedback before sending it.", field="text", code="text-missing")
        if author.program_id != project.program_id or not author.holds(*READERS, *STAFF):
            raise RuleBroken(f"{author} gives no feedback in {project.program}.", code="not-a-reader")
        if output is not None and output.project_id != project.pk:
            raise RuleBroken("This output belongs to another project.", field="output", code="other-project")
        with transaction.atomic():
            feedback: Feedback = self.create(
                project=project,
                author=author,
                text=text,
                output=output,
                given_at=given_at or timezone.now(),
            )
            Event.objects.write(
                "feedback.given",
                program=project.program.public_id,
                subject=project.public_id,
                actor=author.public_id,
            )
        return feedback


class Feedback(models.Model):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="feedback")
    output = models.ForeignKey(
        Output, on_delete=models.PROTECT, null=True, blank=True, related_name="feedback"
    )
    author = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="feedback_given")
    text = models.TextField(max_length=10_000)
    given_at = models.DateTimeField(default=timezone.now, editable=False)
    acknowledged_at = models.DateTimeField(null=True, blank=True, editable=False)
    acknowledged_by = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        ordering = ("-given_at", "-pk")
        verbose_name_plural = "feedback"
        constraints = (
            models.CheckConstraint(
                condition=Q(acknowledged_at=None, acknowledged_by=None)
                | Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False),
                name="feedback_is_acknowledged_by_somebody",
            ),
        )

    def __str__(self) -> str:
        return f"{self.author} to {self.project}"

    def acknowledge(self, *, by: Person) -> None:
        """Somebody of the team has read it."""
        if not self.project.authors().filter(pk=by.pk).exists():
            raise RuleBroken(
                "Only an author of the project can acknowledge its feedback.", code="not-an-author"
            )
        if self.acknowledged_at is None:
            self.acknowledged_at = timezone.now()
            self.acknowledged_by = by
            self.save(update_fields=["acknowledged_at", "acknowledged_by"])
