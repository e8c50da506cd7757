"""Drift of date forecasts: where the line of what was predicted meets the day on which it is predicted.

    predicted_i = reference + slope (made_i - center) + error_i,        center the mean of made_i

Days are numbers, counted from any day. The line meets *predicted = today* on the day t with

    reference + slope (t - center) = t,    so    t = center + (reference - center) / (1 - slope),

a ratio whose interval is Fieller's: all t with

    (reference + slope (t - center) - t)^2 <= q (1/n + (t - center)^2 / spread),

where q = (quantile of t with n - 2 degrees of freedom)^2 times the residual variance, and
spread = sum (made_i - center)^2. That set may reach to infinity. A slope of 1 or more says that the day recedes as fast
as time passes. Forecasts of one person follow each other closely, which the line does not know: all of it describes,
and promises nothing.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from scipy.stats import t as student

FEWEST_DATES = 3
# A slope this close below 1 is 1, but for rounding.
ROUNDING = 1e-9
Pair = tuple[float, float]


class Shape(StrEnum):
    """What kind of set Fieller's interval is."""

    BETWEEN = "between its ends"
    OUTSIDE = "before its low end or after its high end"
    ANY = "any day"


@dataclass(frozen=True)
class MeetingInterval:
    """The days on which the line may meet *today*, at the level that was asked for."""

    shape: Shape
    low: float
    high: float

    @property
    def is_bounded(self) -> bool:
        return self.shape is Shape.BETWEEN

    def covers(self, day: float) -> bool:
        if self.shape is Shape.ANY:
            return True
        inside = self.low <= day <= self.high
        return inside if self.is_bounded else day <= self.low or day >= self.high


@dataclass(frozen=True)
class Drift:
    """A least-squares line through forecasts, and where it meets *predicted = today*.

    ``meets`` is None where the line never does, its slope being 1 or more.
    """

    slope: float
    reference: float
    center: float
    residual_sd: float
    count: int
    dates: int
    window: float | None
    meets: float | None
    interval: MeetingInterval

    @property
    def recedes(self) -> bool:
        """Whether the day recedes at least as fast as time passes."""
        return self.meets is None

    def at(self, day: float) -> float:
        """What the line says was predicted on a day."""
        return self.reference + self.slope * (day - self.center)


@dataclass(frozen=True)
class Reread:
    """What changed between two computations from data that were read twice."""

    before: Drift
    after: Drift
    added: tuple[Pair, ...] = field(default=())
    removed: tuple[Pair, ...] = field(default=())

    @property
    def slope_changed_by(self) -> float:
        return self.after.slope - self.before.slope

    @property
    def moved_by(self) -> float | None:
        """Days by which the meeting moved; None where one of the two has none."""
        if self.before.meets is None or self.after.meets is None:
            return None
        return self.after.meets - self.before.meets


def drift(pairs: Iterable[Pair], *, window: float | None = None, level: float = 0.9) -> Drift:
    """The line through (made, predicted) pairs of the last ``window`` days up to the newest.

    >>> line = drift([(0, 30), (10, 35), (20, 40)])
    >>> line.slope, line.meets
    (0.5, 60.0)
    """
    if not 0 < level < 1:
        raise ValueError(f"The level is {level!r}: give a probability between 0 and 1.")
    made, predicted = within(checked(pairs), window)
    dates = np.unique(made).size
    if dates < FEWEST_DATES:
        raise ValueError(
            f"Forecasts of {dates} different dates make no line: at least {FEWEST_DATES} are needed."
        )
    center, reference = float(made.mean()), float(predicted.mean())
    spread = float(np.sum((made - center) ** 2))
    slope = float(np.sum((made - center) * (predicted - reference)) / spread)
    residuals = predicted - reference - slope * (made - center)
    variance = float(np.sum(residuals**2)) / (made.size - 2)
    margin = float(student.ppf((1 + level) / 2, made.size - 2)) ** 2 * variance
    return Drift(
        slope=slope,
        reference=reference,
        center=center,
        residual_sd=math.sqrt(variance),
        count=made.size,
        dates=dates,
        window=window,
        meets=center + (reference - center) / (1 - slope) if slope < 1 - ROUNDING else None,
        interval=fieller(
            1 - slope,
            reference - center,
            of_slope=margin / spread,
            of_level=margin / made.size,
            center=center,
        ),
    )


def checked(pairs: Iterable[Pair]) -> np.ndarray:
    table = np.array([tuple(pair) for pair in pairs], dtype=float).reshape(-1, 2)
    if not np.isfinite(table).all():
        raise ValueError("A forecast has a day that is no number: leave it out or correct it.")
    return table


def within(table: np.ndarray, window: float | None) -> tuple[np.ndarray, np.ndarray]:
    if window is not None and not window > 0:
        raise ValueError(f"The window is {window!r} days: give a positive number, or none for all forecasts.")
    if window is not None and len(table):
        table = table[table[:, 0] >= table[:, 0].max() - window]
    return table[:, 0], table[:, 1]


def fieller(
    nearing: float, distance: float, *, of_slope: float, of_level: float, center: float
) -> MeetingInterval:
    """The set of u with (distance - nearing u)^2 <= of_level + of_slope u^2, moved to ``center``."""
    square, linear, constant = nearing**2 - of_slope, -2 * distance * nearing, distance**2 - of_level
    discriminant = linear**2 - 4 * square * constant
    if square == 0 or (square < 0 and discriminant <= 0):
        return MeetingInterval(Shape.ANY, -math.inf, math.inf)
    # Without residuals rounding alone may leave the root of a number just below zero.
    root = math.sqrt(max(0.0, discriminant))
    ends = sorted((-linear + sign * root) / (2 * square) for sign in (-1, 1))
    shape = Shape.BETWEEN if square > 0 else Shape.OUTSIDE
    return MeetingInterval(shape, center + ends[0], center + ends[1])


def by_window(pairs: Sequence[Pair], windows: Iterable[float | None], *, level: float = 0.9) -> list[Drift]:
    """The line over each window that holds enough dates: the slope depends on how far one looks back."""
    found = []
    for window in windows:
        try:
            found.append(drift(pairs, window=window, level=level))
        except ValueError:
            if len(pairs) and window is not None and not window > 0:
                raise
    return found


def reread(
    before: Sequence[Pair], after: Sequence[Pair], *, window: float | None = None, level: float = 0.9
) -> Reread:
    """Compare the lines of the same forecasts as they were read before and are read now."""
    old, new = sorted(before), sorted(after)
    return Reread(
        before=drift(old, window=window, level=level),
        after=drift(new, window=window, level=level),
        added=tuple(missing_from(old, new)),
        removed=tuple(missing_from(new, old)),
    )


def missing_from(these: Sequence[Pair], those: Sequence[Pair]) -> list[Pair]:
    """Pairs of ``those`` that ``these`` lack, as often as they lack them."""
    left = list(these)
    missing = []
    for pair in those:
        if pair in left:
            left.remove(pair)
        else:
            missing.append(pair)
    return missing
