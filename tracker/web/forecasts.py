"""What forecasts of a milestone's date say together, and how they are drawn."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from evals.statistics.date_scores import DateForecast as Known
from evals.statistics.date_scores import DateScore, score_dates
from evals.statistics.drift import Drift, Pair, Reread, by_window, reread
from tracker.projects.models import DateForecast, Milestone

# How far back a line may look, in days; None is everything.
WINDOWS = (14, 28, 56, None)
WIDTH, HEIGHT, EDGE = 640.0, 320.0, 8.0
# No calendar goes further, and no forecast means it.
FARTHEST = timedelta(days=3650)


def pairs_of(forecasts: list[DateForecast]) -> list[Pair]:
    """(made, predicted), both as days of the calendar."""
    return [(timezone.localdate(one.made_at).toordinal(), one.predicted_on.toordinal()) for one in forecasts]


def day_of(number: float | None) -> date | None:
    """A day near enough to be told as a date."""
    if number is None or abs(number - timezone.localdate().toordinal()) > FARTHEST.days:
        return None
    return date.fromordinal(round(number))


@dataclass(frozen=True)
class Line:
    """A drift in dates and words."""

    drift: Drift

    @property
    def slope(self) -> str:
        return f"{self.drift.slope:.2f}".replace("-", "\N{MINUS SIGN}")

    @property
    def meets_on(self) -> date | None:
        return day_of(self.drift.meets)

    @property
    def low_on(self) -> date | None:
        return day_of(self.drift.interval.low) if self.drift.interval.is_bounded else None

    @property
    def high_on(self) -> date | None:
        return day_of(self.drift.interval.high) if self.drift.interval.is_bounded else None

    @property
    def window(self) -> str:
        return "all" if self.drift.window is None else f"{self.drift.window:g}"


@dataclass(frozen=True)
class Point:
    x: str
    y: str
    told: str


@dataclass(frozen=True)
class Picture:
    """Forecasts over the days on which they were made; later dates lie higher."""

    points: list[Point]
    line: tuple[Point, Point]
    today: tuple[Point, Point]
    across: tuple[date | None, date | None]
    upwards: tuple[date | None, date | None]


@dataclass(frozen=True)
class Told:
    """All of it, for one milestone and one window."""

    line: Line | None
    lines: list[Line]
    picture: Picture | None
    changed: Reread | None
    scores: list[DateScore]


def told_of(milestone: Milestone, forecasts: list[DateForecast], *, window: int | None) -> Told:
    pairs = pairs_of(forecasts)
    lines = [Line(found) for found in by_window(pairs, WINDOWS)]
    line = next((one for one in lines if one.drift.window == window), None)
    return Told(
        line=line,
        lines=lines,
        picture=picture_of(pairs, line.drift) if line else None,
        changed=changed_since(pairs, window),
        scores=scores_of(milestone, forecasts),
    )


def changed_since(pairs: list[Pair], window: int | None) -> Reread | None:
    """The line now beside the line before the newest day of forecasts came in."""
    newest = max((made for made, _ in pairs), default=0)
    earlier = [pair for pair in pairs if pair[0] < newest]
    try:
        return reread(earlier, pairs, window=window)
    except ValueError:
        return None


def scores_of(milestone: Milestone, forecasts: list[DateForecast]) -> list[DateScore]:
    """Days of error, once the milestone is reached."""
    if milestone.reached_at is None:
        return []
    happened = timezone.localdate(milestone.reached_at).toordinal()
    return score_dates(
        Known(
            one.person,
            milestone.pk,
            one.predicted_on.toordinal(),
            happened,
            low=one.low_on.toordinal() if one.low_on else None,
            high=one.high_on.toordinal() if one.high_on else None,
        )
        for one in forecasts
        if one.made_at <= milestone.reached_at
    )


def picture_of(pairs: list[Pair], found: Drift) -> Picture:
    first, last = min(made for made, _ in pairs), max(made for made, _ in pairs)
    days = [*(predicted for _, predicted in pairs), first, last]
    low, high = min(days), max(days)

    def at(made: float, predicted: float) -> Point:
        x = EDGE + (WIDTH - 2 * EDGE) * (made - first) / (last - first)
        y = HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * (predicted - low) / (high - low)
        made_on, predicted_on = day_of(made), day_of(predicted)
        return Point(f"{x:.1f}", f"{y:.1f}", f"{made_on}: {predicted_on}")

    return Picture(
        points=[at(*pair) for pair in pairs],
        line=(at(first, found.at(first)), at(last, found.at(last))),
        today=(at(first, first), at(last, last)),
        across=(day_of(first), day_of(last)),
        upwards=(day_of(low), day_of(high)),
    )


def window_in(text: str) -> int | None:
    """The window that an address asks for; anything else is everything."""
    known: dict[str, Any] = {f"{window}": window for window in WINDOWS}
    found: int | None = known.get(text)
    return found
