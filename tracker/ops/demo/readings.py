"""Who reads what, the scores they give, and the truth behind them."""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import numpy as np

from tracker.cohorts.models import Stage
from tracker.estimates.evidence import credit_of
from tracker.estimates.models import SimulatedTruth
from tracker.ops.demo.people import Cast
from tracker.ops.demo.plan import Calendar
from tracker.ops.demo.simulating import Reading, Simulated, draw
from tracker.ops.demo.work import Piece
from tracker.people.models import Person, Program
from tracker.projects.models import TeamMember
from tracker.ratings.handing_out import hand_out
from tracker.ratings.models import Conflict, Rating, ReadingPlan
from tracker.ratings.rules import Draft

ASSIGNING_SEED = 11
SECOND_SHARE = 0.2
# Readers take a day or a few for a piece.
DAYS_TO_READ = (1, 2, 3)


def assign(pieces: Sequence[Piece], cast: Cast) -> dict[Reading, Piece]:
    """Readers for every piece: never its own project's mentor, those with the fewest pieces first."""
    rng = np.random.default_rng(ASSIGNING_SEED)
    barred = barred_pairs()
    load: Counter[int] = Counter()
    readings = {}
    for piece in pieces:
        free = [
            mentor.pk
            for mentor in cast.mentors.values()
            if (piece.output.project_id, mentor.pk) not in barred
        ]
        order = sorted(rng.permutation(free).tolist(), key=lambda mentor: load[mentor])
        for mentor in order[: piece.readers]:
            load[mentor] += 1
            readings[Reading(piece.output.pk, mentor)] = piece
    return readings


def hand_out_reading(stage: Stage, pieces: Sequence[Piece], *, lead: Person) -> ReadingPlan:
    """What is still wanting, as a lead hands it out: a floor of readers, a sample for all, a share read twice."""
    plan = ReadingPlan.objects.create(
        stage=stage, readers_each=stage.planned_readers, second_share=SECOND_SHARE, seed=ASSIGNING_SEED
    )
    plan.samples.set([max(pieces, key=lambda piece: piece.day).output])
    plan.judge_samples()
    hand_out(plan, by=lead.public_id)
    return plan


def barred_pairs() -> set[tuple[int, int]]:
    """Pairs of project and person between whom no reading is blind, or free of interest."""
    teams = TeamMember.objects.active().values_list("project", "person")
    conflicts = Conflict.objects.standing().values_list("project", "person")
    return set(teams) | set(conflicts)


def simulate_readings(readings: Sequence[Reading], cast: Cast, criteria: Sequence[str]) -> Simulated:
    people = [person.pk for person in cast.mentees.values()]
    credit = credit_of({reading.output for reading in readings})
    return draw(readings, credit, people=people, criteria=criteria)


def keep_truth(simulated: Simulated) -> None:
    """Everybody's level from the middle of everybody, which is what estimates are about too."""
    middle = fmean(simulated.levels.values())
    SimulatedTruth.objects.bulk_create(
        SimulatedTruth(person_id=person, level=level - middle) for person, level in simulated.levels.items()
    )


def record_readings(
    program: Program,
    readings: dict[Reading, Piece],
    *,
    simulated: Simulated,
    cast: Cast,
    calendar: Calendar,
) -> list[Rating]:
    """Through the same door and rules as everybody's ratings."""
    mentors = {mentor.pk: mentor for mentor in cast.mentors.values()}
    drafts = [
        Draft(
            output=piece.output,
            rater=mentors[reading.rater],
            scores=simulated.scores[reading],
            submitted_at=calendar.at(**read_at(position, piece)),
        )
        for position, (reading, piece) in enumerate(readings.items())
    ]
    return Rating.objects.record_all(drafts, program=program)


def read_at(position: int, piece: Piece) -> dict[str, Any]:
    """A plausible moment for the n-th reading: some days after the piece, in working hours."""
    day = min(piece.day + DAYS_TO_READ[position % len(DAYS_TO_READ)], -1)
    return {"day": day, "hour": 9 + position % 9 + (position * 7 % 60) / 60}
