"""RegradePlan: a benchmark has a new version; which submissions would be measured again, and what that would cost."""

from collections.abc import Iterable
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.grading.models.benchmarks import Benchmark
from tracker.grading.models.runs import Run
from tracker.grading.models.submissions import Submission
from tracker.people.models import Program, Role, User, Visitor


class RegradePlanQuerySet(TrackedQuerySet["RegradePlan"]):
    def visible_to(self, user: Visitor) -> Self:
        """Those who lead a program; its benchmarks are open to all, what they cost is not."""
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        return self.filter(benchmark__program__in=Program.objects.where(user, Role.LEAD))

    def open(self) -> Self:
        return self.filter(decision="")

    def propose(self, benchmark: Benchmark) -> "RegradePlan | None":
        """What re-grading on this version would be; None where nothing was measured on another."""
        submissions = to_regrade(benchmark)
        if not submissions:
            return None
        with transaction.atomic():
            same = Q(benchmark__program=benchmark.program, benchmark__slug=benchmark.slug)
            for earlier in self.open().filter(same):
                earlier.lapse()
            plan: RegradePlan = self.create(
                benchmark=benchmark,
                submissions=len(submissions),
                expected_seconds=expected_seconds(submissions),
            )
            plan.tell("regrading.proposed")
        return plan


class RegradePlan(Tracked):
    class Decision(models.TextChoices):
        CARRIED_OUT = "carried_out", "carried out"
        DROPPED = "dropped", "dropped"
        LAPSED = "lapsed", "a newer plan took its place"

    benchmark = models.ForeignKey(Benchmark, on_delete=models.PROTECT, related_name="regrade_plans")
    submissions = models.PositiveIntegerField(help_text="How many would be measured again: those that count.")
    expected_seconds = models.FloatField(help_text="By how long their last gradings took.")
    proposed_at = models.DateTimeField(default=timezone.now, editable=False)
    decision = models.CharField(max_length=12, choices=Decision, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    queued = models.PositiveIntegerField(null=True, blank=True, help_text="How many runs were made.")

    objects = RegradePlanQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        constraints = (
            models.CheckConstraint(
                condition=Q(decision="", decided_at=None, decided_by=None, queued=None)
                | Q(decision="carried_out", decided_at__isnull=False, decided_by__isnull=False)
                & Q(queued__isnull=False)
                | Q(decision="dropped", decided_at__isnull=False, decided_by__isnull=False, queued=None)
                | Q(decision="lapsed", decided_at__isnull=False, decided_by=None, queued=None),
                name="a_regrading_is_carried_out_or_dropped_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(expected_seconds__gte=0, expected_seconds__lt=1e300),
                name="a_regrading_costs_a_finite_time",
            ),
        )

    def __str__(self) -> str:
        return f"re-grading on version {self.benchmark.version} of {self.benchmark}"

    def carry_out(self, *, by: User) -> int:
        """Queue a new grading of each submission that counts; all that was measured before stays."""
        with transaction.atomic():
            self._begin_to_decide()
            submissions = [one for one in to_regrade(self.benchmark) if not one.runs.open().exists()]
            for submission in submissions:
                submission.regrade(by=by.public_id, benchmark=self.benchmark)
            self._decide(self.Decision.CARRIED_OUT, by=by, queued=len(submissions))
            self.tell("benchmark.regraded", by)
        return len(submissions)

    def drop(self, *, by: User) -> None:
        """The earlier results stand as they are."""
        with transaction.atomic():
            self._begin_to_decide()
            self._decide(self.Decision.DROPPED, by=by)
            self.tell("regrading.dropped", by)

    def lapse(self) -> None:
        self._decide(self.Decision.LAPSED)

    def _begin_to_decide(self) -> None:
        standing = RegradePlan.objects.select_for_update().get(pk=self.pk)
        if standing.decision:
            raise RuleBroken("This plan has been decided already: look at it again.", code="decided-already")
        if self.benchmark.retired_at is not None:
            raise RuleBroken("This benchmark has a newer version: propose a new plan.", code="retired")

    def _decide(self, decision: str, *, by: User | None = None, queued: int | None = None) -> None:
        self.decision, self.decided_by, self.decided_at, self.queued = decision, by, timezone.now(), queued
        self.save(update_fields=["decision", "decided_by", "decided_at", "queued"])

    def tell(self, kind: str, by: User | None = None) -> None:
        Event.objects.write(
            kind,
            program=self.benchmark.program.public_id,
            subject=self.benchmark.public_id,
            actor=by.public_id if by else None,
            submissions=self.submissions,
            expected_seconds=self.expected_seconds,
        )


def to_regrade(benchmark: Benchmark) -> list[Submission]:
    """Submissions that count for this benchmark and were last measured on another version of it."""
    measured = Run.objects.filter(phase=Run.Phase.THOROUGH, state=Run.State.SUCCEEDED)
    newest = measured.filter(submission=OuterRef("pk")).order_by("-pk")
    counting = Submission.objects.counting().filter(program=benchmark.program, benchmark__slug=benchmark.slug)
    last = counting.annotate(measured_on=Subquery(newest.values("benchmark")[:1]))
    return list(last.exclude(measured_on=benchmark.pk).select_related("artifact", "program").order_by("pk"))


def expected_seconds(submissions: Iterable[Submission]) -> float:
    """What the newest run of each phase of each took, in all."""
    ended = Run.objects.filter(submission__in=submissions, state=Run.State.SUCCEEDED).order_by("pk")
    took: dict[Any, float] = {}
    for row in ended.values("submission", "phase", "started_at", "ended_at"):
        if row["started_at"] is not None:
            seconds = (row["ended_at"] - row["started_at"]).total_seconds()
            took[row["submission"], row["phase"]] = max(seconds, 0.0)
    return sum(took.values())
