"""Raters with noise of their own: a factor on the noise sd, log-normal around 1, its spread estimated.

With d[r] the log factor of rater r, the criterion changes by

    d criterion / d d[r] = sum over r's rows of 2 noise^2 factor^2 w (1 - w (h + residual^2)),

and d[r] ~ N(0, spread^2). Factors stand at their conditional mode; the spread follows from them and from
how well each is known.
"""

from dataclasses import replace

import numpy as np

from evals.noise.arrays import Floats, tally
from evals.noise.gaussian import Gaussian
from evals.noise.mode import find_mode
from evals.noise.model import Model

MOST_ROUNDS = 40
ENOUGH = 1e-3  # change of a log factor at which the rounds stop
LARGEST_STEP = 0.5
FIRST_SPREAD = 0.3
LEAST_SPREAD = 0.01


def with_own_noise(model: Model) -> Model:
    """The model with every rater's noise factor at its conditional mode, as ``noise_factor`` of its rows."""
    rater = model.observations.column("rater")
    if rater is None:
        raise ValueError("Raters' own noise needs raters: give the observations a rater column.")
    logs, spread = np.zeros(len(rater.levels)), FIRST_SPREAD
    converged = False
    for _ in range(MOST_ROUNDS):
        current = _with_factors(model, logs)
        step, known = _step(find_mode(current.symmetric).state.gaussian, current, logs, spread)
        before, logs = logs, logs + np.clip(step, -LARGEST_STEP, LARGEST_STEP)
        # Their mean is the noise sd's to say: what a step moves all factors by is taken back.
        logs = logs - float(np.average(logs, weights=rater.counts()))
        spread = _spread(logs, known, spread)
        if np.abs(logs - before).max() < ENOUGH:
            converged = True
            break
    note = f"Raters differ in noise by factors with a log sd of {spread:.2f}."
    notes = (
        (note,) if converged else (note, "The raters' noise factors did not settle: they are provisional.")
    )
    return replace(_with_factors(model, logs), notes=(*model.notes, *notes), rater_noise=np.exp(logs))


def _spread(logs: Floats, known: Floats, before: float) -> float:
    """MacKay's fixed point: squares over what the scores, and not the prior, tell of the factors.

    It has the same solution as averaging squares and variances, which hardly moves near zero.
    """
    told = np.maximum(1.0 - 1.0 / (known * before**2), 0.0).sum()
    return max(float(np.sqrt((logs @ logs) / max(told, np.finfo(float).tiny))), LEAST_SPREAD)


def _with_factors(model: Model, logs: Floats) -> Model:
    rater = model.observations.column("rater")
    assert rater is not None
    factor = np.append(np.exp(logs), 1.0)[rater.codes]
    return replace(model, design=replace(model.design, noise_factor=factor))


def _step(gaussian: Gaussian, model: Model, logs: Floats, spread: float) -> tuple[Floats, Floats]:
    """Newton's step of each log factor, and its posterior precision."""
    rater, design = model.observations.column("rater"), model.design
    assert rater is not None
    rows = np.flatnonzero(rater.known)
    noise = np.append(gaussian.hyper.noise, 0.0)[design.noise_of_row]
    assert design.noise_factor is not None
    share = (noise * design.noise_factor) ** 2 * gaussian.row_precision
    gap = gaussian.row_precision * (gaussian.leverage + gaussian.residual**2) - 1.0
    slope = tally(rater.codes[rows], (share * gap)[rows], len(rater.levels)) - logs / spread**2
    free = np.maximum(1.0 - gaussian.row_precision * gaussian.leverage, 0.05)
    known = tally(rater.codes[rows], (2.0 * share**2 * free)[rows], len(rater.levels)) + 1.0 / spread**2
    return slope / known, known
