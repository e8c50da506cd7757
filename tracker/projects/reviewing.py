"""A stage's people, rated themselves: for programs whose readers judge how somebody does, besides single pieces."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from tracker.cohorts.models import Enrollment, Stage
from tracker.errors import RuleBroken
from tracker.people.models import Program
from tracker.projects.models import Output


def without_review(stage: Stage) -> QuerySet[Enrollment]:
    """Those in a stage who have no standing review of it."""
    reviews = Output.objects.standing().filter(kind=Output.Kind.STAGE_REVIEW, stage=stage)
    return Enrollment.objects.of_stage(stage).exclude(person__in=reviews.values("project__person"))


def open_reviews(stage: Stage, *, by: UUID | None = None) -> int:
    """Open the review of everybody in a stage who has none, to be read and rated as all outputs are; how many."""
    if stage.has_been_read:
        raise RuleBroken(
            f"The reading of {stage} has closed: nobody could rate these reviews.", code="reading-closed"
        )
    with transaction.atomic():
        # The lock makes a second click wait, and find nobody left.
        Program.objects.select_for_update().get(pk=stage.cohort.program_id)
        lacking = list(without_review(stage).select_related("person"))
        for enrollment in lacking:
            Output.objects.publish_personal(
                enrollment.person, cohort=stage.cohort, kind=Output.Kind.STAGE_REVIEW, stage=stage, by=by
            )
    return len(lacking)
