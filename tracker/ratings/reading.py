"""What waits to be read: for each reader what they may rate and have not, where a reading helps most first."""

from django.db.models import Count, Q, QuerySet

from tracker.people.models import DECIDERS, READERS, Person, Program, Visitor
from tracker.projects.models import Output, Project
from tracker.ratings.models import Conflict, Rating


def outputs_to_read(user: Visitor) -> QuerySet[Output]:
    """Outputs that this user may rate and has not: with the fewest readers first, then the oldest."""
    selves = Person.objects.of(user)
    conflicts = Conflict.objects.standing().filter(person__in=selves)
    authored = Project.objects.filter(team__person__in=selves, team__left_on=None, team__role="author")
    return (
        Output.objects.being_read()
        .filter(program__in=Program.objects.where(user, *READERS))
        .exclude(project__in=conflicts.values("project"))
        .exclude(project__in=authored)
        .exclude(credits__person__in=selves)
        .exclude(pk__in=Rating.objects.standing().given_by(user).values("output"))
        .annotate(readers=Count("ratings", filter=Q(ratings__retracted_at=None)))
        .order_by("readers", "produced_on", "pk")
    )


def projects_yet_to_read(user: Visitor) -> QuerySet[Project]:
    """Where this reader should not yet hear what others say; who decides hears everything."""
    unread = outputs_to_read(user).exclude(program__in=Program.objects.where(user, *DECIDERS))
    return Project.objects.filter(pk__in=unread.order_by().values("project"))
