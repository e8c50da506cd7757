"""Compute a program's estimates anew and make them current, in one transaction."""

import logging
import time
import traceback
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import numpy as np
from django.db import transaction

import evals.noise
from evals.noise import Observations, Posterior, SummaryTable
from tracker.cohorts.models import Enrollment, Stage
from tracker.estimates.evidence import Evidence, evidence_of
from tracker.estimates.models import Contribution, Estimate, Fit, FitRequest, RaterEstimate
from tracker.events.leases import heartbeat
from tracker.events.models import Event
from tracker.people.models import Program

logger = logging.getLogger(__name__)

# What changes what a fit would see.
CHANGES = (
    "ratings.recorded",
    "rating.retracted",
    "output.retracted",
    "output.credited",
    "person.enrolled",
    "run.succeeded",
    "submission.chosen",
    "submission.retracted",
)
DECIMALS_BEYOND_DOUBT = 12
LUCK = "symmetric"
# Two people are in different tiers when the order between them is this probable.
TIER_LEVEL = 0.9
STEPS = (Fit.Hyper.MODE,)


class LeaseLost(Exception):
    """Another worker computes this fit now."""


def take_event(event: Event) -> None:
    """A consumer of events: what changes the evidence asks for a fit."""
    if event.kind in CHANGES and event.program is not None:
        program = Program.objects.filter(public_id=event.program).first()
        if program is not None:
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
            refresh_estimates(request.program, request=request)
    except LeaseLost:
        return False
    except Exception:
        logger.exception("The fit of %s failed.", request.program)
        request.fail(traceback.format_exc(limit=5))
        return False
    return True


def refresh_estimates(program: Program, *, request: FitRequest | None = None) -> Fit | None:
    """Fit the noise model to everything that stands in a program; None where there is too little to fit.

    The mode comes first, in a moment, and is shown; the integrated posterior replaces it.
    """
    evidence = evidence_of(program)
    fit: Fit | None = Fit.objects.current().filter(program=program).first()
    if evidence.is_enough and not is_known(fit, evidence):
        for hyper in STEPS:
            fit = store_fit(program, evidence, compute(evidence, hyper=hyper), hyper=hyper, request=request)
    if request is not None and not request.finish():
        raise LeaseLost
    return fit


def is_known(fit: Fit | None, evidence: Evidence) -> bool:
    return fit is not None and fit.says_all(
        content_hash=evidence.content_hash, model_version=evals.noise.__version__, hyper=STEPS[-1]
    )


def compute(evidence: Evidence, *, hyper: Any) -> Posterior:
    """The posterior of everybody's level; ids are primary keys."""
    rows = evidence.rows
    observations = Observations.from_columns(
        [row["score"] for row in rows],
        output=[row["output"] for row in rows],
        rater=[row["rater"] for row in rows],
        instrument=[row["instrument"] for row in rows],
        se=[row["se"] for row in rows],
        credit=evidence.credit,
        people=evidence.people,
        limits=evidence.limits,
    )
    return evals.noise.fit(observations, hyper=hyper, luck=LUCK)


def store_fit(
    program: Program, evidence: Evidence, posterior: Posterior, *, hyper: str, request: FitRequest | None
) -> Fit:
    """Write a fit with all its rows and make it current, or nothing if the lease is lost."""
    began = time.perf_counter()
    top = places_by_person(program, posterior)
    with transaction.atomic():
        if request is not None and not FitRequest.objects.renew(request.pk, owner=request.owner):
            raise LeaseLost
        Program.objects.select_for_update().get(pk=program.pk)
        Fit.objects.current().filter(program=program).update(is_current=False)
        fit = Fit.objects.create(
            program=program,
            is_current=True,
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
        Estimate.objects.bulk_create(estimates_of(fit, posterior, evidence, top))
        RaterEstimate.objects.bulk_create(rater_estimates_of(fit, posterior))
        Contribution.objects.bulk_create(contributions_of(fit, posterior, evidence), batch_size=1000)
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


def estimates_of(
    fit: Fit, posterior: Posterior, evidence: Evidence, top: dict[int, float]
) -> Iterable[Estimate]:
    raw = raw_by_person(evidence)
    tier: dict[Any, int] = {
        person: at for at, block in enumerate(posterior.tiers(TIER_LEVEL), start=1) for person in block
    }
    beside = posterior.symmetric.persons if posterior.symmetric is not None else None
    for row in rows_of(posterior.persons):
        yield Estimate(
            fit=fit,
            person_id=row.id,
            mean=row.mean,
            sd=row.sd,
            q05=row.q05,
            q25=row.q25,
            q50=row.q50,
            q75=row.q75,
            q95=row.q95,
            symmetric_mean=None if beside is None else beside[row.id].mean,
            symmetric_sd=None if beside is None else beside[row.id].sd,
            raw=raw.get(row.id),
            probability_top=top.get(row.id),
            tier=tier.get(row.id),
            observations=row.observations,
            raters=row.raters,
            outputs=row.outputs,
        )


def rows_of(table: SummaryTable) -> Iterable[Any]:
    """Rows whose ids are the primary keys that went in, which the science knows as labels of any kind."""
    return iter(table)


def raw_by_person(evidence: Evidence) -> dict[int, float]:
    """Each person's bare mean score less that of all scores; shown beside the estimate, never alone."""
    scores = evidence.scores()
    if not scores:
        return {}
    everybody = float(np.mean([row["score"] for row in scores]))
    by_output: dict[int, list[float]] = {}
    for row in scores:
        by_output.setdefault(row["output"], []).append(row["score"])
    by_person: dict[int, list[float]] = {}
    for output, person, share in evidence.credit:
        if share > 0:
            by_person.setdefault(person, []).extend(by_output.get(output, ()))
    return {person: float(np.mean(values)) - everybody for person, values in by_person.items() if values}


def places_by_person(program: Program, posterior: Posterior) -> dict[int, float]:
    """The probability of being among those with a place, in each cohort whose present stage has places."""
    people: list[Any] = list(posterior.persons.id)
    draws = None
    found: dict[int, float] = {}
    for stage in Stage.objects.current().filter(cohort__program=program, places__isnull=False):
        members = Enrollment.objects.active().filter(cohort=stage.cohort).values_list("person", flat=True)
        columns = [people.index(person) for person in members if person in people]
        if not columns or stage.places is None:
            continue
        draws = posterior.draws() if draws is None else draws
        chances = chances_of_a_place(draws[:, columns], stage.places)
        found |= dict(zip((people[column] for column in columns), chances, strict=True))
    return found


def chances_of_a_place(draws: np.ndarray[Any, Any], places: int) -> list[float]:
    """Share of joint draws (draws, people) in which each person is among the best ``places``."""
    ranks = np.argsort(np.argsort(-draws, axis=1), axis=1)
    return [float(share) for share in (ranks < places).mean(axis=0)]


def rater_estimates_of(fit: Fit, posterior: Posterior) -> Iterable[RaterEstimate]:
    for row in rows_of(posterior.raters):
        yield RaterEstimate(
            fit=fit,
            person_id=row.id,
            mean=row.mean,
            sd=row.sd,
            q05=row.q05,
            q95=row.q95,
            observations=row.observations,
        )


def contributions_of(fit: Fit, posterior: Posterior, evidence: Evidence) -> Iterable[Contribution]:
    """What each output moved each of its people; what no own output moved is one row without an output."""
    counts: dict[int, int] = {}
    for row in evidence.rows:
        counts[row["output"]] = counts.get(row["output"], 0) + 1
    own = {(person, output) for output, person, share in evidence.credit if share > 0}
    people: list[Any] = list(posterior.persons.id)
    for person in people:
        pieces: Any = posterior.contributions(person)
        others = pieces.rest
        for piece in pieces.outputs:
            if (person, piece.output) in own:
                yield Contribution(
                    fit=fit,
                    person_id=person,
                    output_id=piece.output,
                    amount=piece.total,
                    specific=piece.specific,
                    observations=counts.get(piece.output, 0),
                )
            else:
                others += piece.total
        if round(others, DECIMALS_BEYOND_DOUBT):
            yield Contribution(fit=fit, person_id=person, output=None, amount=others, observations=0)
