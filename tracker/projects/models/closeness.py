"""Who is too close to a project to judge what comes of it, and what somebody has yet to judge."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from tracker.people.models import DECIDERS, READERS, Person, Program, Visitor
from tracker.projects.models import Credit, Output, OutputQuerySet, Project, TeamMember

TEAM = (Program.Reach.TEAM, Program.Reach.FAMILY)


def too_close(*, program: str = "program", project: str = "project", output: str = "pk", person: Any) -> Q:
    """Whether the person of the same row, ``person=OuterRef(...)``, may not judge an output of a project.

    Authors, former ones too, and those with credit never do, nor who declared a conflict. How far it reaches beyond
    them is the program's to say: to the mentors on the team, or to whoever mentors one of its authors anywhere.
    """
    here = {"project": OuterRef(project), "person": person}
    declared = {"pk": OuterRef(project), "conflicts__withdrawn_at": None, "conflicts__person": person}
    return (
        Q(Exists(Project.objects.filter(**declared)))
        | Q(Exists(TeamMember.objects.ever_authors().filter(**here)))
        | Q(Exists(Credit.objects.filter(output=OuterRef(output), person=person)))
        | Q(Exists(TeamMember.objects.mentors().filter(**here)), **{f"{program}__conflicts_reach__in": TEAM})
        | Q(
            Exists(mentors_of_authors(OuterRef(project)).filter(person=person)),
            **{f"{program}__conflicts_reach": Program.Reach.FAMILY},
        )
    )


def too_close_to(people: QuerySet[Person]) -> Q:
    """The same of outputs and people who are known: what they are close to is sought once, not for each output."""
    team = TeamMember.objects
    declared = Project.objects.filter(conflicts__withdrawn_at=None, conflicts__person__in=people)
    mentored = team.mentors().filter(person__in=people).values("project")
    mentees = team.authors().filter(project__in=mentored).values("person")
    return (
        made_by(people)
        | Q(project__in=declared.values("pk"))
        | Q(project__in=mentored, program__conflicts_reach__in=TEAM)
        | Q(
            project__in=team.authors().filter(person__in=mentees).values("project"),
            program__conflicts_reach=Program.Reach.FAMILY,
        )
    )


def made_by(people: QuerySet[Person]) -> Q:
    """Outputs of projects whose authors these people are or were, or that they have credit in."""
    authored = TeamMember.objects.ever_authors().filter(person__in=people)
    credited = Credit.objects.filter(person__in=people)
    return Q(project__in=authored.values("project")) | Q(pk__in=credited.values("output"))


def work_of(user: Visitor) -> OutputQuerySet:
    """This user's own work: what is said of it reaches them when it is released, whatever else they do here."""
    return Output.objects.filter(made_by(Person.objects.of(user)))


def mentors_of_authors(project: Any) -> QuerySet[TeamMember]:
    """Those who mentor, in whatever project, one of the authors of this one."""
    return TeamMember.objects.mentors().filter(
        project__team__role=TeamMember.Role.AUTHOR,
        project__team__left_on=None,
        project__team__person__teams__role=TeamMember.Role.AUTHOR,
        project__team__person__teams__left_on=None,
        project__team__person__teams__project=project,
    )


def outputs_yet_to_read(user: Visitor) -> OutputQuerySet:
    """What this user may rate and has not. Everything that keeps a reader blind asks here."""
    selves = Person.objects.of(user)
    rated = Output.objects.filter(ratings__rater__in=selves, ratings__retracted_at=None)
    open_to = Output.objects.being_read().filter(program__in=Program.objects.where(user, *READERS))
    return open_to.exclude(pk__in=rated.values("pk")).filter(~too_close_to(selves))


def projects_yet_to_read(user: Visitor) -> QuerySet[Project]:
    """Where this reader should not yet hear what others say; who decides hears all but of what they are given."""
    selves = Person.objects.of(user)
    given = Output.objects.filter(assignments__reader__in=selves, assignments__withdrawn_at=None)
    unread = outputs_yet_to_read(user).filter(
        ~Q(program__in=Program.objects.where(user, *DECIDERS)) | Q(pk__in=given.values("pk"))
    )
    return Project.objects.filter(pk__in=unread.order_by().values("project"))
