"""How a decision about somebody comes about, and who sees which."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.utils import timezone

from tracker.cohorts.models import Enrollment, Stage
from tracker.decisions.models.outcomes import (
    Origin,
    Outcome,
    Undone,
    decided_by,
    demand_decider,
    demand_no_extension,
    demand_place,
    demand_weeks,
)
from tracker.decisions.rules import DecisionDraft
from tracker.errors import RuleBroken
from tracker.estimates.models import Fit
from tracker.events.history import TrackedQuerySet
from tracker.people.models import Person, Program, Role, Visitor

if TYPE_CHECKING:
    from tracker.decisions.models.appeals import Appeal
    from tracker.decisions.models.decisions import StageDecision
    from tracker.decisions.models.leanings import Proposal

# What the person is told: an end once a second reader agrees, everything else at once.
TOLD = ~Q(outcome=Outcome.END) | Q(second_agrees=True)


class StageDecisionQuerySet(TrackedQuerySet["StageDecision"]):
    def visible_to(self, user: Visitor) -> Self:
        """Deciders see all of their program's about others; everybody their own, an end once a second reader agrees.

        A program's key sees what people are told, and no sooner: nothing is sent out that may not come to be.
        """
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        own = Q(enrollment__person__in=Person.objects.of(user))
        by_key = Q(stage__cohort__program__in=Program.objects.where(user, Role.CLIENT))
        return self.filter(decided_by(user, "stage", about="enrollment") | (own | by_key) & TOLD)

    def standing(self) -> Self:
        return self.filter(replaced_at=None)

    def standing_as_told(self) -> Self:
        """What stands as far as the person knows."""
        return self.filter(Q(replaced_at=None) | self._replaced_in_silence())

    def with_what_is_told(self) -> Self:
        """Adds ``told_replaced_at`` and ``told_undone``: what those know who are told no more than the person."""
        return self.annotate(
            told_replaced_at=Case(When(self._replaced_in_silence(), then=None), default=F("replaced_at")),
            told_undone=Case(When(self._replaced_in_silence(), then=Value("")), default=F("undone")),
        )

    def _replaced_in_silence(self) -> Q:
        """Decided again by an end that nobody has seconded yet: for the person it replaces nothing."""
        same = {"enrollment": OuterRef("enrollment"), "stage": OuterRef("stage"), "pk__gt": OuterRef("pk")}
        told_since = self.model.objects.filter(TOLD, **same)
        return Q(~Exists(told_since), undone=Undone.DECIDED_AGAIN)

    def of(self, user: Visitor) -> Self:
        """What was decided about this user themselves."""
        return self.visible_to(user).filter(enrollment__person__in=Person.objects.of(user))

    def awaiting_a_second_reader(self) -> Self:
        return self.standing().filter(outcome=Outcome.END, second_agrees=None)

    def awaiting_effect(self) -> Self:
        """Ends that were seconded, whose appeal is open or may still come."""
        return self.standing().filter(outcome=Outcome.END, second_agrees=True, took_effect_at=None)

    def hindrances_to_merging(self, name: str, *, kept: Person, doubled: Person) -> Iterator[str]:
        """Nobody seconds their own decision or decides about themselves, under no second entry either."""
        for decider, reader in ((kept, doubled), (doubled, kept)):
            if name == "decider" and self.filter(decider=decider, second_reader=reader).exists():
                yield f"{reader} was second reader of a decision by {decider}: these are two people."
            about = self.filter(enrollment__person=reader)
            if name == "decider" and about.filter(Q(decider=decider) | Q(second_reader=decider)).exists():
                yield f"{decider} had a part in a decision about {reader}: these are two people."

    def demand_open(self, enrollment: Enrollment, stage: Stage) -> "StageDecision | None":
        """The standing decision where it asks for more evidence, or none; any other stands."""
        standing: StageDecision | None = self.standing().filter(enrollment=enrollment, stage=stage).first()
        if standing is not None and standing.outcome != Outcome.MORE_EVIDENCE:
            raise RuleBroken(
                f"It is decided already: {standing.get_outcome_display()}. That decision stands.",
                code="decided",
            )
        return standing

    def decide(self, proposal: "Proposal", **values: Any) -> "StageDecision":
        """Whoever has said their leaning and seen the proposal decides, with reasons and a forecast."""
        leaning = proposal.leaning
        stage, enrollment, decider = leaning.stage, leaning.enrollment, leaning.decider
        demand_decider(decider, stage)
        demand_place(enrollment, stage)
        stage.cohort.demand_open()
        draft = DecisionDraft(**values)
        draft.check()
        demand_no_extension(stage, draft.outcome)
        draft.check_notice(stage)
        with transaction.atomic():
            Enrollment.objects.select_for_update(of=("self",)).get(pk=enrollment.pk)
            earlier = self.demand_open(enrollment, stage)
            proposal.demand_fresh()
            if earlier is not None:
                earlier.undo(Undone.DECIDED_AGAIN)
            decision = self._enter(
                enrollment, stage, decider=decider, leaning=leaning, proposal=proposal, **draft.values()
            )
            leaning.close()
        return decision

    def by_silence(self, enrollment: Enrollment, stage: Stage) -> "StageDecision":
        """Nobody decided in time: the stage's default, which is never to end."""
        with transaction.atomic():
            Enrollment.objects.select_for_update(of=("self",)).get(pk=enrollment.pk)
            earlier = self.demand_open(enrollment, stage)
            if earlier is not None:
                earlier.undo(Undone.DECIDED_AGAIN)
            return self._enter(
                enrollment,
                stage,
                origin=Origin.SILENCE,
                outcome=stage.default,
                weeks=stage.default_weeks if stage.default == Stage.Default.EXTEND else None,
                reasons=f"Nobody had decided by {stage.decisions_due_on:%-d %B %Y}: this is the default.",
            )

    def instead(self, appeal: "Appeal", *, outcome: str, weeks: int | None) -> "StageDecision":
        """An appeal overturned an end: they go on, or have more time."""
        overturned = appeal.decision
        if outcome not in (Outcome.GO_ON, Outcome.EXTEND):
            raise RuleBroken("Instead of an end: go on or extend.", field="instead", code="instead")
        if outcome == Outcome.EXTEND:
            demand_weeks(weeks)
        demand_no_extension(overturned.stage, outcome, field="instead")
        with transaction.atomic():
            overturned.undo(Undone.OVERTURNED)
            return self._enter(
                overturned.enrollment,
                overturned.stage,
                origin=Origin.APPEAL,
                decider=appeal.heard_by,
                appealed=appeal,
                outcome=outcome,
                weeks=weeks if outcome == Outcome.EXTEND else None,
                reasons=appeal.reasons,
            )

    def _enter(self, enrollment: Enrollment, stage: Stage, **values: Any) -> "StageDecision":
        program, now = stage.cohort.program, timezone.now()
        decision: StageDecision = self.create(
            enrollment=enrollment,
            stage=stage,
            fit=Fit.objects.current().filter(program=program).first(),
            decided_at=now,
            took_effect_at=None if values["outcome"] == Outcome.END else now,
            **values,
        )
        decision.write("decision.made", actor=decision.decider, outcome=decision.outcome)
        if decision.took_effect_at is not None:
            decision.carry_out()
        return decision
