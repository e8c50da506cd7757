"""What a decision must say, whichever door it comes through."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import timezone

from tracker.cohorts.models import Stage
from tracker.decisions.models.outcomes import Outcome, demand_weeks
from tracker.errors import RuleBroken
from tracker.wording import worded


@dataclass(frozen=True)
class DecisionDraft:
    """A decision as it is typed."""

    outcome: str
    reasons: str
    forecast: float | None = None
    weeks: int | None = None
    again_on: date | None = None

    def check(self) -> None:
        if self.outcome not in Outcome.values:
            raise RuleBroken(f"Decide one of: {', '.join(Outcome.values)}.", field="outcome")
        worded(self.reasons, "Give the reasons of the decision.", field="reasons", code="reasons-missing")
        if self.forecast is None or not 0 <= self.forecast <= 1:
            raise RuleBroken(
                "Say how probable you find it that, in a year, you would decide the same: from 0 to 1.",
                field="forecast",
                code="forecast-missing",
            )
        if self.outcome == Outcome.EXTEND:
            demand_weeks(self.weeks)
        if self.outcome == Outcome.MORE_EVIDENCE and self._is_past():
            raise RuleBroken(
                "Say by which day it is decided again: a day to come.", field="again_on", code="day-missing"
            )

    def check_notice(self, stage: Stage) -> None:
        """Who is asked for more evidence still knows before other commitments lapse."""
        is_to_come = timezone.localdate() <= stage.notice_on
        if (
            self.outcome == Outcome.MORE_EVIDENCE
            and is_to_come
            and (self.again_on or date.max) > stage.notice_on
        ):
            raise RuleBroken(
                f"People know by {stage.notice_on:%-d %B %Y}: decide again by then.",
                field="again_on",
                code="after-notice",
            )

    def _is_past(self) -> bool:
        return self.again_on is None or self.again_on <= timezone.localdate()

    def values(self) -> dict[str, Any]:
        """What belongs to this outcome; the rest is left out."""
        return {
            "outcome": self.outcome,
            "reasons": self.reasons.strip(),
            "forecast": self.forecast,
            "weeks": self.weeks if self.outcome == Outcome.EXTEND else None,
            "again_on": self.again_on if self.outcome == Outcome.MORE_EVIDENCE else None,
        }
