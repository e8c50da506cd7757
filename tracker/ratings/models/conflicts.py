"""Conflict: why somebody may not judge a project. Standing: which pairs of reader and project are too close."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import Person, Program, Role, Visitor
from tracker.projects.models import Credit, Output, Project, TeamMember
from tracker.projects.models.closeness import TEAM


class ConflictQuerySet(TrackedQuerySet["Conflict"]):
    def standing(self) -> Self:
        return self.filter(withdrawn_at=None)

    def merge_people(self, name: str, *, kept: Person, doubled: Person) -> None:
        """A conflict that both have stands once."""
        twice = self.standing().filter(person=kept).values("project")
        self.standing().filter(person=doubled, project__in=twice).update(withdrawn_at=timezone.now())
        self.filter(person=doubled).update(person=kept)

    def visible_to(self, user: Visitor) -> Self:
        leading = Program.objects.where(user, Role.LEAD, Role.COMMITTEE)
        return self.filter(Q(person__in=Person.objects.of(user)) | Q(person__program__in=leading))

    def declare(
        self, *, person: Person, project: Project, reason: str = "", by: UUID | None = None
    ) -> "Conflict":
        """The person will judge nothing of this project; saying so twice is one conflict.

        What they rated before stays, marked: it counts as no reader, and as evidence if the program says so.
        """
        if person.program_id != project.program_id:
            raise RuleBroken(f"{person} is not in {project.program}.", code="other-program")
        with transaction.atomic():
            conflict, is_new = self.get_or_create(
                person=person, project=project, withdrawn_at=None, defaults={"reason": reason}
            )
            if is_new:
                person.assignments.open().filter(output__project=project).withdraw("A conflict was declared.")
                Event.objects.write(
                    "conflict.declared",
                    program=person.program.public_id,
                    subject=project.public_id,
                    actor=by or person.public_id,
                )
        return conflict


class Conflict(Tracked):
    """Why a reader may not judge a project."""

    history_is_for_leads = True

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="conflicts")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="conflicts")
    reason = models.CharField(max_length=300, blank=True)
    declared_at = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = ConflictQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["person", "project"], condition=Q(withdrawn_at=None), name="a_conflict_stands_once"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None) | Q(withdrawn_at__gte=F("declared_at")),
                name="a_conflict_is_withdrawn_after_it_is_declared",
            ),
        )

    def __str__(self) -> str:
        return f"{self.person} and {self.project}"

    def withdraw(self, *, by: UUID | None = None) -> None:
        """It was none: the person may judge the project again."""
        if self.withdrawn_at is not None:
            raise RuleBroken("This conflict has been withdrawn already.", code="already-withdrawn")
        with transaction.atomic():
            self.withdrawn_at = timezone.now()
            self.save(update_fields=["withdrawn_at"])
            Event.objects.write(
                "conflict.withdrawn",
                program=self.person.program.public_id,
                subject=self.project.public_id,
                actor=by,
            )


@dataclass(frozen=True)
class Closeness:
    """The same as ``too_close``, for many pairs at once and with the reason of each."""

    authors: frozenset[tuple[int, int]]
    credited: frozenset[tuple[int, int]]
    declared: frozenset[tuple[int, int]]
    mentors: frozenset[tuple[int, int]]
    family: frozenset[tuple[int, int]]

    @classmethod
    def of(cls, program: Program, *, outputs: Iterable[Output]) -> Self:
        """Pairs of project, or output, and person among everything these outputs belong to."""
        listed = list(outputs)
        projects = {output.project_id for output in listed}
        team = TeamMember.objects.filter(project__in=projects)
        credit = Credit.objects.filter(output__in=[output.pk for output in listed])
        declared = Conflict.objects.standing().filter(project__in=projects)
        has_family = program.conflicts_reach == Program.Reach.FAMILY
        return cls(
            authors=pairs(team.ever_authors(), "project"),
            credited=pairs(credit, "output"),
            declared=pairs(declared, "project"),
            mentors=pairs(team.mentors(), "project") if program.conflicts_reach in TEAM else frozenset(),
            family=family_of(projects) if has_family else frozenset(),
        )

    def judge(self, output: Output, reader: Person) -> None:
        """Raise why this reader may not judge this output, if they may not."""
        here = (output.project_id, reader.pk)
        if here in self.authors or (output.pk, reader.pk) in self.credited:
            raise RuleBroken(
                f"{reader} is or was an author of {output}: somebody else must rate it.", code="own-output"
            )
        if here in self.declared:
            raise RuleBroken(
                f"{reader} has declared a conflict with this project: somebody else must rate it.",
                code="conflict",
            )
        if here in self.mentors:
            raise RuleBroken(
                f"{reader} mentors this project: somebody outside its team must rate it.", code="own-team"
            )
        if here in self.family:
            raise RuleBroken(
                f"{reader} mentors one of its authors: somebody else must rate it.", code="own-mentee"
            )

    def allows(self, output: Output, reader: Person) -> bool:
        try:
            self.judge(output, reader)
        except RuleBroken:
            return False
        return True


def pairs(rows: models.QuerySet[models.Model], name: str) -> frozenset[tuple[int, int]]:
    return frozenset(rows.order_by().values_list(name, "person"))


def family_of(projects: Iterable[int]) -> frozenset[tuple[int, int]]:
    """Each project with those who mentor one of its authors anywhere."""
    authors = TeamMember.objects.authors().filter(project__in=projects)
    mentored = TeamMember.objects.authors().filter(person__in=authors.values("person"))
    mentors: dict[int, set[int]] = {}
    by_project = TeamMember.objects.mentors().filter(project__in=mentored.values("project"))
    for project, mentor in by_project.values_list("project", "person"):
        mentors.setdefault(project, set()).add(mentor)
    projects_of: dict[int, set[int]] = {}
    for project, author in mentored.values_list("project", "person"):
        projects_of.setdefault(author, set()).add(project)
    return frozenset(
        (project, mentor)
        for project, author in authors.values_list("project", "person")
        for other in projects_of[author]
        for mentor in mentors.get(other, ())
    )
