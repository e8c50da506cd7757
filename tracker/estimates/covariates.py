"""What the noise model may take into account of a reading beside who, what and by which instrument.

Only properties of the reading itself are on the list. What people are or feel never enters the model, so there is no
other way in: rows are made of these names, and a check refuses every other before anything starts.
"""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from django.conf import settings

# The instrument is the third; it is always in.
OF_THE_READING = {
    "order": "the how manieth piece of its stage it was for its reader",
    "week": "the week of the cohort in which it was read",
}


def chosen() -> list[str]:
    return [name for name in OF_THE_READING if name in settings.COVARIATES]


def covariates_of(rows: Sequence[dict[str, Any]]) -> dict[str, list[float]]:
    """Those that are chosen and vary, with their middle where a row, such as a measurement, has none."""
    found = {}
    for name in chosen():
        known = [row[name] for row in rows if row.get(name) is not None]
        if len(set(known)) > 1:
            middle = fmean(known)
            found[name] = [(middle if row.get(name) is None else row[name]) - middle for row in rows]
    return found
