"""What a posterior says, as rows: everything is computed before the transaction that stores it."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from evals.noise import Posterior, SummaryTable
from tracker.cohorts.models import Enrollment, Stage
from tracker.estimates.chances import gate_chances_of
from tracker.estimates.evidence import Evidence
from tracker.estimates.models import Contribution, Estimate, Fit, GateChance, RaterEstimate
from tracker.people.models import Program

DECIMALS_BEYOND_DOUBT = 12
# Two people are in different tiers when the order between them is this probable.
TIER_LEVEL = 0.9


class Rows:
    """The rows of one fit, made ready for storing."""

    def __init__(self, program: Program, evidence: Evidence, posterior: Posterior) -> None:
        top = places_by_person(program, posterior)
        self.estimates = list(estimates_of(posterior, evidence, top))
        self.rater_estimates = list(rater_estimates_of(posterior))
        self.contributions = list(contributions_of(posterior, evidence))
        self.gate_chances = list(gate_chances_of(evidence, posterior))

    def store(self, fit: Fit) -> None:
        rows: list[Any] = [
            *self.estimates,
            *self.rater_estimates,
            *self.contributions,
            *self.gate_chances,
        ]
        for row in rows:
            row.fit = fit
        Estimate.objects.bulk_create(self.estimates, batch_size=1000)
        RaterEstimate.objects.bulk_create(self.rater_estimates, batch_size=1000)
        Contribution.objects.bulk_create(self.contributions, batch_size=1000)
        GateChance.objects.bulk_create(self.gate_chances, batch_size=1000)


def estimates_of(posterior: Posterior, evidence: Evidence, top: dict[int, float]) -> Iterable[Estimate]:
    raw, readers = raw_by_person(evidence), evidence.different_readers()
    tier: dict[Any, int] = {
        person: at for at, block in enumerate(posterior.tiers(TIER_LEVEL), start=1) for person in block
    }
    beside = posterior.symmetric.persons if posterior.symmetric is not None else None
    for row in rows_of(posterior.persons):
        yield Estimate(
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
            raters=len(readers[row.id]),
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
        members = Enrollment.objects.of_stage(stage).values_list("person", flat=True)
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


def rater_estimates_of(posterior: Posterior) -> Iterable[RaterEstimate]:
    for row in rows_of(posterior.raters):
        yield RaterEstimate(
            person_id=row.id,
            mean=row.mean,
            sd=row.sd,
            q05=row.q05,
            q95=row.q95,
            observations=row.observations,
        )


def contributions_of(posterior: Posterior, evidence: Evidence) -> Iterable[Contribution]:
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
                    person_id=person,
                    output_id=piece.output,
                    amount=piece.total,
                    specific=piece.specific,
                    observations=counts.get(piece.output, 0),
                )
            else:
                others += piece.total
        if round(others, DECIMALS_BEYOND_DOUBT):
            yield Contribution(person_id=person, output=None, amount=others, observations=0)
