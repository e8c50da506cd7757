"""Output, Credit."""

import uuid
from math import fsum, inf
from typing import Any, Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from tracker.cohorts.models import Stage
from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.people.models import Person, Program, Visitor
from tracker.projects.models.projects import Project

SHARE_TOLERANCE = 1e-6


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
        known = self.select_for_update().filter(program=project.program, external_id=external_id).first()
        if known is not None and known.project_id != project.pk:
            raise RuleBroken("This external_id belongs to an output of another project.", field="external_id")
        if known is not None and "stage" in values:
            known.judge_stage(values["stage"])
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

    def judge_stage(self, stage: Stage | None) -> None:
        """What was rated in one reading is not carried into another."""
        is_same = self.stage_id == (stage.pk if stage is not None else None)
        if not is_same and self.ratings.filter(retracted_at=None).exists():
            raise RuleBroken(
                f"{self} has been rated in {self.stage}: an output with ratings keeps its stage.",
                code="rated",
                field="stage",
            )

    def retract(self) -> None:
        with transaction.atomic():
            standing = Output.objects.standing().filter(pk=self.pk)
            if not standing.update(retracted_at=timezone.now()):
                raise RuleBroken("This output has been retracted already.")
            self.refresh_from_db(fields=["retracted_at"])
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
