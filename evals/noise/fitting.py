"""Fitting a model to observations: at the mode of its hyperparameters, or integrated over them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from evals.noise.arrays import Floats
from evals.noise.choice import choose_model
from evals.noise.evaluation import State, to_vector
from evals.noise.fitted import Engine, Point
from evals.noise.gaussian import Gaussian
from evals.noise.integration import (
    Integrated,
    Integration,
    Kept,
    Summary,
    beside_points,
    first_proposal,
    least_points,
    proposal_beside,
)
from evals.noise.mixture import Mixture
from evals.noise.mode import Mode, find_mode
from evals.noise.model import Model, Settings
from evals.noise.notes import describe, describe_integration
from evals.noise.observations import Observations
from evals.noise.posterior import Posterior
from evals.noise.propagation import TERM, LuckPosterior
from evals.noise.proposal import Proposal
from evals.noise.terms import DEFAULT_TERMS

HyperBy = Literal["mode", "integrated"]


@dataclass(frozen=True)
class Effort:
    """How to search: by mode or integration, with which seed, how many points, on how many threads."""

    hyper: HyperBy = "mode"
    seed: int = 0
    points: int | None = None
    workers: int = 1

    def __post_init__(self) -> None:
        if self.hyper not in ("mode", "integrated"):
            raise ValueError(f"hyper={self.hyper!r} is unknown: use mode or integrated.")
        for name, value, least in (
            ("number of points", self.points, 1),
            ("number of workers", self.workers, 1),
            ("seed", self.seed, 0),
        ):
            if value is not None and value < least:
                raise ValueError(f"The {name} is {value}: give at least {least}.")


def fit(
    observations: Observations,
    *,
    terms: Sequence[str] | None = None,
    hyper: HyperBy = "mode",
    seed: int = 0,
    points: int | None = None,
    workers: int = 1,
    beside: bool = True,
    **settings: Any,
) -> Posterior:
    """The posterior of everybody's level given these observations.

    Without ``terms``: the default ones, and of growth, form, project and panel those that the design can
    tell apart; the notes say which were left out.

    ``hyper="mode"`` stops at the most likely hyperparameters (with ``prior="flat"``: REML),
    ``hyper="integrated"`` integrates over them. ``settings`` are the fields of ``Settings``: luck, prior,
    reference_sd, noise, credit_exponent, credit_norm, at, memory. With asymmetric luck the symmetric posterior is
    computed too and stands beside as ``posterior.symmetric``, unless ``beside`` is false.
    """
    chosen = Settings(terms=DEFAULT_TERMS if terms is None else tuple(terms), **settings)
    model = choose_model(observations, chosen, is_default=terms is None)
    effort = Effort(hyper, seed, points, workers)
    began = time.perf_counter()
    mode = find_mode(model)
    posterior = fit_model(mode, effort, began=began)
    if not (beside and model.is_asymmetric):
        return posterior
    few = replace(effort, points=points or beside_points(model))
    near = None
    if hyper == "integrated":
        near = proposal_beside(model.symmetric, posterior.hyper.means, posterior.hyper.weight)
    return replace(posterior, symmetric=fit_model(mode.even or find_mode(model.symmetric), few, near))


def fit_model(
    mode: Mode, effort: Effort, near: Proposal | None = None, *, began: float | None = None
) -> Posterior:
    """The posterior around a mode; ``near`` is where to look first, if that is known."""
    began, model = began or time.perf_counter(), mode.state.model
    found = _integrate(model, mode, effort, near) if effort.hyper == "integrated" else _only(mode)
    evaluations = mode.evaluations + found.evaluations
    return Posterior(
        model=model,
        points=tuple(
            Point(float(weight), kept.hyper, kept.sites)
            for weight, kept in zip(found.weights, found.kept, strict=True)
        ),
        mixtures=_mixtures(found),
        hyper=Mixture(found.weights, found.vectors, np.zeros_like(found.vectors)),
        criterion=mode.state.objective,
        engine=Engine(
            effective_points=found.effective,
            evaluations=evaluations,
            seconds=time.perf_counter() - began,
            converged=mode.converged and found.all_converged,
            pareto_k=found.pareto_k if effort.hyper == "integrated" else None,
        ),
        notes=(
            *model.notes,
            *describe(model, mode, is_integrated=effort.hyper == "integrated"),
            *describe_integration(found),
        ),
        workers=effort.workers,
    )


def _integrate(model: Model, mode: Mode, effort: Effort, near: Proposal | None) -> Integrated:
    integration = Integration(
        model,
        mode.state,
        summarise,
        seed=effort.seed,
        least_points=effort.points or least_points(model),
        workers=effort.workers,
    )
    return integration.run(near or first_proposal(model, mode.state))


def _only(mode: Mode) -> Integrated:
    """The mode as a mixture of one."""
    vector = to_vector(mode.state.model, mode.hyper)
    return Integrated(
        vectors=vector[None],
        weights=np.ones(1),
        kept=(Kept.of(mode.state, summarise),),
        effective=1.0,
        pareto_k=-np.inf,
        evaluations=0,
    )


def summarise(state: State, with_sds: bool = True) -> Summary:
    """Mean, sd and standardised third cumulant of everything reported, at one point."""
    gaussian = state.gaussian
    fixed = gaussian.design.fixed_slice
    if not with_sds:
        found: Summary = {
            name: (report @ gaussian.mean, None, None) for name, report in gaussian.design.reports.items()
        }
        return found | {"fixed": (gaussian.mean[fixed], None, None)}
    found = {name: (*gaussian.report(name), None) for name in gaussian.design.reports}
    found["fixed"] = (gaussian.mean[fixed], np.sqrt(gaussian.variance[fixed]), None)
    return found if state.luck is None else found | _skewed(state.luck, found)


def _skewed(luck: LuckPosterior, found: Summary) -> Summary:
    """The reports with the third cumulants that they inherit from luck."""
    inherited = _luck_columns(luck.gaussian)
    skewed: Summary = {}
    for name, matrix in luck.gaussian.design.reports.items():
        mean, sd, _ = found[name]
        assert sd is not None
        passed = matrix @ inherited
        third = (passed * passed * passed) @ luck.third_cumulants
        skewed[name] = (mean, sd, third / np.maximum(sd**3, np.finfo(float).tiny))
    return skewed


def _luck_columns(gaussian: Gaussian) -> Floats:
    """Covariance of every variable with every output's luck: (variables, outputs)."""
    design = gaussian.design
    luck = design.slices[TERM]
    if design.kept:
        columns = gaussian.factor.last_columns(luck.stop - luck.start, design.reported)
    else:
        units = np.zeros((design.size, luck.stop - luck.start))
        units[luck] = np.eye(luck.stop - luck.start)
        columns = gaussian.factor.solve(units)
    return np.asarray(gaussian.spread[:, None] * columns)


def _mixtures(found: Integrated) -> dict[str, Mixture]:
    mixtures = {}
    for name in found.kept[0].summary:
        means, sds, skews = zip(*(kept.summary[name] for kept in found.kept), strict=True)
        bent = [skew if skew is not None else np.zeros_like(means[0]) for skew in skews]
        has_skews = any(skew is not None for skew in skews)
        mixtures[name] = Mixture(
            found.weights, np.stack(means), np.stack(sds), np.stack(bent) if has_skews else None
        )
    return mixtures
