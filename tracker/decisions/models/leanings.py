"""Leaning: what a decider says before seeing the proposal. Proposal: what the fit and the gate's rule say then."""

import uuid
from collections.abc import Iterator
from typing import Any, Self

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from tracker.cohorts.models import Enrollment, Stage
from tracker.decisions.models.decisions import StageDecision
from tracker.decisions.models.gates import GateRule
from tracker.decisions.models.outcomes import (
    Answer,
    Outcome,
    decided_by,
    demand_decider,
    demand_place,
)
from tracker.errors import RuleBroken
from tracker.estimates.models import Fit
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import Person, Visitor
from tracker.wording import wording


class LeaningQuerySet(TrackedQuerySet["Leaning"]):
    def open(self) -> Self:
        """Those that no decision has followed yet."""
        return self.filter(closed_at=None)

    def visible_to(self, user: Visitor) -> Self:
        """A decider's own, and those about whom it is decided: nobody's leaning or proposal leads another's.

        More evidence, or an end that did not stand, asks everybody again: whoever leans then has seen nothing before.
        """
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        own = Q(decider__in=Person.objects.of(user))
        settled = (
            StageDecision.objects.standing()
            .exclude(outcome=Outcome.MORE_EVIDENCE)
            .filter(enrollment=OuterRef("enrollment"), stage=OuterRef("stage"))
        )
        return self.filter(
            decided_by(user, "stage", about="enrollment"), own | Q(Exists(settled), closed_at__isnull=False)
        )

    def hindrances_to_merging(self, name: str, *, kept: Person, doubled: Person) -> Iterator[str]:
        """Nobody leans about themselves."""
        for decider, person in ((kept, doubled), (doubled, kept)):
            if name == "decider" and self.filter(decider=decider, enrollment__person=person).exists():
                yield f"{decider} leaned in a decision about {person}: these are two people."

    def merge_people(self, name: str, *, kept: Person, doubled: Person) -> None:
        """Of two open leanings about one person the kept entry's stays open."""
        for leaning in self.open().filter(decider=kept):
            twice = self.open().filter(decider=doubled, enrollment=leaning.enrollment_id)
            twice.filter(stage=leaning.stage_id).update(closed_at=timezone.now())
        self.filter(decider=doubled).update(decider=kept)

    def say(
        self, *, enrollment: Enrollment, stage: Stage, decider: Person, outcome: str, why: str = ""
    ) -> "Leaning":
        """The decider says first; it is not taken back."""
        demand_decider(decider, stage)
        demand_place(enrollment, stage)
        stage.cohort.demand_open()
        if decider.pk == enrollment.person_id:
            raise RuleBroken("Nobody decides about themselves.", code="own-decision")
        if outcome not in Outcome.values:
            raise RuleBroken(f"Lean to one of: {', '.join(Outcome.values)}.", field="outcome")
        why = wording(why, field="why")
        with transaction.atomic():
            Enrollment.objects.select_for_update(of=("self",)).get(pk=enrollment.pk)
            if self.open().filter(enrollment=enrollment, stage=stage, decider=decider).exists():
                raise RuleBroken(
                    f"{decider} has said already: the proposal is shown, and a decision is next.",
                    code="said-already",
                )
            StageDecision.objects.demand_open(enrollment, stage)
            leaning: Leaning = self.create(
                enrollment=enrollment, stage=stage, decider=decider, outcome=outcome, why=why
            )
            Event.objects.write(
                "leaning.said",
                program=stage.cohort.program.public_id,
                subject=leaning.public_id,
                actor=decider.public_id,
            )
        return leaning


class Leaning(Tracked):
    """What somebody who decides would do, said before the proposal is shown. It never changes."""

    history_is_for_leads = True

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    enrollment = models.ForeignKey(Enrollment, on_delete=models.PROTECT, related_name="leanings")
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="leanings")
    decider = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="leanings")
    outcome = models.CharField(max_length=20, choices=Outcome)
    why = models.TextField(blank=True)
    said_at = models.DateTimeField(default=timezone.now, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = LeaningQuerySet.as_manager()

    class Meta:
        ordering = ("-said_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=["enrollment", "stage", "decider"],
                condition=Q(closed_at=None),
                name="a_decider_has_one_open_leaning_about_a_person",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=Outcome.values), name="a_leaning_is_to_one_of_the_outcomes"
            ),
        )

    def __str__(self) -> str:
        return f"{self.decider} leans to {self.get_outcome_display()}"

    def close(self) -> None:
        """A decision followed: what others had said of the same is closed with it."""
        same = Leaning.objects.open().filter(enrollment=self.enrollment, stage=self.stage)
        same.update(closed_at=timezone.now())


class ProposalQuerySet(TrackedQuerySet["Proposal"]):
    def visible_to(self, user: Visitor) -> Self:
        """As the leaning that it follows."""
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        return self.filter(leaning__in=Leaning.objects.visible_to(user))


class Proposal(Tracked):
    """What was proposed to a decider who had said their leaning. It never changes."""

    history_is_for_leads = True

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    leaning = models.ForeignKey(Leaning, on_delete=models.PROTECT, related_name="proposals")
    rule = models.ForeignKey(
        GateRule, on_delete=models.PROTECT, null=True, blank=True, related_name="proposals"
    )
    fit = models.ForeignKey(Fit, on_delete=models.PROTECT, null=True, blank=True, related_name="proposals")
    answer = models.CharField(max_length=20, choices=Answer)
    outcome = models.CharField(
        max_length=20, choices=Outcome, blank=True, help_text="Empty: the choice is the decider's."
    )
    through = models.FloatField(null=True, blank=True)
    symmetric = models.FloatField(null=True, blank=True)
    readers = models.PositiveIntegerField(default=0)
    against = models.PositiveIntegerField(default=0)
    good_pieces = models.PositiveIntegerField(default=0)
    has_failed_check = models.BooleanField(default=False)
    is_drawn = models.BooleanField(null=True, blank=True, help_text="Whether the lottery gave a place.")
    shown_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ProposalQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        constraints = (
            models.CheckConstraint(
                condition=~Q(answer="clear_no")
                | Q(readers__gte=2, against__gte=2)
                | Q(readers__gte=2, has_failed_check=True),
                name="a_clear_no_needs_two_readers_or_a_failed_check",
            ),
            models.CheckConstraint(
                condition=~Q(answer="clear_yes") | Q(good_pieces__gte=2),
                name="a_clear_yes_needs_a_second_good_result",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="end") | Q(answer="clear_no"), name="only_a_clear_no_proposes_an_end"
            ),
        )

    def __str__(self) -> str:
        return f"{self.leaning.enrollment.person}: {self.get_answer_display()}"

    @property
    def fits_disagree(self) -> bool:
        """Whether the two ways of seeing luck fall on different sides of a threshold."""
        if self.rule is None or self.through is None or self.symmetric is None:
            return False
        sides = [(chance >= self.rule.yes_from, chance <= self.rule.no_to) for chance in self._chances]
        return sides[0] != sides[1]

    @property
    def _chances(self) -> tuple[float, float]:
        assert self.through is not None
        assert self.symmetric is not None
        return self.through, self.symmetric

    def demand_fresh(self) -> None:
        """A decision rests on the newest proposal, which rests on the current fit and the standing rule."""
        program = self.leaning.stage.cohort.program
        is_newest = not self.leaning.proposals.filter(pk__gt=self.pk).exists()
        fit = Fit.objects.current().filter(program=program).values_list("pk", flat=True).first()
        rules = GateRule.objects.standing().filter(stage=self.leaning.stage)
        rule = rules.values_list("pk", flat=True).first()
        if not is_newest or (self.fit_id, self.rule_id) != (fit, rule):
            raise RuleBroken(
                "The picture or the rule has changed since this was proposed: look at it again.",
                code="proposal-old",
            )

    def says(self) -> dict[str, Any]:
        """Everything but whose it is and when: two that say the same are one."""
        names = ("answer", "outcome", "through", "symmetric", "readers", "against", "good_pieces")
        own = {name: getattr(self, name) for name in (*names, "has_failed_check", "is_drawn")}
        return {**own, "rule": self.rule_id, "fit": self.fit_id}
