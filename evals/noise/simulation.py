"""Data drawn from the model, for tests and for planning a cohort."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from evals.noise.arrays import Floats, Label
from evals.noise.memory import require
from evals.noise.observations import Observations
from evals.noise.reports import Moment, identity_report, joined, output_report, person_report
from evals.noise.terms import BUILDERS, Catalogue, Term, credit_weights

BYTES_PER_ROW = 1000  # labels, columns and the line that is written
NOT_TERMS = ("mu", "noise", "luck", "scale")


@dataclass(frozen=True)
class Simulation:
    """Simulated observations with the truth behind them."""

    observations: Observations
    levels: Mapping[str, Floats]  # every level of every term
    persons: Mapping[Label, float]
    raters: Mapping[Label, float]
    outputs: Mapping[Label, float]


def simulate(design: Observations, phi: Mapping[str, float], rng: np.random.Generator) -> Simulation:
    """Scores for the rows of ``design`` (its own are ignored), drawn with the hyperparameters ``phi``.

    ``phi`` maps terms to their sds, and ``noise`` (or ``noise[criterion]``), ``mu`` (or
    ``mu[criterion]``), ``scale[benchmark]`` and ``luck`` to theirs; terms left out don't vary.
    """
    weights = credit_weights(design.shares)[design.owner.codes]
    catalogue = Catalogue(design, weights)
    terms = [term for name in phi if name in BUILDERS for term in catalogue.build(name)]
    _check_names(design, phi, terms)
    levels = {term.name: _draw(term, phi, rng) for term in terms}
    signal, rest = np.zeros(len(design)), np.zeros(len(design))
    for term in terms:
        (signal if term.is_scaled else rest)[:] += term.weights @ levels[term.name]
    code = design.instrument.codes
    names = design.instrument.levels
    scale = np.array([phi.get(f"scale[{name}]", 1.0) for name in names])[code]
    mu = np.array([phi.get(f"mu[{name}]", phi.get("mu", 0.0)) for name in names])[code]
    noise = np.array([phi.get(f"noise[{name}]", phi.get("noise", 0.0)) for name in names])[code]
    spread = np.sqrt(noise**2 + np.nan_to_num(design.se) ** 2)
    score = mu + scale * signal + rest + spread * rng.standard_normal(len(design))
    return Simulation(replace(design, score=score), levels, *_truth(design, terms, levels))


def _check_names(design: Observations, phi: Mapping[str, float], terms: list[Term]) -> None:
    for name, value in phi.items():
        if name.partition("[")[0] not in (*NOT_TERMS, *(term.kind for term in terms)):
            raise ValueError(f"There is nothing for {name!r} to vary: the design has no column for it.")
        least = -np.inf if name.partition("[")[0] == "mu" else 0.0
        if not (np.isfinite(value) and value >= least):
            wanted = "a finite number" if least else "a number of at least 0"
            raise ValueError(f"{name!r} is {value!r}: give {wanted}.")


def _draw(term: Term, phi: Mapping[str, float], rng: np.random.Generator) -> Floats:
    drawn = phi.get(term.name, phi.get(term.kind, 0.0)) * rng.standard_normal(len(term.levels))
    if term.name == "output" and phi.get("luck", 0.0):
        drawn = drawn - rng.exponential(phi["luck"], len(term.levels)) + phi["luck"]
    return drawn


def _truth(
    design: Observations, terms: list[Term], levels: Mapping[str, Floats]
) -> tuple[dict[Label, float], dict[Label, float], dict[Label, float]]:
    """Persons' levels, raters' leniencies and outputs' qualities, as a fit reports them."""
    drawn = np.concatenate([levels[term.name] for term in terms]) if terms else np.zeros(0)
    part = person_report(design, terms, Moment.of(design, None))
    persons = joined(part, 0) @ drawn if terms else np.zeros(len(design.people))
    rater, output = design.column("rater"), design.column("output")
    raters, outputs = {}, {}
    if rater is not None and "rater" in levels:
        raters = dict(zip(rater.levels, joined(identity_report(terms, "rater"), 0) @ drawn, strict=True))
    if output is not None and terms:
        outputs = dict(zip(output.levels, joined(output_report(terms, output, part), 0) @ drawn, strict=True))
    return dict(zip(design.people, persons, strict=True)), raters, outputs


@dataclass(frozen=True)
class Shape:
    """The size of a planned cohort; outputs are by person, ratings by output."""

    people: int
    raters: int
    outputs: int = 2
    ratings: int = 2
    criteria: int = 4
    teams: float = 0.0  # share of outputs by two people

    def __post_init__(self) -> None:
        if self.people < 2 or min(self.raters, self.outputs, self.ratings, self.criteria) < 1:
            raise ValueError("A cohort needs at least 2 people, 1 rater, 1 output, 1 rating and 1 criterion.")
        if self.ratings > self.raters:
            raise ValueError(
                f"An output can't have {self.ratings} ratings by {self.raters} raters: ask for fewer."
            )
        if not 0 <= self.teams <= 1:
            raise ValueError(f"The share of teams is {self.teams!r}: give a number from 0 to 1.")


def design_cohort(
    shape: Shape, rng: np.random.Generator
) -> tuple[Observations, list[tuple[Label, Label, float]]]:
    """Rows to simulate: raters and partners by chance, shares of teams from even to 4 to 1."""
    count = shape.people * shape.outputs * shape.ratings * shape.criteria
    require(BYTES_PER_ROW * count, None, f"Drawing {count:,} scores")
    credit: list[tuple[Label, Label, float]] = []
    output, rater = [], []
    for at in range(shape.people * shape.outputs):
        who = at % shape.people
        partner = (who + int(rng.integers(1, shape.people))) % shape.people
        share = float(rng.uniform(0.5, 0.8)) if rng.random() < shape.teams else 1.0
        credit.append((f"o{at}", f"p{who}", share))
        if share < 1:
            credit.append((f"o{at}", f"p{partner}", 1.0 - share))
        chosen = rng.choice(shape.raters, shape.ratings, replace=False)
        output += [f"o{at}"] * (shape.ratings * shape.criteria)
        rater += [f"r{reader}" for reader in chosen.tolist() for _ in range(shape.criteria)]
    rows = len(output)
    instrument = [f"c{at % shape.criteria}" for at in range(rows)]
    template = Observations.from_columns(
        np.zeros(rows), output=output, rater=rater, instrument=instrument, credit=credit
    )
    return template, credit
