"""Compute a program's estimates anew and make them current, in one transaction."""

import logging
import time
import traceback
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models.functions import Now

import evals.noise
from evals.noise import Observations, Posterior
from tracker.estimates.covariates import covariates_of
from tracker.estimates.evidence import Evidence, evidence_of
from tracker.estimates.models import Fit, FitRequest, Hyper
from tracker.estimates.rows import Rows
from tracker.events.leases import heartbeat
from tracker.events.models import Event
from tracker.people.models import Program

logger = logging.getLogger(__name__)

# What changes what a fit would see.
CHANGES = (
    "ratings.recorded",
    "rating.retracted",
    "conflict.declared",
    "conflict.withdrawn",
    "project.changed",
    "output.retracted",
    "output.credited",
    "person.enrolled",
    "person.admitted",
    "person.left",
    "person.merged",
    "program.ruled",
    "gate.fixed",
    "run.succeeded",
    "benchmark.regraded",
    "submission.chosen",
    "submission.retracted",
)


THREADS = 2  # of one fit, beside which another may run


class LeaseLost(Exception):
    """Another worker computes this fit now."""


class NothingToFit(Exception):
    """The evidence cannot be fitted, in a sentence; only other evidence will change that."""


def take_event(event: Event) -> None:
    """A consumer of events: what changes the evidence asks for a fit."""
    if event.kind in CHANGES and event.program is not None:
        program = Program.objects.filter(public_id=event.program).first()
        if program is not None:
            Fit.objects.current().filter(program=program).mark_stale()
            FitRequest.objects.ask(program)


def refresh_due() -> int:
    """Do every fit that is due; how many were done."""
    count = 0
    while (request := FitRequest.objects.lease_next(uuid4())) is not None:
        count += refresh_request(request)
    return count


def refresh_request(request: FitRequest) -> bool:
    """Do one leased request; what goes wrong is kept with it and tried again later."""
    try:
        with heartbeat(FitRequest.objects.all(), request.pk, owner=request.owner):
            refresh_estimates(request.program, hyper=request.hyper, request=request)
    except LeaseLost:
        return False
    except NothingToFit as reason:
        request.give_up(str(reason))
        return False
    except Exception:
        logger.exception("The fit of %s failed.", request.program)
        request.fail(traceback.format_exc(limit=5))
        return False
    return True


def refresh_estimates(
    program: Program, *, hyper: str = Hyper.MODE, request: FitRequest | None = None
) -> Fit | None:
    """Fit the noise model to everything that stands in a program; None where there is too little to fit.

    The mode comes first, in a moment, and is shown; the integrated posterior of the same evidence replaces it.
    """
    evidence = evidence_of(program)
    fit: Fit | None = Fit.objects.current().filter(program=program).first()
    is_known = fit is not None and fit.is_of(evidence.content_hash, evals.noise.__version__)
    if not evidence.is_enough or (is_known and fit is not None and hyper in (Hyper.MODE, fit.hyper)):
        finish(request)
        if fit is not None and is_known:
            fit.stand()
        return fit
    return store_fit(program, evidence, compute(evidence, hyper=hyper), hyper=hyper, request=request)


def has_news(program: Program) -> bool:
    """Whether evidence came that the fit at hand has not seen."""
    return FitRequest.objects.waiting().filter(program=program, hyper=Hyper.MODE).exists()


def finish(request: FitRequest | None) -> None:
    if request is not None and not request.finish():
        raise LeaseLost


def compute(evidence: Evidence, *, hyper: Any) -> Posterior:
    """The posterior of everybody's level; ids are primary keys."""
    try:
        return evals.noise.fit(observations_of(evidence), hyper=hyper, luck="asymmetric", workers=THREADS)
    except ValueError as error:
        raise NothingToFit(str(error)) from error


def observations_of(evidence: Evidence) -> Observations:
    rows = evidence.rows
    return Observations.from_columns(
        [row["score"] for row in rows],
        output=[row["output"] for row in rows],
        rater=[row["rater"] for row in rows],
        instrument=[row["instrument"] for row in rows],
        panel=[row.get("panel") for row in rows],
        se=[row["se"] for row in rows],
        credit=evidence.credit,
        people=evidence.people,
        limits=evidence.limits,
        covariates=covariates_of(rows),
    )


def store_fit(
    program: Program, evidence: Evidence, posterior: Posterior, *, hyper: str, request: FitRequest | None
) -> Fit | None:
    """Write a fit with all its rows and make it current, or nothing if the lease is lost or news came in."""
    began = time.perf_counter()
    rows = Rows(program, evidence, posterior)
    with transaction.atomic():
        Program.objects.select_for_update().get(pk=program.pk)
        finish(request)
        current: Fit | None = Fit.objects.current().filter(program=program).first()
        if (
            hyper == Hyper.INTEGRATED
            and current is not None
            and current.content_hash != evidence.content_hash
        ):
            return current
        Fit.objects.current().filter(program=program).update(is_current=False)
        fit = Fit.objects.create(
            program=program,
            is_current=True,
            stale_at=Now() if has_news(program) else None,
            hyper=hyper,
            settings=settings_of(posterior),
            rows=len(evidence.rows),
            content_hash=evidence.content_hash,
            model_version=evals.noise.__version__,
            criterion=posterior.criterion,
            spreads={name: as_json(at) for name, at in posterior.sds.items()},
            fixed={name: as_json(at) for name, at in posterior.fixed.items()},
            notes=list(posterior.notes),
            measured=measured_record(evidence, posterior),
            seconds=posterior.engine.seconds + time.perf_counter() - began,
        )
        rows.store(fit)
        if hyper == Hyper.MODE:
            FitRequest.objects.ask_for_better(program)
        Event.objects.write("estimates.fitted", program=program.public_id, subject=fit.public_id, hyper=hyper)
    return fit


def settings_of(posterior: Posterior) -> dict[str, Any]:
    settings = posterior.model.settings
    return {
        "terms": list(settings.terms),
        "luck": settings.luck,
        "prior": settings.prior,
        "noise": settings.noise,
        "credit_exponent": settings.credit_exponent,
        "credit_norm": settings.credit_norm,
        "effective_points": posterior.engine.effective_points,
        "evaluations": posterior.engine.evaluations,
        "converged": posterior.engine.converged,
    }


def as_json(interval: Any) -> dict[str, float]:
    return {"mean": interval.mean, "sd": interval.sd, "low": interval.q05, "high": interval.q95}


def measured_record(evidence: Evidence, posterior: Posterior) -> dict[str, Any]:
    """Each benchmark: whether it joined, why not, and how far it follows what readers value."""
    record = {entry.instrument: entry.as_record() for entry in evidence.measured}
    for instrument, scale in posterior.scales.items():
        if instrument in record:
            record[instrument]["scale"] = as_json(scale)
    return record
