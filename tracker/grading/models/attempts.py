"""Attempt: one try of one worker at a run."""

from typing import Self

from django.db import models
from django.db.models.functions import Now

from tracker.people.models import Visitor
from tracker.projects.models import Project


class AttemptQuerySet(models.QuerySet["Attempt"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(run__submission__project__in=Project.objects.visible_to(user))


class Attempt(models.Model):
    """One try of one worker at a run."""

    class Ending(models.TextChoices):
        ENDED = "ended", "came to an end"
        CRASHED = "crashed", "crashed"
        LOST = "lost", "worker lost"
        DRAINED = "drained", "given back"

    run = models.ForeignKey("grading.Run", on_delete=models.PROTECT, related_name="attempt_rows")
    number = models.PositiveIntegerField()
    owner = models.UUIDField()
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=10, choices=Ending, blank=True)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering = ("run", "number")
        constraints = (models.UniqueConstraint(fields=["run", "number"], name="one_attempt_per_number"),)

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.run}"
