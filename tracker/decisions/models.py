"""StageDecision: what a named person decided about somebody in a stage, and why."""

import uuid
from typing import Self

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from tracker.cohorts.models import Enrollment, Stage
from tracker.errors import RuleBroken
from tracker.estimates.models import Fit
from tracker.events.models import Event
from tracker.people.models import Person, Program, Role, Visitor


class StageDecisionQuerySet(models.QuerySet["StageDecision"]):
    def visible_to(self, user: Visitor) -> Self:
        """Deciders see all of their program's; a person their own."""
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        deciding = Program.objects.where(user, Role.LEAD, Role.COMMITTEE)
        return self.filter(
            Q(stage__cohort__program__in=deciding) | Q(enrollment__person__in=Person.objects.of(user))
        )

    def decide(
        self, *, enrollment: Enrollment, stage: Stage, decider: Person, outcome: str, reasons: str
    ) -> "StageDecision":
        """A named person decides, with reasons; the estimate of that moment is kept with it."""
        program = stage.cohort.program
        if stage.cohort_id != enrollment.cohort_id:
            raise RuleBroken(f"{stage} is not a stage of {enrollment.cohort}.", code="other-cohort")
        if decider.program_id != program.pk or not decider.holds(Role.LEAD, Role.COMMITTEE):
            raise RuleBroken(f"{decider} does not decide in {program}.", code="not-a-decider")
        if decider.pk == enrollment.person_id:
            raise RuleBroken("Nobody decides about themselves.", code="own-decision")
        if not reasons.strip():
            raise RuleBroken("Give the reasons of the decision.", field="reasons", code="reasons-missing")
        if outcome == StageDecision.Outcome.END:
            raise RuleBroken(
                "To end somebody's place takes a second reader and an appeal, which are not open yet:"
                " choose another outcome.",
                field="outcome",
                code="end-not-open",
            )
        with transaction.atomic():
            decision: StageDecision = self.create(
                enrollment=enrollment,
                stage=stage,
                decider=decider,
                outcome=outcome,
                reasons=reasons,
                fit=Fit.objects.current().filter(program=program).first(),
            )
            Event.objects.write(
                "decision.made",
                program=program.public_id,
                subject=decision.public_id,
                actor=decider.public_id,
            )
        return decision


class StageDecision(models.Model):
    class Outcome(models.TextChoices):
        GO_ON = "go_on", "go on"
        EXTEND = "extend", "extend"
        MORE_EVIDENCE = "more_evidence", "more evidence"
        END = "end", "end"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    enrollment = models.ForeignKey(Enrollment, on_delete=models.PROTECT, related_name="decisions")
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="decisions")
    decider = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="decisions_made")
    outcome = models.CharField(max_length=20, choices=Outcome)
    reasons = models.TextField()
    fit = models.ForeignKey(
        Fit,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text="What the estimates said at that moment.",
    )
    decided_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = StageDecisionQuerySet.as_manager()

    class Meta:
        ordering = ("-decided_at",)
        constraints = (
            models.UniqueConstraint(fields=["enrollment", "stage"], name="one_decision_per_person_and_stage"),
            models.CheckConstraint(condition=~Q(reasons=""), name="a_decision_has_reasons"),
        )

    def __str__(self) -> str:
        return f"{self.enrollment.person}: {self.get_outcome_display()}"
