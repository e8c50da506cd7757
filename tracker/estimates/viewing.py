"""That somebody looked at estimates: by name, and logged."""

from collections.abc import Iterable
from itertools import groupby

from tracker.estimates.models import Estimate
from tracker.events.models import Event
from tracker.people.models import User


def record_view(estimates: Iterable[Estimate], *, by: User, door: str) -> None:
    """Log who saw whose estimates and through which door; one event for each program."""
    seen = sorted(estimates, key=lambda estimate: estimate.fit.program_id)
    for _, group in groupby(seen, key=lambda estimate: estimate.fit.program_id):
        rows = list(group)
        people = [str(row.person.public_id) for row in rows]
        Event.objects.write(
            "estimate.viewed",
            program=rows[0].fit.program.public_id,
            subject=rows[0].person.public_id if len(rows) == 1 else None,
            actor=by.public_id,
            door=door,
            people=people,
        )
