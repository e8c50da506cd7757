"""The exponent of credit: how sharply shares turn into weights, at its most likely value.

An exponent of 0 gives every team member the same weight, 1 the share itself; its log has the prior N(0, 0.5^2).
"""

from dataclasses import replace

import numpy as np
from scipy import optimize

from evals.noise.mode import find_mode
from evals.noise.model import Model, Settings
from evals.noise.observations import Observations

LOG_SD = 0.5
RANGE = (-2.0, 1.5)  # of the log
STEP = 0.2
LEAST_LEARNT = 0.9  # of the prior sd: with more left, the data say nothing of the exponent


def with_best_exponent(observations: Observations, settings: Settings) -> tuple[Settings, str]:
    """The settings with the exponent at its mode, and a note; 1 where the data don't tell."""
    plain = replace(settings, luck="symmetric")

    def cost(log: float) -> float:
        model = Model.build(observations, replace(plain, credit_exponent=float(np.exp(log))))
        return find_mode(model).state.objective + (log / LOG_SD) ** 2

    found = optimize.minimize_scalar(cost, bounds=RANGE, method="bounded", options={"xatol": 1e-3})
    best = float(found.x)
    bend = (cost(best + STEP) + cost(best - STEP) - 2.0 * float(found.fun)) / STEP**2
    sd = float(np.sqrt(2.0 / bend)) if bend > 0 else np.inf
    if sd > LEAST_LEARNT * LOG_SD:
        note = "The exponent of credit is left at 1: these teams don't tell it."
        return replace(settings, credit_exponent=1.0), note
    low, high = np.exp(best - 1.645 * sd), np.exp(best + 1.645 * sd)
    note = f"The exponent of credit is {np.exp(best):.2f} (90 %: {low:.2f} to {high:.2f})."
    return replace(settings, credit_exponent=float(np.exp(best))), note
