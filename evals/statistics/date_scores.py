"""How well somebody foresaw dates, once they are known.

    error    = happened - predicted                                        days; positive when it came later
    interval = (high - low) + 2/alpha (low - happened)_+ + 2/alpha (happened - high)_+,    alpha = 1 - level

The interval score (Gneiting and Raftery 2007) is least in expectation for the true quantiles at alpha/2 and
1 - alpha/2: it rewards a narrow range that holds. Forecasts of one milestone are averaged before milestones are, so
that nobody counts more by repeating themselves.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean


@dataclass(frozen=True)
class DateForecast:
    """One forecast of a date that is now known; days are numbers, counted from any day."""

    forecaster: object
    milestone: object
    predicted: float
    happened: float
    low: float | None = None
    high: float | None = None

    @property
    def error(self) -> float:
        return self.happened - self.predicted


@dataclass(frozen=True)
class DateScore:
    """A forecaster's mean errors over milestones; None where they gave no range."""

    forecaster: object
    milestones: int
    forecasts: int
    signed: float
    absolute: float
    interval: float | None
    covered: float | None
    ranges: int


def interval_score(low: float, high: float, happened: float, *, level: float = 0.8) -> float:
    """
    >>> interval_score(10, 20, 15), interval_score(10, 20, 23, level=0.5)
    (10.0, 22.0)
    """
    if not low <= high:
        raise ValueError(f"The range goes from {low} to {high}: give its earlier end first.")
    if not 0 < level < 1:
        raise ValueError(f"The level is {level!r}: give a probability between 0 and 1.")
    missed_by = max(low - happened, 0.0) + max(happened - high, 0.0)
    return float(high - low + 2 / (1 - level) * missed_by)


def score_dates(forecasts: Iterable[DateForecast], *, level: float = 0.8) -> list[DateScore]:
    """One score for each forecaster, in the order in which they first appear.

    >>> score_dates([DateForecast("ann", "m", 10, 13), DateForecast("ann", "m", 12, 13)])[0].signed
    2.0
    """
    rows: dict[object, dict[object, list[DateForecast]]] = defaultdict(lambda: defaultdict(list))
    for forecast in forecasts:
        rows[forecast.forecaster][forecast.milestone].append(forecast)
    return [score_of(forecaster, list(by.values()), level) for forecaster, by in rows.items()]


def score_of(forecaster: object, milestones: list[list[DateForecast]], level: float) -> DateScore:
    ranged = [[one for one in same if one.low is not None and one.high is not None] for same in milestones]
    scores = [[range_of(one, level) for one in same] for same in ranged if same]
    return DateScore(
        forecaster=forecaster,
        milestones=len(milestones),
        forecasts=sum(map(len, milestones)),
        signed=fmean(fmean(one.error for one in same) for same in milestones),
        absolute=fmean(fmean(abs(one.error) for one in same) for same in milestones),
        interval=fmean(fmean(score for score, _ in same) for same in scores) if scores else None,
        covered=fmean(fmean(hit for _, hit in same) for same in scores) if scores else None,
        ranges=sum(map(len, ranged)),
    )


def range_of(forecast: DateForecast, level: float) -> tuple[float, bool]:
    """The score of a range, and whether it held."""
    assert forecast.low is not None
    assert forecast.high is not None
    score = interval_score(forecast.low, forecast.high, forecast.happened, level=level)
    return score, forecast.low <= forecast.happened <= forecast.high
