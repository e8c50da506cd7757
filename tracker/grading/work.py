"""A worker's work: lease a run, have it computed in other processes, keep the result or say why there is none.

The worker itself parses nothing that a submitter sent and loads no torch: a jailed reader does the one, the scorer
the other. All three end together.
"""

import logging
import os
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import DatabaseError, OperationalError, close_old_connections, transaction

from evals.grading.benchmarks import Benchmark, load_benchmark
from evals.grading.claims import check_claims, parse_claims
from evals.grading.phases import GradeRequest, PhaseResult, run_phase
from evals.grading.refusals import ChildCrashed, Refused, Stopped
from evals.grading.scoring import Scorer
from tracker.events.leases import Heartbeat, heartbeat
from tracker.grading.models import Attempt, Mistakes, Queue, Run

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_PROGRESS = 1.0
# A run that ends within this of a shutdown is finished; a longer one is given back to the queue.
GRACE_SECONDS = 5.0
SECONDS_BETWEEN_TRIES = 1.0
# Submissions that this process has lately worked on: their answers are at hand, so their next phase costs least here.
FAMILIAR: deque[int] = deque(maxlen=1000)


@cache
def scorer() -> Scorer:
    """This process's scorer: started for the first run and kept warm for the next ones."""
    return Scorer(device=device())


def device() -> str:
    """What torch computes on; empty: the best there is."""
    return "" if settings.GRADING_DEVICE == "auto" else str(settings.GRADING_DEVICE)


@cache
def benchmark_in(folder: Path) -> Benchmark:
    """A benchmark's folder never changes, its name being the hash of what is in it."""
    return load_benchmark(folder)


def drain_flag(worker: int) -> Path:
    """A file that says that the worker with this process id is shutting down."""
    return Path(settings.VAR_DIR) / "run" / f"drain-{worker}"


def is_draining() -> bool:
    """Whether this pool process's worker has been shutting down for longer than the grace."""
    try:
        since = drain_flag(os.getppid()).stat().st_mtime
    except FileNotFoundError:
        return False
    return time.time() - since > GRACE_SECONDS


def grade_next(queue: str = Queue.CPU) -> bool:
    """Grade the run of a queue whose turn it is; False when none waits."""
    run = Run.objects.lease_next(uuid4(), queue=queue, familiar=FAMILIAR)
    if run is None:
        return False
    FAMILIAR.append(run.submission_id)
    grade(run)
    return True


def grade(run: Run) -> None:
    """Grade one leased run and write how it ended, unless another worker has it by then."""
    with heartbeat(Run.objects.all(), run.pk, owner=run.owner) as pulse:
        conclude = judge(run, pulse)
        try:
            patiently(run, conclude, pulse)
        except OperationalError:
            raise
        except DatabaseError:
            logger.exception("What %s found cannot be stored.", run)
            said = traceback.format_exc()
            patiently(run, lambda: run.fail("grader", traceback=said), pulse)


def judge(run: Run, pulse: Heartbeat) -> Callable[[], object]:
    """Have the phase computed; what to write about it."""
    try:
        result = compute(run, pulse)
    except Refused as refused:
        code, message = refused.code, refused.message
        return lambda: run.refuse(code, message)
    except Stopped:
        return lambda: leave(run)
    except ChildCrashed as crash:
        said = str(crash)
        return lambda: run.requeue(run.owner, why=Attempt.Ending.CRASHED, traceback=said)
    except Exception:
        logger.exception("Grading %s failed.", run)
        said = traceback.format_exc()
        return lambda: run.fail("grader", traceback=said)
    return lambda: keep(run, result)


def compute(run: Run, pulse: Heartbeat) -> PhaseResult:
    """The phase's result, from the jailed reader and the scorer."""
    submission = run.submission
    request = GradeRequest(
        benchmark=benchmark_in(run.benchmark.folder),
        artifact=submission.artifact.path,
        filename=submission.filename,
        artifact_hash=submission.artifact.sha256,
        submitter=str(submission.public_id),
        training=submission.training.path if submission.training else None,
        device=device(),
    )
    return run_phase(
        run.phase,
        request,
        scorer=scorer(),
        on_progress=Progress(run),
        should_stop=lambda: pulse.lost.is_set() or is_draining(),
    )


def keep(run: Run, result: PhaseResult) -> None:
    if result.state == "refused":
        run.refuse(result.code, result.message, record=result.record)
        return
    measured = [row for row in result.measurements if row["value"] is not None]
    without: list[str] = []
    if run.phase == Run.Phase.THOROUGH:
        without = sorted(set(run.benchmark.spec["metrics"]) - {row["metric"] for row in measured})
    with transaction.atomic():
        is_kept = run.succeed(
            measurements=measured,
            record=result.record | ({"not_measured": without} if without else {}),
            claims=claims_beside(run, measured) if run.phase == Run.Phase.THOROUGH else [],
            held=result.message if result.state == "held" else "",
        )
        if is_kept and result.mistakes is not None:
            Mistakes.objects.record(run, result.mistakes)


def claims_beside(run: Run, measured: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each claim of the submission beside what was measured."""
    claims = [{"metric": metric, **claim} for metric, claim in run.submission.claims.items()]
    return [asdict(checked) for checked in check_claims(parse_claims(claims), measured)]


def leave(run: Run) -> None:
    """The run was stopped: a person cancelled it, this worker shuts down, or its lease is lost."""
    run.refresh_from_db(fields=["cancel_requested_at"])
    if run.cancel_requested_at is not None:
        run.stop_as_asked()
    else:
        run.requeue(run.owner, why=Attempt.Ending.DRAINED)


def patiently(run: Run, conclude: Callable[[], object], pulse: Heartbeat) -> None:
    """Write the end of a run; a database that is away for a moment must not cost what was computed.

    What was rolled back has changed the object in memory, but not the row: the run is still this worker's.
    """
    while True:
        try:
            run.owner = pulse.owner
            conclude()
        except OperationalError:
            if pulse.lost.is_set():
                raise
            logger.warning("The database is away: trying again to write the end of a run.")
            close_old_connections()
            time.sleep(SECONDS_BETWEEN_TRIES)
        else:
            return


class Progress:
    """Writes where a run stands, at most once a second."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.told_at = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self.told_at >= SECONDS_BETWEEN_PROGRESS:
            self.told_at = now
            self.run.report_progress(done, total)
