"""Project, TeamMember, Milestone, DateForecast."""

import uuid
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import Max, Q
from django.utils import timezone

from tracker.cohorts.models import Cohort
from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.people.models import STAFF, Person, Program, Role, Visitor


class ProjectQuerySet(models.QuerySet["Project"]):
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
        empirical = Q(outputs__is_empirical=True, outputs__retracted_at=None)
        return self.annotate(latest_empirical_on=Max("outputs__produced_on", filter=empirical))

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
    ) -> "Project":
        """A new project with its team; the same ``external_id`` again changes what it names and leaves the rest."""
        team = (*(authors or ()), *(mentors or ()))
        strangers = [person.name for person in team if person.program_id != cohort.program_id]
        if strangers:
            raise RuleBroken(
                f"{strangers[0]} is not in {cohort.program}: name people of this program.", field="authors"
            )
        with transaction.atomic():
            values = {"title": title} if summary is None else {"title": title, "summary": summary}
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


class Project(models.Model):
    class State(models.TextChoices):
        ACTIVE = "active", "active"
        FINISHED = "finished", "finished"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="projects")
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="projects")
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

    def authors(self) -> models.QuerySet[Person]:
        team = self.team.active().filter(role=TeamMember.Role.AUTHOR)
        return Person.objects.filter(pk__in=team.values("person"))


class TeamMemberQuerySet(models.QuerySet["TeamMember"]):
    def active(self) -> Self:
        return self.filter(left_on=None)

    def visible_to(self, user: Visitor) -> Self:
        return self.filter(project__in=Project.objects.visible_to(user))


class TeamMember(models.Model):
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


class MilestoneQuerySet(models.QuerySet["Milestone"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(project__in=Project.objects.visible_to(user))

    def unreached(self) -> Self:
        return self.filter(reached_at=None)


class Milestone(models.Model):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="milestones")
    title = models.CharField(max_length=300)
    definition_of_done = models.TextField(blank=True)
    due_on = models.DateField()
    reached_at = models.DateTimeField(null=True, blank=True)

    objects = MilestoneQuerySet.as_manager()

    class Meta:
        ordering = ("due_on", "pk")

    def __str__(self) -> str:
        return self.title

    def reach(self, *, at: datetime | None = None) -> None:
        if self.reached_at is not None:
            raise RuleBroken("This milestone has been reached already.")
        self.reached_at = at or timezone.now()
        self.save(update_fields=["reached_at"])

    def predict(self, predicted_on: date, *, by: Person, at: datetime | None = None) -> "DateForecast":
        """When this person now thinks it will be done; every prediction is kept."""
        return self.forecasts.create(person=by, predicted_on=predicted_on, made_at=at or timezone.now())


class DateForecastQuerySet(models.QuerySet["DateForecast"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(milestone__in=Milestone.objects.visible_to(user))


class DateForecast(models.Model):
    milestone = models.ForeignKey(Milestone, on_delete=models.PROTECT, related_name="forecasts")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="date_forecasts")
    predicted_on = models.DateField()
    made_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = DateForecastQuerySet.as_manager()

    class Meta:
        ordering = ("made_at",)

    def __str__(self) -> str:
        return f"{self.milestone}: {self.predicted_on}"
