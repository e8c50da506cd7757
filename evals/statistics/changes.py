"""Changes of shares: of the same people asked twice, of different people, and of people who partly kept silent.

Paired (Agresti and Min 2005): of n people, ``gained`` said yes only the second time and ``lost`` only the first. With
half a person added to each of the four cells, d = (gained - lost) / (n + 2) and

    standard error = sqrt(gained + lost + 1 - (gained - lost)^2 / (n + 2)) / (n + 2).

Unpaired (Newcombe 1998, method 10): with Wilson's interval (l, u) of each share p, d = p2 - p1 lies between

    d - sqrt((p2 - l2)^2 + (u1 - p1)^2)   and   d + sqrt((u2 - p2)^2 + (p1 - l1)^2).

Silence (worst case): whoever kept silent may all have said no, or all yes; nothing in the data says which.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from evals.statistics.shares import wilson


@dataclass(frozen=True)
class Change:
    """A difference of two shares, later minus earlier, with the interval around it."""

    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Bounds:
    """Where a share lies whatever the silent would have said; ``low`` and ``high`` allow for chance as well."""

    answered: float
    least: float
    most: float
    low: float
    high: float


def paired_change(*, gained: int, lost: int, of: int, level: float = 0.95) -> Change:
    """The change among the same people.

    >>> found = paired_change(gained=86, lost=150, of=1600)
    >>> round(found.low, 3), round(found.high, 3)
    (-0.059, -0.021)
    """
    if min(gained, lost) < 0 or gained + lost > of or of < 1:
        raise ValueError(
            f"{gained} gained and {lost} lost of {of}: give counts of at least 0 that sum to at most the total."
        )
    total = of + 2
    difference = (gained - lost) / total
    reach = z_of(level) * math.sqrt(gained + lost + 1 - (gained - lost) ** 2 / total) / total
    return Change((gained - lost) / of, max(-1.0, difference - reach), min(1.0, difference + reach))


def unpaired_change(before: tuple[int, int], after: tuple[int, int], *, level: float = 0.95) -> Change:
    """The change between different people; each side is (count, of).

    >>> found = unpaired_change((48, 80), (56, 70))
    >>> round(found.low, 4), round(found.high, 4)
    (0.0524, 0.3339)
    """
    first, second = wilson(*before, level=level), wilson(*after, level=level)
    difference = second.share - first.share
    return Change(
        difference,
        difference - math.hypot(second.share - second.low, first.high - first.share),
        difference + math.hypot(second.high - second.share, first.share - first.low),
    )


def silence_bounds(count: int, *, answered: int, asked: int, level: float = 0.95) -> Bounds:
    """The share of all who were asked, whatever those who did not answer would have said.

    >>> found = silence_bounds(30, answered=40, asked=50)
    >>> found.answered, found.least, found.most
    (0.75, 0.6, 0.8)
    """
    if not 0 <= count <= answered <= asked or answered < 1:
        raise ValueError(
            f"{count} of {answered} who answered of {asked} who were asked: each must be at most the next."
        )
    fewest, most = wilson(count, asked, level=level), wilson(count + asked - answered, asked, level=level)
    return Bounds(count / answered, fewest.share, most.share, fewest.low, most.high)


def silence_change(before: tuple[int, int, int], after: tuple[int, int, int]) -> tuple[float, float]:
    """The least and the most that a share changed; each side is (count, answered, asked).

    >>> silence_change((5, 8, 10), (6, 9, 10))
    (-0.1, 0.2)
    """
    first, second = (silence_bounds(count, answered=n, asked=asked) for count, n, asked in (before, after))
    return round(second.least - first.most, 12), round(second.most - first.least, 12)


def z_of(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"The level is {level!r}: give a probability between 0 and 1.")
    return NormalDist().inv_cdf((1 + level) / 2)
