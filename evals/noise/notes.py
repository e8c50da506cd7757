"""What a fit has to say about itself, in plain sentences."""

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from evals.noise.integration import LARGEST_PARETO_K, LEAST_EFFECTIVE, Integrated
from evals.noise.mode import LUCK_FLOOR, Mode
from evals.noise.model import Model
from evals.noise.observations import Observations


def describe(model: Model, mode: Mode, *, is_integrated: bool = False) -> list[str]:
    """Sentences about disconnected comparisons, units, variances at zero and convergence."""
    notes = [*_disconnected(model.observations), *_luck(model), *_units(model)]
    where, end = (" where it is most likely", ", but do not rule it out") if is_integrated else ("", "")
    least = 1.01 * LUCK_FLOOR * model.reference if model.is_asymmetric else 0.0
    for term, sd in zip(model.design.terms, mode.hyper.sd, strict=True):
        if sd <= least:
            notes.append(
                f"The sd of {term.name} is at zero{where}: the scores show no such source of variation{end}."
            )
    if model.is_asymmetric and mode.hyper.luck <= least:
        notes.append(f"The scores show no sign that bad luck reaches further than good luck{end}.")
    for name, sd in zip(model.design.noise_names, mode.hyper.noise, strict=True):
        if sd <= 1.01 * model.least_noise:
            notes.append(
                f"The sd of {name} is at its floor: the terms explain every score, which scores rarely allow."
            )
    for name, scale in zip(model.design.scale_names, mode.hyper.scale, strict=True):
        if scale == 0:
            notes.append(f"The scale of {name} is at zero: it is unrelated to what raters value.")
    if not mode.converged:
        notes.append(
            "The search for the hyperparameters did not converge: treat the estimates as provisional."
        )
    return notes


def _luck(model: Model) -> list[str]:
    """Where luck is not what its name says."""
    if model.settings.luck == "symmetric":
        return []
    if model.settings.link == "ordinal":
        return ["With the ordinal link luck is symmetric."]
    if not model.is_asymmetric:
        return ["There is no term for outputs here, so luck is part of noise and symmetric."]
    output, rater = model.observations.column("output"), model.observations.column("rater")
    if output is None or rater is None:
        return []
    ratings = np.unique(np.stack([output.codes, rater.codes], axis=1)[rater.known], axis=0)
    if np.bincount(ratings[:, 0], minlength=1).max(initial=0) > 1:
        return []
    return ["Every output has one rating at most, so luck includes the act of rating."]


def _units(model: Model) -> list[str]:
    """Graders' instruments are told in units of their own sd."""
    seen = model.observations
    return [
        f"Scores on {level} are divided by their sd, {unit:.3g}: its mean and noise are in that unit."
        for level, unit in zip(seen.instrument.levels, model.unit, strict=True)
        if level in seen.measured_instruments
    ]


def describe_integration(found: Integrated) -> list[str]:
    """Sentences about too few effective points and about sweeps that didn't converge."""
    notes = []
    if found.weights.size > 1 and found.effective < LEAST_EFFECTIVE:
        notes.append(f"Only {found.effective:.0f} effective points: treat intervals as approximate.")
    if found.pareto_k > LARGEST_PARETO_K:
        notes.append(
            f"The weights' tail is heavy (Pareto k {found.pareto_k:.2f}): treat intervals as approximate."
        )
    if not found.all_converged:
        notes.append("The sweeps over luck did not converge everywhere: treat the estimates as provisional.")
    return notes


def _disconnected(observations: Observations) -> list[str]:
    """Groups of people and raters without a link: between them comparison rests on the prior alone."""
    rater = observations.column("rater")
    if rater is None or not rater.known.any():
        return []
    people, width = len(observations.people), len(rater.levels)
    entries = observations.credit.tocoo()
    code = rater.codes[entries.row]
    known = code >= 0
    ends = (entries.col[known], people + code[known])
    links = sparse.coo_matrix((np.ones(int(known.sum())), ends), shape=(people + width,) * 2)
    _, group = csgraph.connected_components(links, directed=False)
    sizes = [int(size) for size in np.bincount(group[np.unique(entries.col[known])]) if size]
    if len(sizes) < 2:
        return []
    listed = ", ".join(map(str, sorted(sizes, reverse=True)[:5]))
    return [
        f"People and raters fall into {len(sizes)} groups without a link (people: {listed}): "
        "between groups, comparison rests on the prior alone."
    ]
