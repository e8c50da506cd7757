"""The picture of everybody in a cohort: who stands where, how sure that is, and who is tied."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from statistics import median

from django.db import models

from tracker.cohorts.models import Cohort
from tracker.estimates.models import Estimate, Fit, SimulatedTruth
from tracker.people.models import Person, Visitor
from tracker.web.drawing import Axis, Range

# What a likely range promises: it holds the truth for this share of people.
HELD_BY_A_RANGE = 0.9


class View(models.TextChoices):
    RAW = "raw", "raw"
    ADJUSTED = "adjusted", "adjusted"
    TRUTH = "truth", "truth"


@dataclass(frozen=True)
class Row:
    """One person in the picture."""

    estimate: Estimate
    range: Range
    raw: str = ""
    truth: str = ""

    @property
    def person(self) -> Person:
        return self.estimate.person


@dataclass(frozen=True)
class Band:
    """People whose order is not known."""

    rows: list[Row]
    is_early: bool
    is_tied: bool


@dataclass(frozen=True)
class Verdict:
    """Where everything is simulated: how far each list was from the truth."""

    bottom: int
    wrongly_low_raw: list[Person]
    wrongly_low_adjusted: list[Person]
    held: int
    people: int

    @property
    def expected(self) -> int:
        return round(HELD_BY_A_RANGE * self.people)


@dataclass(frozen=True)
class Picture:
    cohort: Cohort
    fit: Fit
    view: View
    axis: Axis
    bands: list[Band]
    views: list[View]
    verdict: Verdict | None = None

    @property
    def estimates(self) -> list[Estimate]:
        return [row.estimate for band in self.bands for row in band.rows]

    @property
    def etag(self) -> str:
        return etag_of(self.fit, self.view)


def etag_of(fit: Fit, view: str) -> str:
    return f'"{fit.public_id}-{view}{"-stale" if fit.stale_at else ""}"'


def views_of(cohort: Cohort, user: Visitor) -> list[View]:
    """Truth can be shown only where people are simulated."""
    shown = list(View)
    if not cohort.program.is_simulated:
        shown.remove(View.TRUTH)
    return shown


def picture_of(cohort: Cohort, user: Visitor, *, view: str) -> Picture | None:
    """Everybody in a cohort as the current fit sees them; None before there is one."""
    current = Estimate.objects.decided_by(user).current().in_cohort(cohort)
    estimates = list(current.select_related("fit__program", "person"))
    if not estimates:
        return None
    views = views_of(cohort, user)
    chosen = View(view) if view in views else View.ADJUSTED
    truths = truths_of(estimates, user) if chosen == View.TRUTH else {}
    axis = axis_of(estimates, truths)
    rows = {estimate.pk: row_of(estimate, axis, truths) for estimate in estimates}
    return Picture(
        cohort=cohort,
        fit=estimates[0].fit,
        view=chosen,
        axis=axis,
        views=views,
        bands=[
            Band([rows[one.pk] for one in band], early, not early and chosen != View.RAW and len(band) > 1)
            for band, early in order(estimates, chosen)
        ],
        verdict=verdict_of(estimates, truths) if truths else None,
    )


def truths_of(estimates: list[Estimate], user: Visitor) -> dict[int, float]:
    people = [estimate.person_id for estimate in estimates]
    known = SimulatedTruth.objects.visible_to(user).filter(person__in=people)
    return dict(known.values_list("person", "level"))


def axis_of(estimates: list[Estimate], truths: dict[int, float]) -> Axis:
    ends = [end for estimate in estimates for end in (estimate.q05, estimate.q95, estimate.raw)]
    return Axis.around_zero([*ends, *truths.values()])


def row_of(estimate: Estimate, axis: Axis, truths: dict[int, float]) -> Row:
    return Row(
        estimate=estimate,
        range=Range.of(estimate, axis),
        raw="" if estimate.raw is None else axis.at(estimate.raw),
        truth=axis.at(truths[estimate.person_id]) if estimate.person_id in truths else "",
    )


def order(estimates: list[Estimate], view: View) -> Iterable[tuple[list[Estimate], bool]]:
    """Bands from the top, those of whom little is known last; bare scores know no ties and no doubt."""
    if view == View.RAW:
        yield sorted(estimates, key=lambda one: (one.raw is None, -(one.raw or 0), one.person.name)), False
        return
    known = [estimate for estimate in estimates if not estimate.is_early]
    for band in bands_of(known):
        yield band, False
    early = sorted((one for one in estimates if one.is_early), key=lambda one: one.person.name)
    if early:
        yield early, True


def bands_of(estimates: list[Estimate]) -> list[list[Estimate]]:
    """Tiers, best first; within one the order is not known, and the middle of the range only places them."""
    listed = sorted(estimates, key=lambda one: (one.tier or 0, -one.q50, one.person.name))
    return [list(tier) for _, tier in groupby(listed, key=lambda one: one.tier)]


def verdict_of(estimates: list[Estimate], truths: dict[int, float]) -> Verdict:
    """Who stood in the lowest quarter of each list although truly in the upper half."""
    known = [estimate for estimate in estimates if estimate.person_id in truths]
    middle = median(truths[estimate.person_id] for estimate in known)
    bottom = max(1, round(len(known) / 4))

    def wrongly_low(levels: dict[Estimate, float]) -> list[Person]:
        lowest = sorted(levels, key=lambda one: (levels[one], one.person.name))[:bottom]
        return [one.person for one in lowest if truths[one.person_id] > middle]

    return Verdict(
        bottom=bottom,
        wrongly_low_raw=wrongly_low({one: one.raw for one in known if one.raw is not None}),
        wrongly_low_adjusted=wrongly_low({one: one.q50 for one in known}),
        held=sum(one.q05 <= truths[one.person_id] <= one.q95 for one in known),
        people=len(known),
    )
