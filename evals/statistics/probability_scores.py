"""How good probabilities were, once what they were about is known.

    Brier  = mean (p - o)^2            0 is perfect, 1/4 is what always saying one half gives
    log    = mean -log |1 - o - p|     0 is perfect, log 2 is what one half gives; infinite after a sure miss
    skill  = 1 - Brier / Brier of always saying the base rate

Both are proper: nobody scores better, on average, by saying something else than what they think.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scored:
    """Scores of several probabilities; less is better, but for ``skill``."""

    count: int
    brier: float
    log: float
    base_rate: float
    skill: float | None


def score_forecasts(probabilities: Sequence[float], outcomes: Sequence[bool]) -> Scored:
    """Brier and log score of probabilities of what came true or not.

    >>> round(score_forecasts([0.8, 0.4], [True, False]).brier, 3)
    0.1

    ``skill`` is None where everything came out alike, since no base rate can then be beaten.
    """
    p, o = np.asarray(probabilities, dtype=float), np.asarray(outcomes, dtype=float)
    if p.size == 0 or p.shape != o.shape:
        raise ValueError(f"{p.size} probabilities for {o.size} outcomes: give one or more, as many of each.")
    if not ((p >= 0) & (p <= 1)).all() or not np.isin(o, (0, 1)).all():
        raise ValueError("A probability lies from 0 to 1, and an outcome is true or false.")
    brier = float(np.mean((p - o) ** 2))
    rate = float(o.mean())
    chance = rate * (1 - rate)
    with np.errstate(divide="ignore"):
        log = float(np.mean(-np.log(np.where(o == 1, p, 1 - p))))
    return Scored(
        count=p.size,
        brier=brier,
        log=abs(log),
        base_rate=rate,
        skill=1 - brier / chance if chance else None,
    )
