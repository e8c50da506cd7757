"""Fits and gradings as rows, for tests of pages that show them."""

from typing import Any
from uuid import uuid4

from django.db.models.functions import Now

from tests.factories import make_submission
from tracker.estimates.models import Estimate, Fit
from tracker.grading.models import Run, Submission
from tracker.people.models import Person, Program

ACCURACY = {
    "metric": "accuracy",
    "value": 0.871,
    "standard_error": 0.012,
    "low": 0.847,
    "high": 0.893,
    "n": 797,
    "method": "bootstrap",
}


def make_fit(program: Program, levels: dict[Person, float], **values: Any) -> Fit:
    """A current fit in which everybody's likely range reaches one point to both sides."""
    raters, raw, tiers = values.pop("raters", 4), values.pop("raw", {}), values.pop("tiers", {})
    Fit.objects.filter(program=program).update(is_current=False)
    defaults = {"hyper": "integrated", "rows": 40, "content_hash": uuid4().hex, "model_version": "1"}
    spreads = {"person": {"mean": 0.5, "sd": 0.0, "low": 0.5, "high": 0.5}}
    fit = Fit.objects.create(
        program=program,
        is_current=True,
        **{**defaults, "criterion": 1.0, "seconds": 0.1, "spreads": spreads, **values},
    )
    Estimate.objects.bulk_create(
        estimate_of(fit, person, level, raters=raters, raw=raw.get(person, level), tier=tiers.get(person, 1))
        for person, level in levels.items()
    )
    return fit


def estimate_of(fit: Fit, person: Person, level: float, **values: Any) -> Estimate:
    return Estimate(
        fit=fit,
        person=person,
        mean=level,
        sd=0.6,
        q05=level - 1,
        q25=level - 0.4,
        q50=level,
        q75=level + 0.4,
        q95=level + 1,
        observations=16,
        outputs=2,
        **values,
    )


def graded(submission: Submission | None = None, **values: Any) -> Submission:
    """A submission walked through all phases, as a worker would have done."""
    submission = submission or make_submission()
    for phase in Run.Phase.values:
        Run.objects.filter(state=Run.State.QUEUED).update(not_before=Now())
        run = Run.objects.lease_next(uuid4())
        assert run is not None
        assert run.phase == phase
        measured = [ACCURACY] if phase == Run.Phase.THOROUGH else []
        record = {"device": "cpu", "isolation": "full", "artifact_hash": submission.artifact_id}
        claims = values.get("claims", []) if phase == Run.Phase.THOROUGH else []
        run.succeed(measurements=measured, record=record, claims=claims)
    return submission


def refused(submission: Submission, code: str, message: str) -> Submission:
    run = Run.objects.lease_next(uuid4())
    assert run is not None
    run.refuse(code, message)
    return submission


def run_next(*, held: str = "") -> None:
    """The next phase comes to its end and found nothing, or something for a person."""
    Run.objects.filter(state=Run.State.QUEUED).update(not_before=Now())
    run = Run.objects.lease_next(uuid4())
    assert run is not None
    run.succeed(measurements=[], record={}, claims=[], held=held)


def held_by_safety(submission: Submission, raised: str) -> Submission:
    run_next()
    run_next(held=raised)
    submission.refresh_from_db()
    return submission
