"""That somebody is shown what others say of outputs: the one place to which every door says so."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef

from tracker.people.models import Person, Visitor
from tracker.projects.models import Output
from tracker.ratings.models import Rating, Sighting


def note_ratings_shown(user: Visitor, ratings: Iterable[Rating] | None = None) -> None:
    """Ratings by others are shown, or all that this user may see."""
    shown = Rating.objects.visible_to(user).exclude(rater__in=Person.objects.of(user))
    if ratings is not None:
        shown = shown.filter(pk__in=[rating.pk for rating in ratings])
    Sighting.objects.note(user, Output.objects.filter(pk__in=shown.order_by().values("output")))


def note_people_shown(user: Visitor, people: Iterable[int]) -> None:
    """Estimates of these people are shown: they rest on what others say of their outputs."""
    others = Rating.objects.standing().exclude(rater__in=Person.objects.of(user))
    rated = Output.objects.filter(
        Exists(others.filter(output=OuterRef("pk"))), credits__person__in=list(people)
    )
    Sighting.objects.note(user, rated)


def note_projects_shown(user: Visitor, projects: Iterable[int]) -> None:
    """What others told the teams of these projects is shown."""
    Sighting.objects.note(user, Output.objects.filter(project__in=list(projects)))
