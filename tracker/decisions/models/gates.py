"""GateRule: what it takes to get through a gate, fixed before results are seen. Lottery: a draw in the middle."""

import hashlib
import secrets
import uuid
from typing import Any, Self

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from evals.noise.gating import Gate
from tracker.cohorts.models import MOST_PLACES, MOST_READERS, Enrollment, Stage
from tracker.decisions.models.outcomes import DECIDE, demand_no_part
from tracker.errors import RuleBroken
from tracker.estimates.models import READERS_BEHIND_A_RELEASE, Contribution, Fit
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.grading.models import Measurement
from tracker.people.models import Person, Program, Role, Visitor
from tracker.ratings.models import Rating
from tracker.wording import wording

SEED_BYTES = 32
HIGHEST_BAR = 1e6  # as the stage's constraint has it


def could_have_been_seen(stage: Stage) -> bool:
    """Whether a result of this stage is there, which a lead sees at once: a rating, a measurement, or a fit of them."""
    return (
        Rating.objects.filter(output__stage=stage).exists()
        or Measurement.objects.filter(run__submission__output__stage=stage).exists()
        or Contribution.objects.filter(output__stage=stage, observations__gt=0).exists()
    )


class GateRuleQuerySet(TrackedQuerySet["GateRule"]):
    def standing(self) -> Self:
        return self.filter(replaced_at=None)

    def visible_to(self, user: Visitor) -> Self:
        """Everybody who sees the stage: people know by what they are judged."""
        return self.filter(stage__in=Stage.objects.visible_to(user))

    def fix(self, stage: Stage, *, by: Person, reason: str = "", **values: Any) -> "GateRule":
        """A lead fixes the rule; once results could be seen, only as a new version that says so and why."""
        program = stage.cohort.program
        if by.program_id != program.pk or not by.holds(Role.LEAD):
            raise RuleBroken(f"{by} does not lead {program}: only a lead fixes a gate.", code="not-a-lead")
        demand_no_part(by, stage)
        stage.cohort.demand_open()
        demand_a_gate(**values)
        with transaction.atomic():
            Stage.objects.select_for_update().get(pk=stage.pk)
            last = self.filter(stage=stage).order_by("-version").first()
            is_late = could_have_been_seen(stage)
            reason = wording(reason, field="reason")
            if (last is not None or is_late) and not reason:
                raise RuleBroken(
                    f"{'Results could be seen already' if is_late else 'A rule stands already'}:"
                    " say why it changes.",
                    field="reason",
                    code="reason-missing",
                )
            self.standing().filter(stage=stage).update(replaced_at=timezone.now())
            rule: GateRule = self.create(
                stage=stage,
                version=1 if last is None else last.version + 1,
                set_by=by,
                reason=reason,
                is_after_results=is_late,
                **values,
                **seed_for(values.get("middle", "")),
            )
            stage.aim_for(places=rule.places, bar=rule.bar, planned_readers=rule.planned_readers)
            Event.objects.write(
                "gate.fixed",
                program=program.public_id,
                subject=stage.public_id,
                actor=by.public_id,
                version=rule.version,
                after_results=is_late,
            )
        return rule


def demand_a_gate(
    *, places: int | None = None, bar: float | None = None, yes_from: float, no_to: float, **_: Any
) -> None:
    if (places is None) == (bar is None):
        raise RuleBroken("Give places or a bar: one of them.", field="places", code="places-or-bar")
    if bar is not None and not -HIGHEST_BAR < bar < HIGHEST_BAR:
        raise RuleBroken("Give a bar in points, such as 0.5.", field="bar", code="bar-off-the-scale")
    if not 0 < no_to < yes_from < 1:
        raise RuleBroken(
            "Clear yes starts above where clear no ends, both between 0 and 1.", field="yes_from"
        )


def seed_for(middle: str) -> dict[str, str]:
    """A lottery's seed is drawn with the rule and known to nobody; its hash binds it from then on."""
    if middle != GateRule.Middle.LOTTERY:
        return {}
    seed = secrets.token_hex(SEED_BYTES)
    return {"seed": seed, "commitment": hashlib.sha256(seed.encode()).hexdigest()}


class GateRule(Tracked):
    """One version of a stage's rule. Its content never changes: another version replaces it."""

    history_leaves_out = ("seed",)

    class Middle(models.TextChoices):
        """What happens to those who are too close to call."""

        MORE_READERS = "more_readers", "more readers"
        LEADS_CHOICE = "leads_choice", "the decider chooses"
        LOTTERY = "lottery", "a lottery for the remaining places"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="gate_rules")
    version = models.PositiveSmallIntegerField()
    places = models.PositiveIntegerField(null=True, blank=True)
    bar = models.FloatField(null=True, blank=True)
    planned_readers = models.PositiveSmallIntegerField(default=3)
    floor = models.PositiveSmallIntegerField(
        default=READERS_BEHIND_A_RELEASE, help_text="Different readers a person has before anything is said."
    )
    yes_from = models.FloatField(default=0.75)
    no_to = models.FloatField(default=0.25)
    middle = models.CharField(max_length=20, choices=Middle, default=Middle.MORE_READERS)
    seed = models.CharField(max_length=64, blank=True, editable=False)
    commitment = models.CharField(
        max_length=64, blank=True, editable=False, help_text="SHA-256 of the lottery's seed."
    )
    set_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="gate_rules")
    set_at = models.DateTimeField(default=timezone.now, editable=False)
    reason = models.TextField(blank=True)
    is_after_results = models.BooleanField(default=False, editable=False)
    replaced_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = GateRuleQuerySet.as_manager()

    class Meta:
        ordering = ("stage", "-version")
        constraints = (
            models.UniqueConstraint(fields=["stage", "version"], name="one_gate_rule_per_version"),
            models.UniqueConstraint(
                fields=["stage"], condition=Q(replaced_at=None), name="one_standing_gate_rule_in_a_stage"
            ),
            models.CheckConstraint(
                condition=Q(places=None, bar__isnull=False) | Q(places__isnull=False, bar=None),
                name="a_gate_has_places_or_a_bar",
            ),
            models.CheckConstraint(
                condition=Q(no_to__gt=0, yes_from__lt=1, yes_from__gt=models.F("no_to")),
                name="a_gate_leaves_a_middle",
            ),
            models.CheckConstraint(
                condition=Q(floor__gte=2), name="a_gate_asks_for_two_different_readers_or_more"
            ),
            models.CheckConstraint(
                condition=Q(floor__lte=MOST_READERS, planned_readers__lte=MOST_READERS),
                name="a_gate_asks_for_20_readers_at_most",
            ),
            models.CheckConstraint(
                condition=Q(places=None) | Q(places__lte=MOST_PLACES), name="a_gate_has_10000_places_at_most"
            ),
            models.CheckConstraint(
                condition=Q(version=1, is_after_results=False) | ~Q(reason=""),
                name="a_gate_is_changed_with_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(middle="lottery") | ~Q(commitment=""), name="a_lottery_is_bound_beforehand"
            ),
        )

    def __str__(self) -> str:
        return f"{self.stage}, version {self.version}"

    @property
    def gate(self) -> Gate:
        """The same in the words of the science."""
        return Gate(self.places, self.bar, self.yes_from, self.no_to, self.floor)

    @property
    def revealed_seed(self) -> str:
        """Nobody knows it before the draw."""
        return self.seed if hasattr(self, "lottery") else ""


class LotteryQuerySet(TrackedQuerySet["Lottery"]):
    def visible_to(self, user: Visitor) -> Self:
        """Those who decide, unless about them too: who is drawn from tells who was too close to call."""
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        own = Enrollment.objects.filter(person__in=Person.objects.of(user))
        deciding = self.filter(rule__stage__cohort__program__in=Program.objects.where(user, *DECIDE))
        return deciding.exclude(rule__stage__cohort__in=own.values("cohort"))


class Lottery(Tracked):
    """A draw among those who are too close to call; anybody with the seed can repeat it."""

    rule = models.OneToOneField(GateRule, on_delete=models.PROTECT, related_name="lottery")
    fit = models.ForeignKey(Fit, on_delete=models.PROTECT, related_name="lotteries")
    places = models.PositiveIntegerField(help_text="What was left after the clear answers.")
    entrants = models.JSONField(help_text="Public ids in the order drawn; the first have the places.")
    drawn_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="lotteries")
    drawn_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = LotteryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "lotteries"

    def __str__(self) -> str:
        return f"{self.rule}, drawn"

    def drew(self, person: Person) -> bool | None:
        """Whether a place was drawn for them; None for who was not drawn from."""
        public_id = str(person.public_id)
        if public_id not in self.entrants:
            return None
        return bool(self.entrants.index(public_id) < self.places)


def order_by_seed(seed: str, public_ids: list[str]) -> list[str]:
    """The draw: by SHA-256 of seed and public id, smallest first."""
    return sorted(public_ids, key=lambda one: hashlib.sha256(f"{seed}:{one}".encode()).hexdigest())
