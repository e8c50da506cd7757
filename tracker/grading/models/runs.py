"""Run: one phase of grading a submission. Its row is the truth; the broker is only a doorbell.

    queued -> running -> succeeded | refused | failed | cancelled, and back to queued when a worker is lost.

Every change is one conditional update on (state, owner): a worker that lost its lease can write nothing.
"""

import random
import uuid
from collections.abc import Collection
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.bell import ring
from tracker.events.leases import Leased, LeasedQuerySet
from tracker.events.models import Event
from tracker.grading.models.attempts import Attempt
from tracker.grading.models.benchmarks import Benchmark
from tracker.grading.models.turns import in_turn
from tracker.grading.models.workers import BELLS, Queue, Worker, queue_for
from tracker.people.models import Visitor
from tracker.projects.models import Project

RETRIES_AFTER_A_CRASH = 3
RETRIES_AFTER_A_LOST_WORKER = 20
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
# A bell that rang this long ago and was not heard is rung again by the sweep.
OVERDUE = timedelta(seconds=15)
# What needs a GPU is told to operators all this time; then it fails by our fault rather than wait for ever.
LONGEST_WAIT_FOR_A_GPU = timedelta(hours=24)


class RunQuerySet(LeasedQuerySet):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(submission__project__in=Project.objects.visible_to(user))

    def open(self) -> Self:
        """Runs that are not at their end."""
        return self.filter(state__in=(Run.State.QUEUED, Run.State.RUNNING))

    def queue(self, submission: Any, *, benchmark: Benchmark, phase: str, clearance: Any = None) -> "Run":
        """A new run that waits, and a ring for it after the commit."""
        queue = queue_for(benchmark, format=submission.artifact.format, phase=phase)
        run: Run = self.create(
            submission=submission, benchmark=benchmark, phase=phase, clearance=clearance, queue=queue
        )
        ring(BELLS[queue])
        return run

    def free(self) -> Self:
        return self.filter(state=Run.State.QUEUED, not_before__lte=Now())

    def lease_next(
        self, owner: UUID, *, queue: str = Queue.CPU, familiar: Collection[int] = ()
    ) -> "Run | None":
        """Take the run of this queue whose turn it is, or None if nothing waits."""
        for pk in in_turn(self.filter(queue=queue), familiar=familiar):
            run = self.take(pk, owner=owner)
            if run is not None:
                return run
        return None

    def take(self, pk: int, *, owner: UUID) -> "Run | None":
        """Lease one run that waits, and count the attempt."""
        with transaction.atomic():
            run: Run | None = self.lease(pk, owner=owner, state=Run.State.RUNNING, started_at=Now())
            if run is not None:
                run.attempt_rows.create(number=run.attempts, owner=owner)
            return run

    def renew(self, pk: int, *, owner: UUID | None) -> bool:
        """As every lease, but a run that is to be cancelled is not kept."""
        return bool(
            self.filter(cancel_requested_at=None)
            .held_by(owner)
            .filter(pk=pk)
            .update(lease_ends_at=Now() + settings.LEASE)
        )

    def expired(self) -> Self:
        return self.filter(state=Run.State.RUNNING, lease_ends_at__lte=Now())

    def overdue(self) -> Self:
        return self.free().filter(not_before__lt=Now() - OVERDUE)

    def reap(self) -> int:
        """Return every run whose worker was lost, and ring for all that wait too long."""
        reaped = 0
        for run in self.expired():
            reaped += run.requeue(run.owner, why=Attempt.Ending.LOST)
        self.stranded().go_on_without_a_gpu()
        for queue in self.overdue().order_by().values_list("queue", flat=True).distinct():
            ring(BELLS[queue])
        return reaped

    def stranded(self) -> Self:
        """Runs that wait for a GPU while no worker with one is there."""
        waiting = self.overdue().filter(queue=Queue.GPU)
        return self.none() if Worker.objects.alive().serving(Queue.GPU) else waiting

    def go_on_without_a_gpu(self) -> None:
        """What only prefers a GPU is graded without; what needs one fails by our fault once it waited too long."""
        for run in self.select_related("benchmark"):
            if run.benchmark.gpu != Benchmark.Gpu.NEEDS:
                self.model.objects.free().filter(pk=run.pk).update(queue=Queue.CPU)
                ring(BELLS[Queue.CPU])
        for run in self.filter(queue=Queue.GPU, queued_at__lt=Now() - LONGEST_WAIT_FOR_A_GPU):
            taken = self.model.objects.take(run.pk, owner=uuid.uuid4())
            if taken is not None:
                taken.fail("no-gpu", traceback="No worker with a GPU took grade.gpu in time.")


class Run(Leased):
    class Phase(models.TextChoices):
        QUALIFICATION = "qualification", "qualification"
        SAFETY = "safety", "safety"
        THOROUGH = "thorough", "thorough"

    class State(models.TextChoices):
        QUEUED = "queued", "waiting"
        RUNNING = "running", "running"
        SUCCEEDED = "succeeded", "done"
        REFUSED = "refused", "needs a change from you"
        FAILED = "failed", "our fault"
        CANCELLED = "cancelled", "cancelled"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    submission = models.ForeignKey("grading.Submission", on_delete=models.PROTECT, related_name="runs")
    benchmark = models.ForeignKey(
        Benchmark, on_delete=models.PROTECT, related_name="runs", help_text="The version that it measures on."
    )
    phase = models.CharField(max_length=20, choices=Phase)
    queue = models.CharField(max_length=10, choices=Queue, default=Queue.CPU, editable=False)
    clearance = models.OneToOneField(
        "grading.Clearance",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        help_text="What a thorough run rests on: both earlier phases passed.",
    )
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    code = models.CharField(
        max_length=60, blank=True, help_text="Why it was refused, failed or is held, for machines."
    )
    message = models.CharField(max_length=500, blank=True, help_text="The same, for the submitter.")
    traceback = models.TextField(blank=True, help_text="For operators only.")
    crashes = models.PositiveSmallIntegerField(default=0)
    losses = models.PositiveSmallIntegerField(default=0)
    progress_done = models.PositiveBigIntegerField(default=0)
    progress_total = models.PositiveBigIntegerField(default=0)
    record = models.JSONField(default=dict, blank=True, help_text="What it was computed with.")
    claims = models.JSONField(default=list, blank=True, help_text="Each claim beside what was measured.")
    queued_at = models.DateTimeField(default=timezone.now, editable=False)
    not_before = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    cancel_requested_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(
                condition=Q(state="running", owner__isnull=False, lease_ends_at__isnull=False)
                | (~Q(state="running") & Q(owner=None, lease_ends_at=None)),
                name="a_run_is_leased_exactly_while_it_runs",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("queued", "running"), ended_at=None)
                | (~Q(state__in=("queued", "running")) & Q(ended_at__isnull=False)),
                name="a_run_has_an_end_exactly_when_it_is_over",
            ),
            models.CheckConstraint(
                condition=Q(
                    crashes__lte=RETRIES_AFTER_A_CRASH + 1, losses__lte=RETRIES_AFTER_A_LOST_WORKER + 1
                ),
                name="a_run_is_not_retried_for_ever",
            ),
            models.CheckConstraint(
                condition=Q(phase="thorough", clearance__isnull=False)
                | (~Q(phase="thorough") & Q(clearance=None)),
                name="a_run_shows_a_clearance_exactly_when_thorough",
            ),
            models.UniqueConstraint(
                fields=["submission"],
                condition=Q(state__in=("queued", "running")),
                name="one_open_run_per_submission",
            ),
        )
        indexes = (
            models.Index(fields=["not_before"], condition=Q(state="queued"), name="run_queued"),
            models.Index(fields=["lease_ends_at"], condition=Q(state="running"), name="run_leased"),
            models.Index(fields=["started_at"], name="run_started"),
        )

    def __str__(self) -> str:
        return f"{self.get_phase_display()} of {self.submission}"

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.QUEUED, self.State.RUNNING)

    def report_progress(self, done: int, total: int) -> None:
        """Where it stands; only its present worker can say."""
        rows = Run.objects.held_by(self.owner).filter(pk=self.pk)
        rows.update(progress_done=done, progress_total=total)

    def succeed(
        self,
        *,
        measurements: list[dict[str, Any]],
        record: dict[str, Any],
        claims: list[dict[str, Any]],
        held: str = "",
    ) -> bool:
        """Write the result, the final state and the next phase in one transaction; False if the lease was lost."""
        with transaction.atomic():
            if self._is_to_be_cancelled():
                self._end(self.State.CANCELLED, code="cancelled")
                return False
            if not self._end(self.State.SUCCEEDED, record=record, claims=claims, message=held):
                return False
            rows = self.measurements
            rows.bulk_create(rows.model(run=self, **values) for values in measurements)
            if held:
                self.submission.hold()
            else:
                self._open_next_phase()
        return True

    def _open_next_phase(self) -> None:
        if self.phase == self.Phase.QUALIFICATION and not self.submission.is_check_only:
            Run.objects.queue(self.submission, benchmark=self.benchmark, phase=self.Phase.SAFETY)
        elif self.phase == self.Phase.SAFETY:
            self.submission.release_hold()
            self.submission.clear(self)

    def refuse(self, code: str, message: str, *, record: dict[str, Any] | None = None) -> bool:
        """The submitter's fault: they read what to change."""
        with transaction.atomic():
            return self._end(self.State.REFUSED, code=code, message=message, record=record or {})

    def fail(self, code: str, *, traceback: str) -> bool:
        """Our fault: it costs the submitter nothing, and operators see why."""
        message = "This was our fault, not yours: we are looking into it, and it costs you nothing."
        with transaction.atomic():
            return self._end(self.State.FAILED, code=code, message=message, traceback=traceback)

    def requeue(self, owner: UUID | None, *, why: str, traceback: str = "") -> bool:
        """Back to the queue after a crash, a lost worker or a drain; quarantined when that happens too often."""
        crashes = self.crashes + (why == Attempt.Ending.CRASHED)
        losses = self.losses + (why == Attempt.Ending.LOST)
        counts = {"crashes": crashes, "losses": losses}
        is_poison = crashes > RETRIES_AFTER_A_CRASH or losses > RETRIES_AFTER_A_LOST_WORKER
        with transaction.atomic():
            is_to_end = self._is_to_be_cancelled()
            held = Run.objects.filter(pk=self.pk, state=self.State.RUNNING, owner=owner)
            free = {"owner": None, "lease_ends_at": None, "progress_done": 0, "progress_total": 0, **counts}
            if is_poison:
                message = "Held: grading it stopped unexpectedly several times, and we are looking into it."
                values = {
                    "state": self.State.FAILED,
                    "code": "quarantined",
                    "message": message,
                    "ended_at": Now(),
                }
            elif is_to_end:
                values = {"state": self.State.CANCELLED, "code": "cancelled", "ended_at": Now()}
            else:
                pause = pause_after(0 if why == Attempt.Ending.DRAINED else crashes + losses)
                values = {"state": self.State.QUEUED, "not_before": Now() + pause}
            if held.update(**free, **values, traceback=traceback) != 1:
                return False
            self._close_attempt(owner, why)
            self.refresh_from_db()
            if self.state != self.State.QUEUED:
                self._tell()
            elif why == Attempt.Ending.DRAINED:
                ring(BELLS[Queue(self.queue)])
        return True

    def cancel(self, *, by: UUID | None = None) -> None:
        """Stop it: at once while it waits, at the next heartbeat while it runs."""
        with transaction.atomic():
            mine = Run.objects.filter(pk=self.pk)
            waiting = mine.filter(state=self.State.QUEUED)
            values = {"state": self.State.CANCELLED, "code": "cancelled", "ended_at": Now()}
            running = mine.filter(state=self.State.RUNNING)
            if waiting.update(**values, cancel_requested_at=Now()):
                self.refresh_from_db()
                self._tell(by)
            elif not running.update(cancel_requested_at=Now()):
                raise RuleBroken("This run has ended already.", code="already-ended")

    def stop_as_asked(self) -> bool:
        """The worker has stopped what a person cancelled."""
        with transaction.atomic():
            return self._end(self.State.CANCELLED, code="cancelled")

    def _is_to_be_cancelled(self) -> bool:
        """Whether a person has asked for its end; the row stays locked, so that none can ask meanwhile."""
        return Run.objects.select_for_update().filter(pk=self.pk, cancel_requested_at__isnull=False).exists()

    def _end(self, state: str, **values: Any) -> bool:
        """One conditional update to a final state; False when the run is no longer this worker's."""
        held = Run.objects.filter(pk=self.pk, state=self.State.RUNNING).held_by(self.owner)
        if held.update(state=state, owner=None, lease_ends_at=None, ended_at=Now(), **values) != 1:
            return False
        owner, self.owner = self.owner, None
        self._close_attempt(owner, Attempt.Ending.ENDED)
        self.refresh_from_db()
        self._tell()
        return True

    def _close_attempt(self, owner: UUID | None, ending: str) -> None:
        self.attempt_rows.filter(owner__in=[owner], ended_at=None).update(ended_at=Now(), ending=ending)

    def _tell(self, by: UUID | None = None) -> None:
        Event.objects.write(
            f"run.{self.state}",
            program=self.submission.program.public_id,
            subject=self.public_id,
            actor=by,
            phase=self.phase,
            code=self.code,
        )


def pause_after(failures: int) -> timedelta:
    """Growing and a little random, so that many runs do not come back at the same moment."""
    if failures == 0:
        return timedelta(0)
    seconds = min(FIRST_PAUSE_SECONDS * 2 ** (failures - 1), LONGEST_PAUSE_SECONDS)
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))
