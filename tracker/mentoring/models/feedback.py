"""Feedback: what a mentor says to a team, and that it was read."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import READERS, STAFF, Person, Visitor
from tracker.projects.models import Output, Project
from tracker.projects.models.closeness import projects_yet_to_read
from tracker.wording import worded


class FeedbackQuerySet(TrackedQuerySet["Feedback"]):
    def visible_to(self, user: Visitor) -> Self:
        """Whoever may see the project, save of an output that they may not see.

        Who has yet to rate some of it reads only what they said themselves.
        """
        of_seen = Q(output=None) | Q(output__in=Output.objects.visible_to(user))
        heard = Q(author__in=Person.objects.of(user)) | ~Q(project__in=projects_yet_to_read(user))
        return self.filter(of_seen, heard, project__in=Project.objects.visible_to(user))

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
        text = worded(text, "Write the feedback before sending it.")
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


class Feedback(Tracked):
    history_is_for_leads = True

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
