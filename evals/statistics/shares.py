"""Intervals of a share.

Wilson's interval of ``count`` of ``of``: the shares p with |count/of - p| <= z sqrt(p (1 - p) / of).
"""

import math
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True)
class ShareInterval:
    """A share with the interval around it."""

    count: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.count / self.of


def wilson(count: int, of: int, *, level: float = 0.95) -> ShareInterval:
    """
    >>> found = wilson(17, 26)
    >>> round(found.low, 2), round(found.high, 2)
    (0.46, 0.81)
    """
    if of < 1 or not 0 <= count <= of:
        raise ValueError(f"{count} of {of} is no share: give a count from 0 to the total, of at least 1.")
    if not 0 < level < 1:
        raise ValueError(f"The level is {level!r}: give a probability between 0 and 1.")
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, widening = count / of, 1 + z**2 / of
    middle = (share + z**2 / (2 * of)) / widening
    reach = z * math.sqrt(share * (1 - share) / of + z**2 / (4 * of**2)) / widening
    return ShareInterval(count, of, max(0.0, middle - reach), min(1.0, middle + reach))
