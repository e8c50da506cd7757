"""Blind readings drawn from the noise model, so that what is true of everybody is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evals.noise import Observations, simulate

# Chosen so that the raw means wrong somebody visibly: among the lowest by them, truly above the middle.
SEED = 42
# A person's share of a score's variance is near 30 %, as published for ratings of new researchers; what readers
# and single persons have with each other, luck and the rest take what is left.
SPREADS = {
    "mu": 6.0,
    "person": 0.95,
    "aspect": 0.35,
    "rater": 0.6,
    "habit": 0.3,
    "affinity": 0.8,
    "halo": 0.45,
    "output": 0.4,
    "luck": 0.4,
    "noise": 0.55,
}
LOWEST, HIGHEST = 1.0, 10.0


@dataclass(frozen=True)
class Reading:
    """That a reader reads an output; both by primary key."""

    output: int
    rater: int


@dataclass(frozen=True)
class Simulated:
    """Scores by reading and criterion, and the level that each person really has."""

    scores: dict[Reading, dict[str, float]]
    levels: dict[int, float]


def draw(
    readings: Sequence[Reading],
    credit: Sequence[tuple[int, int, float]],
    *,
    people: Sequence[int],
    criteria: Sequence[str],
    seed: int = SEED,
) -> Simulated:
    """Scores on the rubric's scale, in whole points as the pages offer them, for every reading and criterion."""
    rows = [(reading, criterion) for reading in readings for criterion in criteria]
    design = Observations.from_columns(
        [0.0] * len(rows),
        output=[reading.output for reading, _ in rows],
        rater=[reading.rater for reading, _ in rows],
        instrument=[criterion for _, criterion in rows],
        credit=list(credit),
        people=list(people),
    )
    drawn = simulate(design, SPREADS, np.random.default_rng(seed))
    scores: dict[Reading, dict[str, float]] = {reading: {} for reading in readings}
    for (reading, criterion), value in zip(rows, drawn.observations.score, strict=True):
        scores[reading][criterion] = on_the_scale(value)
    return Simulated(scores, {person: float(drawn.persons[person]) for person in people})


def on_the_scale(value: float) -> float:
    return float(np.clip(np.round(value), LOWEST, HIGHEST))
