"""Artifact: bytes under their hash. Submission: an artifact sent to a benchmark, with what its senders claim."""

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import Case, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Now
from django.utils import timezone

from evals.grading.claims import parse_claim
from evals.grading.graders import RANGES, range_in_words
from evals.grading.refusals import Refused
from tracker.cohorts.models import Stage
from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.grading.models.benchmarks import Benchmark
from tracker.grading.models.runs import Run
from tracker.people.models import Person, Program, Role, Visitor
from tracker.projects.models import Output, Project

DAY = timedelta(days=1)
LARGEST_CLAIM = 1e12
LONGEST_SENTENCE = 500


class Artifact(models.Model):
    """Bytes, stored once under their SHA-256 and never changed."""

    sha256 = models.CharField(max_length=64, primary_key=True, editable=False)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    format = models.CharField(max_length=20)
    stored_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(size__gt=0), name="an_artifact_is_not_empty"),)

    def __str__(self) -> str:
        return f"{self.format} {self.sha256[:12]}"

    @property
    def path(self) -> Path:
        return Path(settings.ARTIFACTS_DIR) / self.sha256[:2] / self.sha256


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(project__in=Project.objects.visible_to(user))

    def editable_by(self, user: Visitor) -> Self:
        """Those whose runs and choice this user may change."""
        return self.filter(project__in=Project.objects.editable_by(user))

    def led_by(self, user: Visitor) -> Self:
        return self.filter(program__in=Program.objects.where(user, Role.LEAD))

    def standing(self) -> Self:
        return self.filter(retracted_at=None)

    def with_state(self) -> Self:
        """Adds ``latest_state``, ``_phase``, ``_done`` and ``_total``: where its newest run stands, or "held"."""
        newest = Run.objects.filter(submission=OuterRef("pk")).order_by("-pk")
        state, phase = Subquery(newest.values("state")[:1]), Subquery(newest.values("phase")[:1])
        checked = Q(newest_phase=Run.Phase.SAFETY, newest_state=Run.State.SUCCEEDED)
        is_held = When(checked, held_at__isnull=False, then=Value("held"))
        return self.alias(newest_state=state, newest_phase=phase).annotate(
            latest_state=Case(is_held, default=state, output_field=models.CharField()),
            latest_phase=phase,
            latest_done=Subquery(newest.values("progress_done")[:1]),
            latest_total=Subquery(newest.values("progress_total")[:1]),
        )

    def counting(self) -> Self:
        """One of each project and benchmark, whatever its version: the one its team chose, else the latest.

        Never the best; and what could not be measured hides nothing that was.
        """
        thorough = Run.objects.filter(phase=Run.Phase.THOROUGH, state=Run.State.SUCCEEDED)
        measured = self.model.objects.standing().filter(pk__in=thorough.values("submission"))
        same = measured.filter(project=OuterRef("project"), benchmark__slug=OuterRef("benchmark__slug"))
        first = same.order_by("-is_chosen", "-submitted_at", "-pk")
        return self.standing().filter(pk=Subquery(first.values("pk")[:1]))

    def costing_quota(self) -> Self:
        """Those of the last day that count: all but what failed by our fault, or was cancelled before it began."""
        recent = self.filter(submitted_at__gt=Now() - DAY)
        unbegun = Run.objects.filter(phase=Run.Phase.QUALIFICATION, state=Run.State.CANCELLED, attempts=0)
        return recent.exclude(runs__state=Run.State.FAILED).exclude(pk__in=unbegun.values("submission"))

    def submit(
        self,
        *,
        project: Project,
        benchmark: Benchmark,
        artifact: Artifact,
        filename: str,
        by: Person | None,
        claims: dict[str, Any] | None = None,
        external_id: str = "",
    ) -> "Submission":
        """Send an artifact to a benchmark: its qualification run is queued in the same transaction."""
        check_claims(claims or {}, benchmark)
        if benchmark.program_id != project.program_id:
            raise RuleBroken(
                "This benchmark belongs to another program.", code="other-program", field="benchmark"
            )
        if benchmark.retired_at is not None:
            raise RuleBroken("This benchmark has a newer version: submit to that.", code="benchmark-retired")
        with transaction.atomic():
            Project.objects.select_for_update().get(pk=project.pk)
            content = {
                "project": project,
                "benchmark": benchmark,
                "artifact": artifact,
                "claims": claims or {},
            }
            earlier = self._sent_before(external_id, content)
            if earlier is not None:
                return earlier
            self.check_quota(project, benchmark)
            submission: Submission = self.create(
                **content,
                program=project.program,
                output=evaluation_of(project, benchmark),
                filename=filename[:200],
                submitted_by=by,
                external_id=external_id,
            )
            Run.objects.queue(submission_id=submission.pk, phase=Run.Phase.QUALIFICATION)
            Event.objects.write(
                "submission.received",
                program=project.program.public_id,
                subject=submission.public_id,
                actor=by.public_id if by else None,
            )
        return submission

    def _sent_before(self, external_id: str, content: dict[str, Any]) -> "Submission | None":
        if not external_id:
            return None
        earlier = self.filter(program=content["project"].program, external_id=external_id).first()
        if earlier is None:
            return None
        if any(getattr(earlier, name) != value for name, value in content.items()):
            raise RuleBroken(
                "This external_id was sent before with another content: use a new one.",
                code="repeated",
                field="external_id",
            )
        return earlier

    def check_quota(self, project: Project, benchmark: Benchmark) -> None:
        """Refuse what comes too often; doors ask before they keep the bytes, and submitting asks again."""
        used = self.filter(project=project, benchmark=benchmark).costing_quota().count()
        if used >= benchmark.submissions_per_day:
            raise RuleBroken(
                f"This project has used its {benchmark.submissions_per_day} submissions of the last 24 hours:"
                " submit again later.",
                code="quota-used",
            )


def evaluation_of(project: Project, benchmark: Benchmark) -> Output:
    """The output that a project's results on one benchmark are, so that readers can rate it too."""
    name = f"benchmark:{benchmark.slug}:{project.public_id}"
    present = Output.objects.filter(program=project.program, external_id=name).first()
    return present or Output.objects.publish(
        project,
        title=f"Results on {benchmark.name}",
        kind=Output.Kind.EVALUATION,
        external_id=name,
        stage=Stage.objects.reading().filter(cohort=project.cohort).first(),
        is_empirical=True,
    )


def check_claims(claims: dict[str, Any], benchmark: Benchmark) -> None:
    """A claim names one of the benchmark's metrics and gives a value that it can have."""
    for metric, claim in claims.items():
        if metric not in benchmark.spec["metrics"]:
            known = ", ".join(benchmark.spec["metrics"])
            raise RuleBroken(
                f"A claim names an unknown metric: use {known}.", code="unknown-metric", field="claims"
            )
        if not is_claim(claim):
            raise RuleBroken(
                f"Claim {metric} as a finite number with what stands behind it, such as"
                ' {"value": 0.93, "seeds": 3, "n": 797}.',
                code="bad-claim",
                field="claims",
            )
        low, high = RANGES.get(metric, (-LARGEST_CLAIM, LARGEST_CLAIM))
        if not low <= claim["value"] <= high:
            raise RuleBroken(
                f"Claim {metric} as a number {range_in_words(metric)}: it can be nothing else.",
                code="bad-claim",
                field="claims",
            )


def is_claim(claim: Any) -> bool:
    """Whether it has a value of a size that metrics have, and counts that are counts."""
    if not isinstance(claim, dict) or "metric" in claim:
        return False
    numbers: list[Any] = [claim.get("value"), claim.get("standard_error") or 0.0]
    try:
        parse_claim({**claim, "metric": ""}, 1)
    except Refused:
        return False
    numbers += [claim.get(name) or 1 for name in ("seeds", "n")]
    return all(abs(number) <= LARGEST_CLAIM for number in numbers)


class Submission(models.Model):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="submissions")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="submissions")
    benchmark = models.ForeignKey(Benchmark, on_delete=models.PROTECT, related_name="submissions")
    artifact = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="submissions")
    output = models.ForeignKey(Output, on_delete=models.PROTECT, related_name="submissions")
    submitted_by = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="submissions"
    )
    external_id = models.CharField(max_length=200, blank=True)
    filename = models.CharField(max_length=200)
    claims = models.JSONField(default=dict, blank=True, help_text="What its senders say they measured.")
    is_chosen = models.BooleanField(default=False, help_text="The one its team wants to be counted.")
    submitted_at = models.DateTimeField(default=timezone.now, editable=False)
    held_at = models.DateTimeField(
        null=True, blank=True, help_text="When safety raised something for a person."
    )
    retracted_at = models.DateTimeField(null=True, blank=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        ordering = ("-submitted_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=["program", "external_id"],
                condition=~Q(external_id=""),
                name="one_submission_per_external_id_in_a_program",
            ),
            models.UniqueConstraint(
                fields=["project", "benchmark"],
                condition=Q(is_chosen=True),
                name="a_team_chooses_one_submission_per_benchmark",
            ),
        )

    def __str__(self) -> str:
        return f"{self.filename} to {self.benchmark}"

    def choose(self, *, by: UUID | None = None) -> None:
        """Count this one of the project's submissions to the benchmark, whatever comes later."""
        if self.retracted_at is not None:
            raise RuleBroken("A retracted submission cannot be chosen.")
        with transaction.atomic():
            self.project.submissions.filter(benchmark=self.benchmark).exclude(pk=self.pk).update(
                is_chosen=False
            )
            self.is_chosen = True
            self.save(update_fields=["is_chosen"])
            Event.objects.write(
                "submission.chosen", program=self.program.public_id, subject=self.public_id, actor=by
            )

    def regrade(self, *, by: UUID | None = None) -> Run:
        """Measure the same artifact again: new runs, and the old ones stay."""
        if self.runs.open().exists():
            raise RuleBroken("This submission is being graded already: wait for its end.", code="still-open")
        with transaction.atomic():
            run = Run.objects.queue(submission_id=self.pk, phase=Run.Phase.QUALIFICATION)
            Event.objects.write(
                "submission.regraded", program=self.program.public_id, subject=self.public_id, actor=by
            )
        return run

    def hold(self) -> None:
        """Safety raised something: a person looks before the thorough run."""
        self.held_at = timezone.now()
        self.save(update_fields=["held_at"])

    def release_hold(self) -> None:
        """Safety found nothing this time."""
        self.held_at = None
        self.save(update_fields=["held_at"])

    @property
    def is_held(self) -> bool:
        """Whether a person is to say how it goes on."""
        return self.held_at is not None and self._checked() is not None

    def let_through(self, *, by: UUID | None = None) -> Run:
        """What safety raised is no reason to stop: the thorough run opens."""
        with transaction.atomic():
            self._end_hold()
            run = Run.objects.queue(submission_id=self.pk, phase=Run.Phase.THOROUGH)
            Event.objects.write(
                "submission.let-through", program=self.program.public_id, subject=self.public_id, actor=by
            )
        return run

    def refuse_held(self, sentence: str, *, by: UUID | None = None) -> None:
        """What safety raised stands: its run becomes a refusal that tells the senders what to change."""
        sentence = sentence.strip()
        if not 0 < len(sentence) <= LONGEST_SENTENCE:
            raise RuleBroken(
                f"Say in one sentence, of at most {LONGEST_SENTENCE} characters, what its senders are to change.",
                code="sentence-missing",
                field="sentence",
            )
        with transaction.atomic():
            run = self._end_hold()
            raised = run.message
            run.state, run.code, run.message = Run.State.REFUSED, "refused-by-a-person", sentence
            run.save(update_fields=["state", "code", "message"])
            Event.objects.write(
                "submission.refused",
                program=self.program.public_id,
                subject=self.public_id,
                actor=by,
                raised=raised,
                sentence=sentence,
            )

    def _checked(self) -> Run | None:
        """The safety run, if nothing came after it."""
        newest = self.runs.order_by("-pk").first()
        is_checked = newest and (newest.phase, newest.state) == (Run.Phase.SAFETY, Run.State.SUCCEEDED)
        return newest if is_checked else None

    def _end_hold(self) -> Run:
        """Only one of several people who decide at once gets to; the others are told."""
        mine = Submission.objects.filter(pk=self.pk, held_at__isnull=False)
        ended, run = mine.update(held_at=None), self._checked()
        if not ended or run is None:
            raise RuleBroken("This submission is not held any more: look at it again.", code="not-held")
        self.held_at = None
        return run
