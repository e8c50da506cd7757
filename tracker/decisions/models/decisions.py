"""StageDecision: what a named person decided about somebody in a stage, and why; or what silence leaves."""

import uuid
from datetime import date, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from tracker.cohorts.models import MOST_WEEKS, Enrollment, Stage
from tracker.decisions.models.deciding import StageDecisionQuerySet
from tracker.decisions.models.outcomes import Origin, Outcome, Undone, demand_decider, demand_distance
from tracker.errors import RuleBroken
from tracker.estimates.models import Fit
from tracker.events.history import Tracked
from tracker.events.models import Event
from tracker.people.models import Person
from tracker.wording import worded

APPEAL_WINDOW = timedelta(days=14)
SECOND_READING_WINDOW = timedelta(days=14)


class StageDecision(Tracked):
    history_is_for_leads = True

    Outcome = Outcome
    Origin = Origin
    Undone = Undone

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    enrollment = models.ForeignKey(Enrollment, on_delete=models.PROTECT, related_name="decisions")
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="decisions")
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.PERSON)
    decider = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="decisions_made"
    )
    outcome = models.CharField(max_length=20, choices=Outcome)
    weeks = models.PositiveSmallIntegerField(null=True, blank=True, help_text="How long an extension lasts.")
    again_on = models.DateField(null=True, blank=True, help_text="When more evidence is judged.")
    reasons = models.TextField()
    forecast = models.FloatField(
        null=True,
        blank=True,
        help_text="How probable the decider found it then that, in a year, they would decide the same.",
    )
    leaning = models.OneToOneField(
        "decisions.Leaning", on_delete=models.PROTECT, null=True, blank=True, related_name="decision"
    )
    proposal = models.OneToOneField(
        "decisions.Proposal", on_delete=models.PROTECT, null=True, blank=True, related_name="decision"
    )
    appealed = models.OneToOneField(
        "decisions.Appeal", on_delete=models.PROTECT, null=True, blank=True, related_name="decision_instead"
    )
    fit = models.ForeignKey(
        Fit,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text="What the estimates said at that moment.",
    )
    decided_at = models.DateTimeField(default=timezone.now, editable=False)
    second_reader = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="decisions_read"
    )
    second_agrees = models.BooleanField(null=True, blank=True)
    second_reasons = models.TextField(blank=True)
    second_read_at = models.DateTimeField(null=True, blank=True, editable=False)
    appeal_until = models.DateTimeField(null=True, blank=True, editable=False)
    appeal_upheld_at = models.DateTimeField(null=True, blank=True, editable=False)
    took_effect_at = models.DateTimeField(null=True, blank=True, editable=False)
    replaced_at = models.DateTimeField(null=True, blank=True, editable=False)
    undone = models.CharField(max_length=20, choices=Undone, blank=True, editable=False)

    objects = StageDecisionQuerySet.as_manager()

    class Meta:
        ordering = ("-decided_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=["enrollment", "stage"],
                condition=Q(replaced_at=None),
                name="one_standing_decision_per_person_and_stage",
            ),
            models.CheckConstraint(condition=~Q(reasons=""), name="a_decision_has_reasons"),
            models.CheckConstraint(
                condition=~Q(origin="person")
                | Q(
                    decider__isnull=False,
                    leaning__isnull=False,
                    proposal__isnull=False,
                    forecast__isnull=False,
                ),
                name="whoever_decides_says_first_and_forecasts",
            ),
            models.CheckConstraint(
                condition=Q(forecast=None) | Q(forecast__gte=0, forecast__lte=1),
                name="a_forecast_is_a_probability",
            ),
            models.CheckConstraint(
                condition=Q(origin="silence", decider=None)
                | (~Q(origin="silence") & Q(decider__isnull=False)),
                name="only_silence_has_no_decider",
            ),
            models.CheckConstraint(
                condition=~Q(origin="appeal") | Q(appealed__isnull=False),
                name="a_decision_by_appeal_has_its_appeal",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="end") | Q(origin="person"), name="only_a_person_ends"
            ),
            models.CheckConstraint(
                condition=Q(outcome="extend", weeks__isnull=False, weeks__gte=1)
                | (~Q(outcome="extend") & Q(weeks=None)),
                name="an_extension_has_its_weeks",
            ),
            models.CheckConstraint(
                condition=Q(weeks=None) | Q(weeks__lte=MOST_WEEKS), name="an_extension_has_52_weeks_at_most"
            ),
            models.CheckConstraint(
                condition=Q(second_reader=None) | Q(decider=None) | ~Q(second_reader=F("decider")),
                name="nobody_seconds_their_own_decision",
            ),
            models.CheckConstraint(
                condition=Q(second_reader=None, second_agrees=None, second_read_at=None)
                | (
                    Q(second_reader__isnull=False, second_agrees__isnull=False, second_read_at__isnull=False)
                    & ~Q(second_reasons="")
                ),
                name="a_second_reader_gives_own_reasons",
            ),
            models.CheckConstraint(
                condition=~Q(second_agrees=True)
                | Q(appeal_until__isnull=False, appeal_until__gt=F("second_read_at")),
                name="a_seconded_end_can_be_appealed",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="end")
                | Q(took_effect_at=None)
                | Q(second_agrees__isnull=False, second_agrees=True),
                name="an_end_takes_effect_with_a_second_reader",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="end")
                | Q(took_effect_at=None)
                | Q(appeal_until__isnull=False, took_effect_at__gte=F("appeal_until"))
                | Q(appeal_upheld_at__isnull=False),
                name="an_end_takes_effect_after_its_appeal",
            ),
            models.CheckConstraint(
                condition=Q(replaced_at=None, undone="") | (Q(replaced_at__isnull=False) & ~Q(undone="")),
                name="a_decision_is_replaced_for_a_reason",
            ),
        )

    def __str__(self) -> str:
        return f"{self.enrollment.person}: {self.get_outcome_display()}"

    @property
    def person(self) -> Person:
        return self.enrollment.person

    @property
    def can_be_appealed(self) -> bool:
        return (
            self.replaced_at is None
            and self.took_effect_at is None
            and self.appeal_until is not None
            and timezone.now() < self.appeal_until
            and not hasattr(self, "appeal")
        )

    def write(self, kind: str, *, actor: Person | None = None, **payload: Any) -> None:
        Event.objects.write(
            kind,
            program=self.stage.cohort.program.public_id,
            subject=self.public_id,
            actor=None if actor is None else actor.public_id,
            **payload,
        )

    def undo(self, because: str, **values: Any) -> None:
        """It stands no longer, and stays on record."""
        standing = StageDecision.objects.standing().filter(pk=self.pk)
        if not standing.update(replaced_at=timezone.now(), undone=because, **values):
            raise RuleBroken("This decision stands no longer.", code="replaced")
        self.refresh_from_db()

    def was_read_by(self, reader: Person) -> None:
        """Somebody opened what this decision rests on."""
        self.write("evidence.read", actor=reader)

    def second(self, *, reader: Person, agrees: bool, reasons: str) -> None:
        """Another person who has read the evidence agrees that somebody's place ends, or does not."""
        demand_decider(reader, self.stage)
        demand_distance(reader, self.person)
        if reader.pk == self.decider_id:
            raise RuleBroken("Nobody seconds their own decision: ask somebody else.", code="own-decision")
        reasons = worded(reasons, "Give your own reasons.", field="reasons", code="reasons-missing")
        read = Event.objects.filter(kind="evidence.read", subject=self.public_id, actor=reader.public_id)
        if not read.exists():
            raise RuleBroken("Read what it rests on first.", code="evidence-unread")
        now = timezone.now()
        values = {
            "second_reader": reader,
            "second_agrees": agrees,
            "second_reasons": reasons,
            "second_read_at": now,
        }
        with transaction.atomic():
            self._demand_unread()
            if agrees:
                StageDecision.objects.filter(pk=self.pk).update(appeal_until=now + APPEAL_WINDOW, **values)
                self.refresh_from_db()
            else:
                self.undo(self.Undone.NOT_SECONDED, **values)
            self.write("decision.seconded" if agrees else "decision.not_seconded", actor=reader)

    def _demand_unread(self) -> None:
        waiting = StageDecision.objects.awaiting_a_second_reader().select_for_update(of=("self",))
        if not waiting.filter(pk=self.pk).exists():
            raise RuleBroken("This decision waits for no second reader.", code="not-waiting")

    def lapse(self) -> None:
        """No second reader came: what one person alone decided ends nobody."""
        with transaction.atomic():
            self._demand_unread()
            self.undo(self.Undone.LAPSED)
            self.write("decision.lapsed")

    def uphold(self) -> None:
        """An appeal was heard and the end stands: there is nothing more to wait for."""
        StageDecision.objects.awaiting_effect().filter(pk=self.pk).update(appeal_upheld_at=timezone.now())
        self.take_effect()

    def take_effect(self) -> None:
        """The appeal is over, or its time is: the place ends."""
        now = timezone.now()
        over = Q(appeal=None, appeal_until__lte=now) | Q(appeal_upheld_at__isnull=False)
        with transaction.atomic():
            due = StageDecision.objects.awaiting_effect().filter(over, pk=self.pk)
            if not StageDecision.objects.filter(pk__in=due.values("pk")).update(took_effect_at=now):
                raise RuleBroken(
                    "An end takes effect when its appeal is decided, or nobody appealed in time.",
                    code="appeal-open",
                )
            self.refresh_from_db()
            self.write("decision.took_effect")
            self.carry_out()

    def carry_out(self) -> None:
        """What the decision changes: a place is given, or ends."""
        actor = None if self.decider is None else self.decider.public_id
        is_gone = not Enrollment.objects.filter(pk=self.enrollment_id, left_on=None).exists()
        if self.outcome == Outcome.END and is_gone:
            return  # by their own word meanwhile: there is no place left to end
        if hasattr(self.stage, "admission_round"):
            application = self.enrollment.application
            if self.outcome == Outcome.GO_ON:
                application.admit_or_wait(by=actor, on_appeal=self.origin == self.Origin.APPEAL)
            elif self.outcome == Outcome.END:
                application.turn_down(by=actor)
        elif self.outcome == Outcome.END:
            self.enrollment.leave()
            program = self.stage.cohort.program.public_id
            Event.objects.write("person.left", program=program, subject=self.person.public_id, actor=actor)

    @property
    def end_of_extension(self) -> date | None:
        return None if self.weeks is None else self.stage.ends_on + timedelta(weeks=self.weeks)
