"""That somebody looked at estimates: by name, and logged."""

from collections.abc import Iterable

from tracker.estimates.models import Estimate, Viewing
from tracker.people.models import User
from tracker.ratings.seeing import note_people_shown


def record_view(estimates: Iterable[Estimate], *, by: User, door: str) -> None:
    """Log who saw whose estimates and through which door, and that they know now what others think."""
    seen = list(estimates)
    if seen:
        note_people_shown(by, {estimate.person_id for estimate in seen})
    Viewing.objects.record(seen, by=by, door=door)
