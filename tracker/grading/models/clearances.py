"""Clearance: that a submission passed both cheap phases. Without one the database takes no thorough run."""

from typing import Self
from uuid import UUID

from django.db import models
from django.db.models.functions import Now

from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.grading.models.artifacts import Artifact
from tracker.grading.models.runs import Run
from tracker.grading.models.submissions import Submission
from tracker.people.models import Visitor


class ClearanceQuerySet(TrackedQuerySet["Clearance"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(submission__in=Submission.objects.visible_to(user))

    def grant(self, safety: Run, *, let_through_by: UUID | None = None) -> "Clearance":
        """What a passed safety check gives, or a person who lets through what it raised."""
        submission = safety.submission
        passed = submission.runs.filter(phase=Run.Phase.QUALIFICATION, state=Run.State.SUCCEEDED)
        same = passed.filter(pk__lt=safety.pk, benchmark=safety.benchmark)
        qualification = same.order_by("-pk").first()
        if qualification is None:
            raise RuleBroken("This submission has not passed its first check.", code="not-qualified")
        clearance: Clearance = self.create(
            submission=submission,
            artifact_id=submission.artifact_id,
            benchmark_hash=safety.benchmark.content_hash,
            qualification=qualification,
            safety=safety,
            let_through_by=let_through_by,
        )
        return clearance


class Clearance(Tracked):
    """Never changed; the rules across rows are in ``guards.py``."""

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="clearances")
    artifact = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="clearances")
    benchmark_hash = models.CharField(max_length=64, editable=False)
    qualification = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="qualified")
    safety = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="found_safe")
    let_through_by = models.UUIDField(
        null=True, blank=True, editable=False, help_text="Public id of the user who let it through."
    )
    granted_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ClearanceQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"clearance of {self.submission}"
