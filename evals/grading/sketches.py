"""Mistakes that two teams share: a sketch of each one's wrong answers, and whether two agree beyond what is common.

    hits   = items that the first has wrong and the second answers alike, by the sketch
    P_t    = P(second wrong at t) s_t,    hits ~ Poisson-binomial(P)
    logit P(second wrong at t) = logit d_t + b,   b such that the sum over all items is the second's mistakes
    d_t    = how often the other teams are wrong at t;  s_t = how often, when wrong, they answer as the first did

Two honest teams find the same items hard and fall for the same wrong answers; the other teams tell which those are.
A sketch holds no label and no id: a byte an item in a secret order, 0 where the answer is right.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

LONGEST_SKETCH = 4096
CODES = 255
FEWEST_OTHERS = 4
FEWEST_SHARED = 10
STRIKING_SHARE = 0.6
SURE = 0.001
PRIOR_TEAMS = 1.0
PLAIN_SDS = 4.0
BISECTIONS = 60
Sketch = NDArray[np.uint8]


@dataclass(frozen=True)
class Alike:
    """How far two teams' mistakes agree; ``p_value`` allows for the number of pairs of teams."""

    mistakes: int
    shared: int
    expected: float
    p_value: float

    @property
    def share(self) -> float:
        """The part of the mistakes that is shared, beyond what was expected."""
        return max(0.0, self.shared - self.expected) / max(1.0, self.mistakes - self.expected)

    @property
    def is_striking(self) -> bool:
        """Worth a person's look: more alike than hard items and popular mistakes explain, and by much."""
        return self.shared >= FEWEST_SHARED and self.p_value < SURE and self.share >= STRIKING_SHARE


def sketch(codes: NDArray[np.int64], wrong: NDArray[np.bool_], *, secret: bytes) -> Sketch:
    """A byte for each of at most 4,096 items, in an order that only the labels' holder can undo.

    ``codes`` are equal for equal answers; ``secret`` is the same for all submissions to one benchmark.
    """
    seed = int.from_bytes(hashlib.sha256(b"sketch" + secret).digest(), "little")
    order = np.random.Generator(np.random.Philox(seed)).permutation(len(codes))[:LONGEST_SKETCH]
    return np.where(wrong, 1 + codes % CODES, 0).astype(np.uint8)[order]


def resemblances(mine: Sketch, others: Sequence[Sketch]) -> list[Alike | None]:
    """One team's mistakes beside each other team's; None while too few teams tell what is common.

    >>> resemblances(np.zeros(3, np.uint8), [np.zeros(3, np.uint8)])
    [None]
    """
    if len(others) <= FEWEST_OTHERS:
        return [None] * len(others)
    table = np.stack(others)
    pairs = len(others) * (len(others) + 1) // 2
    return [compared(mine, table, place, pairs) for place in range(len(others))]


def compared(mine: Sketch, table: Sketch, place: int, pairs: int) -> Alike:
    """Both ways round, the less striking of the two counting."""
    rest, other = np.delete(table, place, axis=0), table[place]
    found = [one_way(first, second, rest) for first, second in ((mine, other), (other, mine))]
    milder = max(found, key=lambda alike: (alike.p_value, -alike.share))
    return Alike(milder.mistakes, milder.shared, milder.expected, min(1.0, milder.p_value * pairs))


def one_way(first: Sketch, second: Sketch, rest: Sketch) -> Alike:
    """How often the second makes the first's mistakes, by what the rest does."""
    at = first > 0
    shared = int((first[at] == second[at]).sum())
    chances = (wrong_chances(second, rest) * answer_chances(first, second, rest))[at]
    return Alike(int(at.sum()), shared, float(chances.sum()), tail(shared, chances))


def wrong_chances(second: Sketch, rest: Sketch) -> NDArray[np.float64]:
    """(items,) the chance of a mistake, by each item's difficulty for the rest and by how often the second errs."""
    mistakes = int((second > 0).sum())
    wrong = (rest > 0).sum(axis=0)
    average = (mistakes + wrong.sum()) / (second.size * (1 + len(rest)))
    hard = (PRIOR_TEAMS * average + wrong) / (PRIOR_TEAMS + len(rest))
    hard = hard.clip(1e-9, 1 - 1e-9)
    logit = np.log(hard) - np.log1p(-hard)
    low, high = -40.0, 40.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if sigmoid(logit + middle).sum() < mistakes else (low, middle)
    return sigmoid(logit + low)


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-x)), np.float64)


def answer_chances(first: Sketch, second: Sketch, rest: Sketch) -> NDArray[np.float64]:
    """(items,) the chance that a mistake at an item is the first's: popular there, or popular at large."""
    same, wrong = (rest == first).sum(axis=0), (rest > 0).sum(axis=0)
    often = np.bincount(np.concatenate([second, rest.ravel()]), minlength=CODES + 1)[1:]
    kinds = int((often > 0).sum())
    at_large = often / max(1, often.sum()) * kinds / max(1, kinds - 1)  # one of them is right at each item
    prior = np.concatenate([[0.0], at_large.clip(max=1.0)])[first]
    return np.asarray((PRIOR_TEAMS * prior + same) / (PRIOR_TEAMS + wrong), np.float64)


def tail(hits: int, chances: NDArray[np.float64]) -> float:
    """P(at least so many hits), each item with its own chance: exact where it matters.

    >>> round(tail(2, np.array([0.5, 0.5])), 6)
    0.25
    """
    mean, variance = float(chances.sum()), float((chances * (1 - chances)).sum())
    if hits <= mean:
        return 1.0
    if hits - 0.5 < mean + PLAIN_SDS * math.sqrt(variance) and len(chances) > CODES:
        return NormalDist().cdf((mean + 0.5 - hits) / math.sqrt(variance))
    counts = np.zeros(len(chances) + 1)
    counts[0] = 1.0
    for place, chance in enumerate(chances, start=1):
        counts[1 : place + 1] = counts[1 : place + 1] * (1 - chance) + counts[:place] * chance
        counts[0] *= 1 - chance
    return float(min(1.0, counts[hits:].sum()))
