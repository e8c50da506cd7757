"""A gate's answer about one person, and how many people it will leave in the middle.

    clear yes      P(through) >= yes_from, and at least two good pieces
    clear no       P(through) <= no_to under asymmetric and under symmetric luck, and at least two readers
                   whose scores in total speak against, or a failed objective check
    too early      fewer different readers than the floor
    too close      everything else

``P(through)`` is the probability of a level above the bar, or of being among the best ``places``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from evals.noise.arrays import Floats, Label
from evals.noise.fitting import fit
from evals.noise.posterior import Posterior
from evals.noise.simulation import Shape, Simulation, design_cohort, simulate

GOOD_PIECES = 2
READERS_AGAINST = 2
LARGEST_COHORT = 40
COHORTS = 6
DRAWS = 1000


class Answer(StrEnum):
    YES = "clear_yes"
    NO = "clear_no"
    CLOSE = "too_close"
    EARLY = "too_early"


@dataclass(frozen=True)
class Gate:
    """What it takes to get through, and how sure one must be to say so."""

    places: int | None = None
    bar: float | None = None
    yes_from: float = 0.75
    no_to: float = 0.25
    floor: int = 3

    def __post_init__(self) -> None:
        if (self.places is None) == (self.bar is None):
            raise ValueError("A gate has places or a bar: give exactly one of them.")
        if not 0 < self.no_to < self.yes_from < 1:
            raise ValueError("A gate leaves a middle: give 0 < no_to < yes_from < 1.")


@dataclass(frozen=True)
class Standing:
    """What is known of one person at a gate."""

    through: float
    symmetric: float
    readers: int
    against: int
    good_pieces: int
    has_failed_check: bool = False

    def agrees_on_no(self, gate: Gate) -> bool:
        return max(self.through, self.symmetric) <= gate.no_to


def answer_of(standing: Standing, gate: Gate) -> Answer:
    """
    >>> answer_of(Standing(0.9, 0.8, readers=3, against=0, good_pieces=2), Gate(places=10)).value
    'clear_yes'
    >>> answer_of(Standing(0.1, 0.3, readers=3, against=2, good_pieces=0), Gate(places=10)).value
    'too_close'
    """
    if standing.readers < gate.floor:
        return Answer.EARLY
    if standing.through >= gate.yes_from and standing.good_pieces >= GOOD_PIECES:
        return Answer.YES
    speaks_against = standing.against >= READERS_AGAINST or standing.has_failed_check
    return Answer.NO if standing.agrees_on_no(gate) and speaks_against else Answer.CLOSE


def through(posterior: Posterior, gate: Gate, members: list[Label], *, draws: int = DRAWS) -> Floats:
    """Each member's probability of getting through, ranked among the members alone."""
    if gate.bar is not None:
        chances = posterior.probability_above(gate.bar)
        return np.array([chances[member].value for member in members])
    at = {person: column for column, person in enumerate(posterior.persons.id)}
    drawn = posterior.draws(draws)[:, [at[member] for member in members]]
    ranks = np.argsort(np.argsort(-drawn, axis=1), axis=1)
    return np.asarray((ranks < (gate.places or 0)).mean(axis=0))


def speaking_against(posterior: Posterior, person: Label) -> tuple[Label, ...]:
    """The readers whose scores in total pull this person's mean down."""
    pieces = posterior.contributions(person)
    column = posterior.observations.column("rater")
    if column is None:
        return ()
    codes = column.codes[pieces.rows]
    totals = np.bincount(codes[codes >= 0], pieces.values[codes >= 0], len(column.levels))
    return tuple(column.levels[code] for code in np.flatnonzero(totals < 0))


@dataclass(frozen=True)
class Share:
    """A share of people, with its Monte-Carlo error."""

    value: float
    error: float


@dataclass(frozen=True)
class Middle:
    """How a gate will divide people, by simulation at the planned number of readers."""

    people: int
    cohorts: int
    shares: Mapping[Answer, Share]
    wrong_yes: Share  # of all people: clear yes, though truly not through
    wrong_no: Share  # of all people: clear no, though truly through


def expect_middle(
    gate: Gate,
    shape: Shape,
    phi: Mapping[str, float],
    *,
    cohorts: int = COHORTS,
    seed: int = 0,
) -> Middle:
    """Simulate cohorts, fit each, and count the gate's answers; large cohorts are simulated in part."""
    rng = np.random.default_rng(seed)
    gate, shape = in_part(gate, shape)
    found = np.array([_one_cohort(gate, shape, phi, rng) for _ in range(cohorts)])
    mean, error = found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(cohorts)
    shares = [Share(float(value), float(wide)) for value, wide in zip(mean, error, strict=True)]
    return Middle(
        people=shape.people,
        cohorts=cohorts,
        shares=dict(zip(Answer, shares, strict=False)),
        wrong_yes=shares[-2],
        wrong_no=shares[-1],
    )


def in_part(gate: Gate, shape: Shape) -> tuple[Gate, Shape]:
    """The same gate for fewer people, with as large a share of places and as many readers for each."""
    if shape.people <= LARGEST_COHORT:
        return gate, shape
    part = LARGEST_COHORT / shape.people
    places = None if gate.places is None else max(1, round(gate.places * part))
    raters = max(shape.ratings, round(shape.raters * part))
    smaller = Shape(
        LARGEST_COHORT, raters, shape.outputs, shape.ratings, criteria=shape.criteria, teams=shape.teams
    )
    return Gate(places, gate.bar, gate.yes_from, gate.no_to, gate.floor), smaller


def _one_cohort(gate: Gate, shape: Shape, phi: Mapping[str, float], rng: np.random.Generator) -> list[float]:
    """Shares of each answer, then of wrong ones, in one simulated cohort."""
    design, _ = design_cohort(shape, rng)
    simulation = simulate(design, phi, rng)
    posterior = fit(simulation.observations, luck="symmetric")
    members = list(posterior.persons.id)
    chances = through(posterior, gate, members)
    answers = [
        answer_of(_standing(posterior, member, chance), gate)
        for member, chance in zip(members, chances, strict=True)
    ]
    really = _really_through(simulation, gate, members)
    counts = [answers.count(answer) for answer in Answer]
    wrong_yes = sum(one == Answer.YES and not was for one, was in zip(answers, really, strict=True))
    wrong_no = sum(one == Answer.NO and was for one, was in zip(answers, really, strict=True))
    return [count / len(members) for count in (*counts, wrong_yes, wrong_no)]


def _standing(posterior: Posterior, member: Label, chance: float) -> Standing:
    pieces = posterior.contributions(member)
    return Standing(
        through=float(chance),
        symmetric=float(chance),
        readers=posterior.persons[member].raters,
        against=len(speaking_against(posterior, member)),
        good_pieces=sum(piece.total > 0 for piece in pieces.outputs),
    )


def _really_through(simulation: Simulation, gate: Gate, members: list[Label]) -> list[bool]:
    """By the simulated truth; a bar is counted from the middle of these people, as estimates are."""
    levels = np.array([simulation.persons[member] for member in members])
    if gate.bar is not None:
        return [bool(is_above) for is_above in levels - levels.mean() > gate.bar]
    line = np.sort(levels)[::-1][: gate.places][-1]
    return [bool(is_in) for is_in in levels >= line]
