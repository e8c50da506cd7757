"""Data drawn from the model, for tests and for planning a cohort."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from evals.noise.arrays import Floats, Label
from evals.noise.observations import Observations
from evals.noise.reports import Moment, identity_report, joined, output_report, person_report
from evals.noise.terms import BUILDERS, Catalogue, Term, credit_weights

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
        if not np.isfinite(value) or (value < 0 and not name.startswith("mu")):
            raise ValueError(f"The sd of {name!r} is {value!r}: give a number of at least 0.")


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
