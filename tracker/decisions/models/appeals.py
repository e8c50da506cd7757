"""Appeal: the person's own word against an end, heard by somebody who had no part in it."""

import uuid
from collections.abc import Iterator
from typing import Self

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from tracker.decisions.models.decisions import StageDecision
from tracker.decisions.models.outcomes import Outcome, decided_by, demand_decider, demand_distance
from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.people.models import Person, Visitor
from tracker.wording import worded


class AppealQuerySet(TrackedQuerySet["Appeal"]):
    def visible_to(self, user: Visitor) -> Self:
        """Those who decide, and whose appeal it is."""
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        own = Q(decision__enrollment__person__in=Person.objects.of(user))
        return self.filter(decided_by(user, "decision__stage", about="decision__enrollment") | own)

    def open(self) -> Self:
        return self.filter(heard_at=None)

    def hindrances_to_merging(self, name: str, *, kept: Person, doubled: Person) -> Iterator[str]:
        """Somebody else hears it, under no second entry either."""
        for hearer, other in ((kept, doubled), (doubled, kept)):
            heard = self.filter(heard_by=hearer)
            part = Q(decided_by=other) | Q(seconded_by=other) | Q(decision__enrollment__person=other)
            if name == "heard_by" and heard.filter(part).exists():
                yield f"{hearer} heard an appeal in which {other} had a part: these are two people."

    def make(self, decision: StageDecision, *, by: Person, words: str) -> "Appeal":
        """The person whose place is to end says why it should not, within the time there is."""
        if by.pk != decision.enrollment.person_id:
            raise RuleBroken("Only the person themselves appeals.", code="not-yours")
        words = worded(words, "Say why the decision should not stand.", field="words", code="words-missing")
        with transaction.atomic():
            StageDecision.objects.select_for_update(of=("self",)).get(pk=decision.pk)
            decision.refresh_from_db()
            decider, reader = decision.decider, decision.second_reader
            if decider is None or reader is None or not decision.can_be_appealed:
                raise RuleBroken(
                    "An appeal is possible once, within 14 days after a second reader agreed to an end.",
                    code="no-appeal",
                )
            appeal: Appeal = self.create(
                decision=decision, words=words, decided_by=decider, seconded_by=reader
            )
            decision.write("decision.appealed", actor=by)
        return appeal


class Appeal(Tracked):
    history_is_for_leads = True

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    decision = models.OneToOneField(StageDecision, on_delete=models.PROTECT, related_name="appeal")
    words = models.TextField()
    made_at = models.DateTimeField(default=timezone.now, editable=False)
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    seconded_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    heard_by = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="appeals_heard"
    )
    upholds = models.BooleanField(null=True, blank=True, help_text="Whether the end stands.")
    reasons = models.TextField(blank=True)
    heard_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = AppealQuerySet.as_manager()

    class Meta:
        ordering = ("-made_at",)
        constraints = (
            models.CheckConstraint(condition=~Q(words=""), name="an_appeal_says_why"),
            models.CheckConstraint(
                condition=Q(heard_by=None) | (~Q(heard_by=F("decided_by")) & ~Q(heard_by=F("seconded_by"))),
                name="an_appeal_is_heard_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=Q(heard_by=None, upholds=None, heard_at=None)
                | (Q(heard_by__isnull=False, upholds__isnull=False, heard_at__isnull=False) & ~Q(reasons="")),
                name="an_appeal_is_decided_with_reasons",
            ),
        )

    def __str__(self) -> str:
        return f"Appeal of {self.decision.enrollment.person}"

    def hear(
        self,
        *,
        by: Person,
        upholds: bool,
        reasons: str,
        instead: str = Outcome.GO_ON,
        weeks: int | None = None,
    ) -> None:
        """Somebody else lets the end stand, or overturns it and says what happens instead."""
        self._demand_hearer(by)
        reasons = worded(reasons, "Give the reasons.", field="reasons", code="reasons-missing")
        with transaction.atomic():
            heard = Appeal.objects.open().filter(pk=self.pk)
            values = {"heard_by": by, "upholds": upholds, "reasons": reasons}
            if not heard.update(heard_at=timezone.now(), **values):
                raise RuleBroken("This appeal has been decided already.", code="already-heard")
            self.refresh_from_db()
            self.decision.write("appeal.upheld" if upholds else "appeal.overturned", actor=by)
            if upholds:
                self.decision.uphold()
            else:
                StageDecision.objects.instead(self, outcome=instead, weeks=weeks)

    def _demand_hearer(self, person: Person) -> None:
        demand_decider(person, self.decision.stage)
        demand_distance(person, self.decision.person)
        if person.pk in (self.decided_by_id, self.seconded_by_id):
            raise RuleBroken(
                f"{person} had a part in the decision: somebody else hears the appeal.", code="own-decision"
            )
