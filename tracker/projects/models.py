"""Project, TeamMember, Milestone, DateForecast, Output, Credit."""

import uuid
from datetime import date, datetime
from math import fsum, inf
from typing import Any, Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import Max, Q
from django.utils import timezone

from tracker.cohorts.models import Cohort, Stage
from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.people.models import STAFF, Person, Program, Role, Visitor

SHARE_TOLERANCE = 1e-6


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
        authors: list[Person],
        mentors: list[Person] | None = None,
        summary: str = "",
        external_id: str = "",
        by: UUID | None = None,
    ) -> "Project":
        """A new project with its team; the same ``external_id`` again changes title, summary and team."""
        strangers = [
            person.name for person in (*authors, *(mentors or ())) if person.program_id != cohort.program_id
        ]
        if strangers:
            raise RuleBroken(
                f"{strangers[0]} is not in {cohort.program}: name people of this program.", field="authors"
            )
        if not authors:
            raise RuleBroken("A project needs at least one author.", field="authors")
        with transaction.atomic():
            values = {"cohort": cohort, "title": title, "summary": summary}
            project, is_new = self._upsert(cohort.program, external_id, values)
            project.set_team(authors=authors, mentors=mentors or [])
            Event.objects.write(
                "project.started" if is_new else "project.changed",
                program=cohort.program.public_id,
                subject=project.public_id,
                actor=by,
            )
        return project

    def _upsert(self, program: Program, external_id: str, values: dict[str, Any]) -> "tuple[Project, bool]":
        if not external_id:
            return self.create(program=program, **values), True
        return self.update_or_create(program=program, external_id=external_id, defaults=values)


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
        if self.state != self.State.ACTIVE:
            raise RuleBroken(f"Only an active project can be finished; this one is {self.state}.")
        self.state = self.State.FINISHED
        self.finished_at = timezone.now()
        self.save(update_fields=["state", "finished_at"])
        Event.objects.write("project.finished", program=self.program.public_id, subject=self.public_id)

    def set_team(self, *, authors: list[Person], mentors: list[Person]) -> None:
        """Who works on it from now on; whoever is no longer named has left today."""
        wanted = {(person.pk, TeamMember.Role.AUTHOR) for person in authors}
        wanted |= {(person.pk, TeamMember.Role.MENTOR) for person in mentors}
        present = {(member.person_id, member.role): member for member in self.team.active()}
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


class OutputQuerySet(models.QuerySet["Output"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(project__in=Project.objects.visible_to(user))

    def editable_by(self, user: Visitor) -> Self:
        return self.filter(project__in=Project.objects.editable_by(user))

    def standing(self) -> Self:
        return self.filter(retracted_at=None)

    def being_read(self) -> Self:
        """Standing outputs of a stage whose reading is open."""
        return self.standing().filter(stage__in=Stage.objects.reading())

    def publish(
        self,
        project: Project,
        *,
        title: str,
        kind: str,
        by: UUID | None = None,
        external_id: str = "",
        **values: Any,
    ) -> "Output":
        """A new output, credited to its authors in equal shares; the same ``external_id`` again changes it."""
        stage = values.get("stage")
        if stage is not None and stage.cohort_id != project.cohort_id:
            raise RuleBroken(
                f"{stage} is a stage of another cohort: choose one of {project.cohort}.", field="stage"
            )
        values |= {"title": title, "kind": kind}
        with transaction.atomic():
            output, is_new = self._upsert(project, external_id, values)
            if is_new:
                output.credit_equally()
            Event.objects.write(
                "output.published" if is_new else "output.changed",
                program=project.program.public_id,
                subject=output.public_id,
                actor=by,
            )
        return output

    def _upsert(self, project: Project, external_id: str, values: dict[str, Any]) -> "tuple[Output, bool]":
        if not external_id:
            return self.create(project=project, program=project.program, **values), True
        other = self.filter(program=project.program, external_id=external_id).exclude(project=project)
        if other.exists():
            raise RuleBroken("This external_id belongs to an output of another project.", field="external_id")
        return self.update_or_create(
            project=project, program=project.program, external_id=external_id, defaults=values
        )


class Output(models.Model):
    """Something that exists: a post, a paper, a repository, an evaluation result."""

    class Kind(models.TextChoices):
        POST = "post", "post"
        PAPER = "paper", "paper"
        REPOSITORY = "repository", "repository"
        DATASET = "dataset", "dataset"
        MODEL = "model", "model"
        EVALUATION = "evaluation", "evaluation result"
        PROPOSAL = "proposal", "proposal"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="outputs")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="outputs")
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, null=True, blank=True, related_name="outputs")
    external_id = models.CharField(max_length=200, blank=True)
    title = models.CharField(max_length=300)
    kind = models.CharField(max_length=20, choices=Kind)
    url = models.URLField("address", max_length=1000, blank=True)
    is_empirical = models.BooleanField(default=False)
    produced_on = models.DateField(default=timezone.localdate)
    retracted_at = models.DateTimeField(null=True, blank=True)

    objects = OutputQuerySet.as_manager()

    class Meta:
        ordering = ("-produced_on", "title", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=["program", "external_id"],
                condition=~Q(external_id=""),
                name="one_output_per_external_id_in_a_program",
            ),
        )

    def __str__(self) -> str:
        return self.title

    def credit_equally(self) -> None:
        """What holds until the team says otherwise."""
        self.set_credit({Credit.Kind.EXECUTION: dict.fromkeys(self.project.authors(), 1.0)}, is_relative=True)

    def set_credit(self, shares: dict[str, dict[Person, float]], *, is_relative: bool = False) -> None:
        """Whose it is, by kind; the shares of each kind sum to 1, or are made to when relative."""
        rows = []
        for kind, by_person in shares.items():
            total = fsum(by_person.values())
            if not 0 < total < inf or any(share < 0 for share in by_person.values()):
                raise RuleBroken("Shares of credit cannot be negative or all zero.", field="credit")
            if not is_relative and abs(total - 1) > SHARE_TOLERANCE:
                raise RuleBroken(
                    f"The shares of {kind} sum to {total:g}: make them sum to 1.", field="credit"
                )
            rows += [
                Credit(output=self, person=person, kind=kind, share=share / total)
                for person, share in by_person.items()
            ]
        with transaction.atomic():
            self.credits.all().delete()
            Credit.objects.bulk_create(rows)
            Event.objects.write("output.credited", program=self.program.public_id, subject=self.public_id)

    def retract(self) -> None:
        if self.retracted_at is not None:
            raise RuleBroken("This output has been retracted already.")
        self.retracted_at = timezone.now()
        self.save(update_fields=["retracted_at"])
        Event.objects.write("output.retracted", program=self.program.public_id, subject=self.public_id)


class CreditQuerySet(models.QuerySet["Credit"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(output__in=Output.objects.visible_to(user))


class Credit(models.Model):
    """A person's share in an output. The shares of one kind sum to 1."""

    class Kind(models.TextChoices):
        IDEA = "idea", "idea"
        EXECUTION = "execution", "execution"
        WRITING = "writing", "writing"

    output = models.ForeignKey(Output, on_delete=models.CASCADE, related_name="credits")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="credits")
    kind = models.CharField(max_length=10, choices=Kind)
    share = models.FloatField()

    objects = CreditQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["output", "person", "kind"], name="one_share_per_person_and_kind"
            ),
            models.CheckConstraint(
                condition=Q(share__gte=0, share__lte=1), name="a_share_is_between_0_and_1"
            ),
        )

    def __str__(self) -> str:
        return f"{self.person}: {self.share:.0%} of {self.output}"
