"""Submission: an artifact sent to a benchmark, with what its senders claim."""

import uuid
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import Case, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Now
from django.utils import timezone

from tracker.cohorts.models import Stage
from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.grading.models.artifacts import Artifact
from tracker.grading.models.benchmarks import Benchmark
from tracker.grading.models.claims import check_claims
from tracker.grading.models.runs import Run
from tracker.people.models import Person, Program, Role, Visitor
from tracker.projects.models import Output, Project, TeamMember
from tracker.wording import worded

DAY = timedelta(days=1)
# Checks cost no submission; this only keeps a script from filling the disk.
CHECKS_PER_DAY = 100
LONGEST_SENTENCE = 500


def demand_acceptance(project: Project, benchmark: Benchmark, *, training: Artifact | None) -> None:
    """What is new goes to a benchmark of the project's program, in its newest version, while the cohort is open."""
    project.cohort.demand_open()
    if benchmark.program_id != project.program_id:
        raise RuleBroken(
            "This benchmark belongs to another program.", code="other-program", field="benchmark"
        )
    if training is not None and not benchmark.has_texts:
        raise RuleBroken(
            "This benchmark has no texts to look for in training data: leave them out.",
            code="no-texts",
            field="training",
        )
    if benchmark.retired_at is not None:
        raise RuleBroken("This benchmark has a newer version: submit to that.", code="benchmark-retired")


class SubmissionQuerySet(TrackedQuerySet["Submission"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(project__in=Project.objects.visible_to(user))

    def editable_by(self, user: Visitor) -> Self:
        """Those whose runs and choice this user may change."""
        return self.filter(project__in=Project.objects.editable_by(user))

    def led_by(self, user: Visitor) -> Self:
        return self.filter(program__in=Program.objects.where(user, Role.LEAD))

    def signs_visible_to(self, user: Visitor) -> Self:
        """Those whose signs of copying or leaks this user may see: leads of the program, and its mentors."""
        mentored = TeamMember.objects.active().filter(
            person__in=Person.objects.of(user), role=TeamMember.Role.MENTOR
        )
        return self.filter(pk__in=self.model.objects.led_by(user)) | self.filter(
            project__in=mentored.values("project")
        )

    def standing(self) -> Self:
        return self.filter(retracted_at=None)

    def with_state(self) -> Self:
        """Adds ``latest_state``, ``_phase``, ``_done`` and ``_total``: where its newest run stands, or "held"."""
        newest = Run.objects.filter(submission=OuterRef("pk")).order_by("-pk")
        state, phase = Subquery(newest.values("state")[:1]), Subquery(newest.values("phase")[:1])
        passed = Q(newest_state=Run.State.SUCCEEDED)
        is_held = When(passed, newest_phase=Run.Phase.SAFETY, held_at__isnull=False, then=Value("held"))
        is_checked = When(passed, is_check_only=True, then=Value("checked"))
        return self.alias(newest_state=state, newest_phase=phase).annotate(
            latest_state=Case(is_held, is_checked, default=state, output_field=models.CharField()),
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
        """What counts of the last day: no checks, nor what failed by our fault or was cancelled before it began."""
        recent = self.recent().filter(is_check_only=False)
        unbegun = Run.objects.filter(phase=Run.Phase.QUALIFICATION, state=Run.State.CANCELLED, attempts=0)
        return recent.exclude(runs__state=Run.State.FAILED).exclude(pk__in=unbegun.values("submission"))

    def recent(self) -> Self:
        return self.filter(submitted_at__gt=Now() - DAY)

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
        check_only: bool = False,
        training: Artifact | None = None,
    ) -> "Submission":
        """Send an artifact to a benchmark: its qualification run is queued in the same transaction.

        ``training`` is what its senders say it learned from, looked at for the benchmark's own texts.

        One that is only to be checked stops there: it is no output, costs nothing and counts nowhere.
        """
        check_claims(claims or {}, benchmark)
        with transaction.atomic():
            Project.objects.select_for_update().get(pk=project.pk)
            content = {
                "project": project,
                "benchmark": benchmark,
                "artifact": artifact,
                "claims": claims or {},
                "is_check_only": check_only,
                "training": training,
            }
            earlier = self._sent_before(external_id, content)
            if earlier is not None:
                return earlier
            demand_acceptance(project, benchmark, training=training)
            self.check_quota(project, benchmark, check_only=check_only)
            submission: Submission = self.create(
                **content,
                program=project.program,
                output=None if check_only else evaluation_of(project, benchmark),
                filename=filename[:200],
                submitted_by=by,
                external_id=external_id,
            )
            Run.objects.queue(submission, benchmark=benchmark, phase=Run.Phase.QUALIFICATION)
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

    def check_quota(self, project: Project, benchmark: Benchmark, *, check_only: bool = False) -> None:
        """Refuse what comes too often; doors ask before they keep the bytes, and submitting asks again."""
        sent = self.filter(project=project, benchmark=benchmark)
        if check_only:
            if sent.recent().filter(is_check_only=True).count() >= CHECKS_PER_DAY:
                raise RuleBroken(
                    f"This project has had {CHECKS_PER_DAY} files checked in the last 24 hours: go on later.",
                    code="checks-used",
                )
            return
        used = sent.costing_quota().count()
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


class Submission(Tracked):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="submissions")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="submissions")
    benchmark = models.ForeignKey(Benchmark, on_delete=models.PROTECT, related_name="submissions")
    artifact = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="submissions")
    output = models.ForeignKey(
        Output, on_delete=models.PROTECT, null=True, blank=True, related_name="submissions"
    )
    submitted_by = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="submissions"
    )
    external_id = models.CharField(max_length=200, blank=True)
    filename = models.CharField(max_length=200)
    claims = models.JSONField(default=dict, blank=True, help_text="What its senders say they measured.")
    training = models.ForeignKey(
        Artifact,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="trained",
        help_text="Training data that its senders declare.",
    )
    is_check_only = models.BooleanField(
        default=False, editable=False, help_text="Stops after the first check; costs and counts nothing."
    )
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
            models.CheckConstraint(
                condition=Q(is_check_only=True, output=None, is_chosen=False)
                | Q(is_check_only=False, output__isnull=False),
                name="a_check_alone_is_no_output_and_never_counts",
            ),
        )

    def __str__(self) -> str:
        return f"{self.filename} to {self.benchmark}"

    def choose(self, *, by: UUID | None = None) -> None:
        """Count this one of the project's submissions to the benchmark, whatever comes later."""
        if self.retracted_at is not None:
            raise RuleBroken("A retracted submission cannot be chosen.")
        if self.is_check_only:
            raise RuleBroken("This was only checked: submit it to be measured first.", code="check-only")
        with transaction.atomic():
            self.project.submissions.filter(benchmark=self.benchmark).exclude(pk=self.pk).update(
                is_chosen=False
            )
            self.is_chosen = True
            self.save(update_fields=["is_chosen"])
            Event.objects.write(
                "submission.chosen", program=self.program.public_id, subject=self.public_id, actor=by
            )

    def submit_in_full(self, *, by: Person | None) -> "Submission":
        """Have measured what was only checked: the same file and claims, as a submission of its own."""
        return Submission.objects.submit(
            project=self.project,
            benchmark=self.benchmark,
            artifact=self.artifact,
            filename=self.filename,
            by=by,
            claims=self.claims,
            training=self.training,
        )

    def regrade(self, *, by: UUID | None = None, benchmark: Benchmark | None = None) -> Run:
        """Measure the same artifact again, on the version of before or another: new runs, and the old ones stay."""
        if self.runs.open().exists():
            raise RuleBroken("This submission is being graded already: wait for its end.", code="still-open")
        with transaction.atomic():
            version = benchmark or self.newest_version
            run = Run.objects.queue(self, benchmark=version, phase=Run.Phase.QUALIFICATION)
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
    def newest_version(self) -> Benchmark:
        """The version that it was graded on last."""
        newest = self.runs.order_by("-pk").select_related("benchmark").first()
        return newest.benchmark if newest else self.benchmark

    @property
    def is_held(self) -> bool:
        """Whether a person is to say how it goes on."""
        return self.held_at is not None and self._checked() is not None

    def clear(self, safety: Run, *, by: UUID | None = None) -> Run:
        """Both cheap phases are passed, by a person's word where safety raised something: the thorough run opens."""
        clearance = self.clearances.grant(safety, let_through_by=by)
        return Run.objects.queue(
            self, benchmark=safety.benchmark, phase=Run.Phase.THOROUGH, clearance=clearance
        )

    def let_through(self, *, by: UUID) -> Run:
        """What safety raised is no reason to stop: the thorough run opens."""
        with transaction.atomic():
            run = self.clear(self._end_hold(), by=by)
            Event.objects.write(
                "submission.let-through", program=self.program.public_id, subject=self.public_id, actor=by
            )
        return run

    def refuse_held(self, sentence: str, *, by: UUID | None = None) -> None:
        """What safety raised stands: its run becomes a refusal that tells the senders what to change."""
        sentence = worded(
            sentence,
            "Say in one sentence what its senders are to change.",
            code="sentence-missing",
            field="sentence",
            longest=LONGEST_SENTENCE,
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
