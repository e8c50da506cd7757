"""Where things lie in a picture that the server draws: everything in per cent of its width."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from tracker.estimates.models import Estimate

TICKS_AT_MOST = 7
STEPS = (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
MARGIN = 0.04


@dataclass(frozen=True)
class Bar:
    """A stretch of the axis, in per cent."""

    x: str
    width: str


@dataclass(frozen=True)
class Tick:
    x: str
    label: str
    is_zero: bool


@dataclass(frozen=True)
class Axis:
    """A stretch of numbers laid over the width of a picture."""

    low: float
    high: float
    step: float

    @classmethod
    def around_zero(cls, values: Iterable[float | None]) -> "Axis":
        """Even on both sides, and round at its ends, so that it rarely jumps when a value moves."""
        reach = max((abs(value) for value in values if value is not None), default=0.0) or 1.0
        step = step_for(2 * reach)
        end = math.ceil(reach / step - 1e-9) * step
        return cls(-end, end, step)

    @classmethod
    def over(cls, values: Iterable[float | None]) -> "Axis":
        known = [value for value in values if value is not None]
        low, high = min(known, default=0.0), max(known, default=1.0)
        room = (high - low) * MARGIN or abs(high) * MARGIN or 1.0
        return cls(low - room, high + room, step_for(high - low + 2 * room))

    def share(self, value: float) -> float:
        return 100 * (value - self.low) / (self.high - self.low)

    def at(self, value: float) -> str:
        return f"{self.share(value):.2f}%"

    def bar(self, low: float, high: float) -> Bar:
        return Bar(self.at(low), f"{max(0.0, self.share(high) - self.share(low)):.2f}%")

    @property
    def ticks(self) -> list[Tick]:
        first = math.ceil(self.low / self.step - 1e-9)
        last = math.floor(self.high / self.step + 1e-9)
        values = [number * self.step for number in range(first, last + 1)]
        return [Tick(self.at(value), label(value), value == 0) for value in values]


def step_for(reach: float) -> float:
    """The smallest round step that leaves few ticks."""
    fitting = (step for step in STEPS if reach / step <= TICKS_AT_MOST - 1)
    return next(fitting, 10.0 ** math.ceil(math.log10(reach)))


def label(value: float) -> str:
    return f"{value:+g}".replace("-", "\N{MINUS SIGN}") if value else "0"


@dataclass(frozen=True)
class Range:
    """An estimate as it is drawn: thin for where the level very likely is, thick for its inner half."""

    thin: Bar
    thick: Bar
    middle: str

    @classmethod
    def of(cls, estimate: Estimate, axis: Axis) -> "Range":
        return cls(
            thin=axis.bar(estimate.q05, estimate.q95),
            thick=axis.bar(estimate.q25, estimate.q75),
            middle=axis.at(estimate.q50),
        )
