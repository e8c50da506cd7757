"""The demo's plan, as cohort.toml states it, with its days turned into dates around today."""

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.utils import timezone

PLAN = Path(__file__).with_name("cohort.toml")
# Readings open and close at this hour (UTC).
CLOSING_HOUR = 18


@cache
def read_plan() -> dict[str, Any]:
    with PLAN.open("rb") as file:
        return tomllib.load(file)


@dataclass(frozen=True)
class Calendar:
    """Days of the plan as dates, counted from one day that stays the same while the demo is loaded."""

    today: date

    @classmethod
    def now(cls) -> "Calendar":
        return cls(timezone.localdate())

    def on(self, day: int) -> date:
        return self.today + timedelta(days=day)

    def at(self, day: int, hour: float = CLOSING_HOUR) -> datetime:
        """A moment of that day; never one that has yet to come, when the day is today or before."""
        moment = datetime.combine(self.on(day), time(), tzinfo=timezone.get_default_timezone())
        moment += timedelta(hours=hour)
        return min(moment, timezone.now()) if day <= 0 else moment
