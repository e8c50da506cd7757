"""Project, TeamMember."""

import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import Max, Min, Q
from django.utils import timezone

from tracker.cohorts.models import Cohort
from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import STAFF, Person, Program, Role, Visitor


class ProjectQuerySet(TrackedQuerySet["Project"]):
    def visible_to(self, user: Visitor) -> Self:
        """Everything of programs one works for; else what one is on the team of."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        workplaces = Program.objects.where(user, *STAFF, Role.MENTOR)
        return self.filter(
            Q(program__in=workplaces) | Q(pk__in=self.model.objects.worked_on_by(user).values("pk"))
        )

    def with_latest_empirical_output(self) -> Self:
        """Adds ``latest_empirical_on``: when it last made contact with reality."""
        empirical = Q(outputs__is_empirical=True, outputs__retracted_at=None, outputs__private_at=None)
        return self.annotate(latest_empirical_on=Max("outputs__produced_on", filter=empirical))

    def with_first_result(self) -> Self:
        """Adds ``first_result_on``: when its first empirical output that stands was produced."""
        empirical = Q(outputs__is_empirical=True, outputs__retracted_at=None, outputs__private_at=None)
        return self.annotate(first_result_on=Min("outputs__produced_on", filter=empirical))

    def worked_on_by(self, user: Visitor) -> Self:
        teams = TeamMember.objects.active().filter(person__in=Person.objects.of(user))
        return self.filter(pk__in=teams.values("project"))

    def editable_by(self, user: Visitor) -> Self:
        """Projects whose outputs and submissions this user may add."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        managed = Program.objects.where(user, Role.LEAD, Role.CLIENT)
        authored = TeamMember.objects.active().filter(
            person__in=Person.objects.of(user), role=TeamMember.Role.AUTHOR
        )
        return self.filter(Q(program__in=managed) | Q(pk__in=authored.values("project")))

    def of_teams(self) -> Self:
        """Without the projects that only hold what is one person's own."""
        return self.filter(person=None)

    def merge_people(self, name: str, *, kept: Person, doubled: Person) -> None:
        """What was one's own in a cohort is moved to where the other's own lies."""
        for project in self.filter(person=doubled):
            own = self.filter(person=kept, cohort=project.cohort).first()
            if own is None:
                self.filter(pk=project.pk).update(person=kept)
            else:
                for output in project.outputs.all():
                    output.move_to(own)

    def hindrances_to_merging(self, name: str, *, kept: Person, doubled: Person) -> Iterator[str]:
        """A stage is reviewed once of one person, so somebody says which review stands."""
        reviews = self.filter(outputs__kind="stage_review", outputs__retracted_at=None)
        stages = [
            set(reviews.filter(person=person).values_list("outputs__stage__name", flat=True))
            for person in (kept, doubled)
        ]
        for stage in sorted(stages[0] & stages[1]):
            yield f"Both have a review of {stage}: retract one of them first."

    def personal_of(self, person: Person, *, cohort: Cohort) -> "Project":
        """Where one person's own outputs in a cohort lie: a stage review, an application."""
        if person.program_id != cohort.program_id:
            raise RuleBroken(
                f"{person} is not in {cohort.program}: name somebody of this program.", field="person"
            )
        known = self.filter(person=person, cohort=cohort).first()
        return known or self.start(cohort=cohort, title=person.name, authors=[person], person=person)

    def start(
        self,
        *,
        cohort: Cohort,
        title: str,
        authors: list[Person] | None = None,
        mentors: list[Person] | None = None,
        summary: str | None = None,
        external_id: str = "",
        by: UUID | None = None,
        person: Person | None = None,
    ) -> "Project":
        """A new project with its team; the same ``external_id`` again changes what it names and leaves the rest."""
        cohort.demand_open()
        team = (*(authors or ()), *(mentors or ()))
        strangers = [person.name for person in team if person.program_id != cohort.program_id]
        if strangers:
            raise RuleBroken(
                f"{strangers[0]} is not in {cohort.program}: name people of this program.", field="authors"
            )
        with transaction.atomic():
            values: dict[str, Any] = (
                {"title": title} if person is None else {"title": title, "person": person}
            )
            values |= {} if summary is None else {"summary": summary}
            project, is_new = self._upsert(cohort, external_id, values)
            if authors == [] or (is_new and not authors):
                raise RuleBroken("A project needs at least one author.", field="authors")
            project.set_team(authors=authors, mentors=mentors)
            Event.objects.write(
                "project.started" if is_new else "project.changed",
                program=cohort.program.public_id,
                subject=project.public_id,
                actor=by,
            )
        return project

    def _upsert(self, cohort: Cohort, external_id: str, values: dict[str, Any]) -> "tuple[Project, bool]":
        if not external_id:
            return self.create(program=cohort.program, cohort=cohort, **values), True
        project, is_new = self.update_or_create(
            program=cohort.program,
            external_id=external_id,
            defaults=values,
            create_defaults={**values, "cohort": cohort},
        )
        if project.cohort_id != cohort.pk:
            raise RuleBroken(
                f"This external_id was sent before for a project of {project.cohort}: a project keeps its cohort.",
                code="repeated",
                field="cohort",
            )
        return project, is_new


class Project(Tracked):
    class State(models.TextChoices):
        ACTIVE = "active", "active"
        FINISHED = "finished", "finished"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="projects")
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="projects")
    person = models.ForeignKey(
        Person,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="own_projects",
        help_text="Whose own outputs it holds; empty for what a team works on.",
    )
    external_id = models.CharField(max_length=200, blank=True)
    title = models.CharField(max_length=300)
    summary = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ("title", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=["program", "external_id"],
                condition=~Q(external_id=""),
                name="one_project_per_external_id_in_a_program",
            ),
            models.UniqueConstraint(
                fields=["person", "cohort"], name="one_personal_project_per_person_and_cohort"
            ),
            models.CheckConstraint(
                condition=Q(state="active", finished_at=None)
                | Q(state="finished", finished_at__isnull=False),
                name="a_finished_project_has_a_date",
            ),
        )

    def __str__(self) -> str:
        return self.title

    def finish(self) -> None:
        with transaction.atomic():
            active = Project.objects.filter(pk=self.pk, state=self.State.ACTIVE)
            if not active.update(state=self.State.FINISHED, finished_at=timezone.now()):
                raise RuleBroken("Only an active project can be finished; this one is finished.")
            self.refresh_from_db(fields=["state", "finished_at"])
            Event.objects.write("project.finished", program=self.program.public_id, subject=self.public_id)

    def retitle(self, *, title: str, summary: str) -> None:
        self.title, self.summary = title, summary
        self.save(update_fields=["title", "summary"])

    def judge_member(self, person: Person) -> None:
        """Its authors tell its course, and leads of its program, until its cohort is archived."""
        self.cohort.demand_open()
        is_author = self.authors().filter(pk=person.pk).exists()
        if not is_author and not (person.program_id == self.program_id and person.holds(Role.LEAD)):
            raise RuleBroken(f"Only the authors of {self}, or a lead, tell this.", code="not-an-author")

    @property
    def results(self) -> models.QuerySet[Any]:
        """Its contacts with reality, oldest first."""
        return self.outputs.standing().released().filter(is_empirical=True).order_by("produced_on", "pk")

    @property
    def days_to_first_result(self) -> int | None:
        """From idea to first result; a pivot changes nothing in it."""
        first: date | None = self.results.values_list("produced_on", flat=True).first()
        return None if first is None else max(0, (first - timezone.localdate(self.started_at)).days)

    @property
    def weeks_without_result(self) -> int:
        """Whole weeks since it last made contact with reality, or since it began."""
        last: date | None = self.results.values_list("produced_on", flat=True).last()
        since = max(timezone.localdate(self.started_at), last or date.min)
        return max(timedelta(0), timezone.localdate() - since).days // 7

    @property
    def asks_for_neighbours(self) -> bool:
        """Whether it is time to look for questions close by that can be answered sooner."""
        return (
            self.state == self.State.ACTIVE
            and self.weeks_without_result >= self.cohort.neighbours_after_weeks
        )

    def add_mentor(self, person: Person) -> None:
        """One more mentor from today on."""
        self.set_team(authors=None, mentors=[*self.mentors(), person])

    def mentors(self) -> models.QuerySet[Person]:
        team = self.team.active().filter(role=TeamMember.Role.MENTOR)
        return Person.objects.filter(pk__in=team.values("person"))

    def set_team(self, *, authors: list[Person] | None, mentors: list[Person] | None) -> None:
        """Who works on it from now on: whoever is no longer named has left today; a list not given stays."""
        named = {TeamMember.Role.AUTHOR: authors, TeamMember.Role.MENTOR: mentors}
        given = {role: people for role, people in named.items() if people is not None}
        wanted = {(person.pk, role) for role, people in given.items() for person in people}
        present = {
            (member.person_id, member.role): member for member in self.team.active().filter(role__in=given)
        }
        gone = [member.pk for key, member in present.items() if key not in wanted]
        self.team.filter(pk__in=gone).update(left_on=timezone.localdate())
        TeamMember.objects.bulk_create(
            TeamMember(project=self, person_id=person, role=role)
            for person, role in sorted(wanted - set(present))
        )

    def stated_credit(self) -> dict[str, dict[Person, float]]:
        """Whose its outputs are by the statement in force; nothing where there is none."""
        statement = self.credit_statements.in_force().first()
        return statement.by_kind() if statement else {}

    def authors(self) -> models.QuerySet[Person]:
        team = self.team.active().filter(role=TeamMember.Role.AUTHOR)
        return Person.objects.filter(pk__in=team.values("person"))


class TeamMemberQuerySet(TrackedQuerySet["TeamMember"]):
    def active(self) -> Self:
        return self.filter(left_on=None)

    def authors(self) -> Self:
        return self.active().filter(role=TeamMember.Role.AUTHOR)

    def ever_authors(self) -> Self:
        """Who left the team too: they judge nothing of what they began."""
        return self.filter(role=TeamMember.Role.AUTHOR)

    def mentors(self) -> Self:
        return self.active().filter(role=TeamMember.Role.MENTOR)

    def merge_people(self, name: str, *, kept: Person, doubled: Person) -> None:
        """A place on a team that both hold is held once."""
        for member in self.active().filter(person=kept):
            twice = self.active().filter(person=doubled, project=member.project_id, role=member.role)
            twice.update(left_on=timezone.localdate())
        self.filter(person=doubled).update(person=kept)

    def visible_to(self, user: Visitor) -> Self:
        return self.filter(project__in=Project.objects.visible_to(user))


class TeamMember(Tracked):
    history_told_to = "person__user"

    class Role(models.TextChoices):
        AUTHOR = "author", "author"
        MENTOR = "mentor", "mentor"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="team")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="teams")
    role = models.CharField(max_length=10, choices=Role, default=Role.AUTHOR)
    joined_on = models.DateField(default=timezone.localdate)
    left_on = models.DateField(null=True, blank=True)

    objects = TeamMemberQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["project", "person", "role"],
                condition=Q(left_on=None),
                name="a_person_is_on_a_team_once_per_role",
            ),
        )

    def __str__(self) -> str:
        return f"{self.person} on {self.project}"
