"""Fitting a model to observations."""

import time
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from evals.noise.gaussian import NO_SITES
from evals.noise.gradient import to_vector
from evals.noise.mixture import Mixture
from evals.noise.mode import Mode, find_mode
from evals.noise.model import Model, Settings
from evals.noise.notes import describe
from evals.noise.observations import Observations
from evals.noise.posterior import Engine, Point, Posterior
from evals.noise.terms import DEFAULT_TERMS

HyperBy = Literal["mode", "integrated"]


def fit(
    observations: Observations,
    *,
    terms: Sequence[str] = DEFAULT_TERMS,
    hyper: HyperBy = "mode",
    **settings: Any,
) -> Posterior:
    """The posterior of everybody's level given these observations.

    ``hyper="mode"`` stops at the most likely hyperparameters (with ``prior="flat"``: REML). ``settings``
    are the fields of ``Settings``: luck, prior, reference_sd, noise, credit_exponent, credit_norm, at.
    """
    began = time.perf_counter()
    model = Model.build(observations, Settings(terms=tuple(terms), **settings))
    return at_mode(model, find_mode(model), began)


def at_mode(model: Model, mode: Mode, began: float) -> Posterior:
    """The posterior with the hyperparameters at their mode."""
    gaussian = mode.gaussian
    one = np.ones(1)
    mixtures = {}
    for name in model.design.reports:
        mean, sd = gaussian.report(name)
        mixtures[name] = Mixture(one, mean[None], sd[None])
    fixed = model.design.fixed_slice
    mixtures["fixed"] = Mixture(one, gaussian.mean[None, fixed], np.sqrt(gaussian.variance[None, fixed]))
    vector = to_vector(mode.hyper)
    return Posterior(
        model=model,
        points=(Point(1.0, mode.hyper, NO_SITES),),
        mixtures=mixtures,
        hyper=Mixture(one, vector[None], np.zeros((1, vector.size))),
        criterion=mode.objective,
        engine=Engine(1.0, mode.evaluations, time.perf_counter() - began, mode.converged),
        notes=(*model.notes, *describe(model, mode)),
    )
