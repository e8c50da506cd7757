"""What a person's page shows beside the estimate: what it rests on, how it went, what it says in words."""

from collections.abc import Iterable
from dataclasses import dataclass

from tracker.estimates.models import Contribution, Estimate, Fit
from tracker.web.drawing import Axis, Bar, Range, Tick
from tracker.web.words import place

FITS_SHOWN = 24
LISTED = 5
# Room for the labels of the axis, in per cent.
MARGIN = 12
SPREAD_OF_PEOPLE = "person"


@dataclass(frozen=True)
class Piece:
    """One contribution as a bar from zero."""

    contribution: Contribution
    bar: Bar
    is_positive: bool


@dataclass(frozen=True)
class Pieces:
    axis: Axis
    rows: list[Piece]
    total: float


def pieces_of(contributions: Iterable[Contribution]) -> Pieces:
    """Signed bars, largest first; together they are the middle of the picture."""
    listed = sorted(contributions, key=lambda piece: -abs(piece.amount))
    axis = Axis.around_zero(piece.amount for piece in listed)
    rows = [
        Piece(piece, axis.bar(min(0.0, piece.amount), max(0.0, piece.amount)), piece.amount >= 0)
        for piece in listed
    ]
    return Pieces(axis, rows, sum(piece.amount for piece in listed))


@dataclass(frozen=True)
class Past:
    """One earlier fit in the history of a person."""

    estimate: Estimate
    at: str
    low: str
    high: str
    middle: str


@dataclass(frozen=True)
class History:
    axis: Axis
    points: list[Past]

    @property
    def levels(self) -> list[Tick]:
        """The axis turned upright, its ends left out: it is even around zero, so that turning swaps the places."""
        ticks = self.axis.ticks
        turned = zip(ticks, reversed(ticks), strict=True)
        return [Tick(place.x, tick.label, tick.is_zero) for tick, place in turned][1:-1]

    @property
    def newest(self) -> list[Past]:
        return self.points[: -LISTED - 1 : -1]


def history_of(estimates: Iterable[Estimate]) -> History:
    """The picture after each change of the evidence, oldest first; the last fit of the same evidence counts."""
    latest: dict[str, Estimate] = {}
    for estimate in estimates:
        latest.setdefault(estimate.fit.content_hash, estimate)
    listed = list(latest.values())[:FITS_SHOWN][::-1]
    axis = Axis.around_zero(end for one in listed for end in (one.q05, one.q95))
    return History(axis, [past_of(one, axis, (at + 0.5) / len(listed)) for at, one in enumerate(listed)])


def past_of(estimate: Estimate, axis: Axis, share: float) -> Past:
    """Levels go up the picture, so that per cent are counted from its top."""
    return Past(
        estimate=estimate,
        at=f"{MARGIN + (100 - MARGIN) * share:.2f}%",
        low=f"{100 - axis.share(estimate.q05):.2f}%",
        high=f"{100 - axis.share(estimate.q95):.2f}%",
        middle=f"{100 - axis.share(estimate.q50):.2f}%",
    )


@dataclass(frozen=True)
class Portrait:
    """One person's estimate as it is drawn and said."""

    estimate: Estimate
    axis: Axis
    range: Range
    raw: str

    @property
    def spread(self) -> float:
        return spread_of_people(self.estimate.fit)

    @property
    def place(self) -> str:
        return place(self.estimate.q50, self.spread)

    @property
    def low_place(self) -> str:
        return place(self.estimate.q05, self.spread)

    @property
    def high_place(self) -> str:
        return place(self.estimate.q95, self.spread)


def portrait_of(estimate: Estimate, *, with_raw: bool = False) -> Portrait:
    """As it is drawn; bare scores only for those who decide."""
    raw = estimate.raw if with_raw else None
    axis = Axis.around_zero((estimate.q05, estimate.q95, raw, 2 * spread_of_people(estimate.fit)))
    return Portrait(estimate, axis, Range.of(estimate, axis), "" if raw is None else axis.at(raw))


def spread_of_people(fit: Fit) -> float:
    """How much levels differ between people, in units of the scores."""
    return float(fit.spreads.get(SPREAD_OF_PEOPLE, {}).get("mean", 0.0))
