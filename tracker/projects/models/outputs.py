"""Output: something that exists, and what it is."""

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from tracker.cohorts.models import Cohort, Stage
from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import Person, Program, Role, Visitor
from tracker.projects.links import recognise
from tracker.projects.models.contents import Content
from tracker.projects.models.projects import Project
from tracker.projects.models.shares import equal_shares, judge_shares

if TYPE_CHECKING:
    from tracker.projects.models.versions import OutputVersion

PROBE_LINE = {"question": "what was asked", "did": "what was done", "saw": "what was seen"}


class OutputQuerySet(TrackedQuerySet["Output"]):
    def visible_to(self, user: Visitor) -> Self:
        """Those of projects one sees, but what others wrote of oneself in confidence.

        What waits for its release review is for its team, its reviewer and the program's leads alone.
        """
        seen = self.filter(project__in=Project.objects.visible_to(user))
        if user.is_authenticated and user.is_superuser:
            return seen
        selves = Person.objects.of(user)
        of_oneself = Q(is_confidential=True, project__person__in=selves)
        reviewed = self.model.objects.filter(reviews__reviewer__in=selves, reviews__answered_at=None)
        entrusted = (
            Q(project__in=Project.objects.worked_on_by(user).values("pk"))
            | Q(program__in=Program.objects.where(user, Role.LEAD))
            | Q(pk__in=reviewed.values("pk"))
        )
        return seen.exclude(of_oneself).filter(Q(private_at=None) | entrusted)

    def editable_by(self, user: Visitor) -> Self:
        return self.visible_to(user).filter(project__in=Project.objects.editable_by(user))

    def standing(self) -> Self:
        return self.filter(retracted_at=None)

    def released(self) -> Self:
        """All but what is private until its release review says otherwise."""
        return self.filter(private_at=None)

    def being_read(self) -> Self:
        """Standing outputs of a stage whose reading is open."""
        return self.standing().released().filter(stage__in=Stage.objects.reading())

    def publish(
        self,
        project: Project,
        *,
        title: str,
        kind: str,
        by: UUID | None = None,
        external_id: str = "",
        hazards: Sequence[str] = (),
        **values: Any,
    ) -> "Output":
        """A new output, credited to its authors in equal shares; the same ``external_id`` again changes it.

        Without one the very same that a team tells again on one day is the same output: a second click adds none.
        """
        values |= {"title": title, "kind": kind, **reference_of(values, project)}
        if kind == Output.Kind.PROBE:
            values.setdefault("is_empirical", True)
        project.cohort.demand_open()
        with transaction.atomic():
            # The lock makes two requests with the same output wait for each other.
            Program.objects.select_for_update().get(pk=project.program_id)
            same = None if external_id or project.person_id else self._told_before(project, values)
            if same is not None:
                return same
            known = self._sent_before(project, external_id)
            judge_work(project, values.get("work", ""), known)
            judge_place(project, {"stage": None, **values} if known is None else values, known)
            judge_probe(values, known)
            if known is None:
                output: Output = self.create(
                    project=project, program=project.program, external_id=external_id, **values
                )
                output.inherit_credit()
                output.versions.keep(output)
            else:
                output = known
                output.change(values)
            if hazards:
                output.flag(hazards, by=by)
                return output
            Event.objects.write(
                "output.changed" if known else "output.published",
                program=project.program.public_id,
                subject=output.public_id,
                actor=by,
            )
        return output

    def _sent_before(self, project: Project, external_id: str) -> "Output | None":
        if not external_id:
            return None
        known = self.select_for_update().filter(program=project.program, external_id=external_id).first()
        if known is not None and known.project_id != project.pk:
            raise RuleBroken("This external_id belongs to an output of another project.", field="external_id")
        if known is not None and known.retracted_at is not None:
            raise RuleBroken(
                "The output with this external_id has been retracted: publish a new one under another.",
                field="external_id",
                code="output-retracted",
            )
        if known is not None and known.private_at is not None:
            raise RuleBroken(
                "This output waits for its release review: its team changes it on its page.",
                field="external_id",
                code="under-review",
            )
        return known

    def _told_before(self, project: Project, values: Mapping[str, Any]) -> "Output | None":
        told = self.model(project=project, **values)
        same = self.standing().filter(project=project, external_id="", **told.content())
        found: Output | None = same.filter(
            stage=told.stage_id, produced_on=told.produced_on, is_confidential=told.is_confidential
        ).first()
        return found

    def same_work(self, program: Program, url: str) -> Self:
        """What stands in the program already of that to which an address leads."""
        try:
            work = recognise(url).work
        except RuleBroken:
            return self.none()
        return self.standing().filter(program=program, work=work)

    def publish_personal(
        self, person: Person, *, cohort: Cohort, kind: str, title: str = "", **values: Any
    ) -> "Output":
        """One person's own: an application, or how they did in a stage. Its project is made where there is none."""
        if kind == Output.Kind.STAGE_REVIEW:
            title = title or f"{person} in {values.get('stage')}"
        with transaction.atomic():
            project = Project.objects.personal_of(person, cohort=cohort)
            return self.publish(project, title=title, kind=kind, **values)


class AlreadyHere(RuleBroken):
    """What an address leads to is an output already, perhaps one that the sender may not see: it is not named."""

    def __init__(self, existing: "Output") -> None:
        super().__init__(
            "This is here already: open that output and give it a newer version, or ask a lead for credit in it.",
            code="already-here",
            field="url",
        )
        self.existing = existing


def reference_of(values: Mapping[str, Any], project: Project) -> dict[str, str]:
    """What the given address leads to, if one is given.

    What one person writes of themselves points to work and is none: two who apply may name the same paper.
    """
    if "url" not in values:
        return {}
    if not values["url"].strip():
        return {"url": "", "work": "", "revision": ""}
    link = recognise(values["url"])
    work = link.work if project.person_id is None else ""
    return {"url": link.url, "work": work, "revision": link.version}


def judge_work(project: Project, work: str, known: "Output | None") -> None:
    """One piece of work is one output; whoever may see that one is shown it."""
    if not work:
        return
    same = Output.objects.standing().released().filter(program=project.program, work=work)
    existing = same.exclude(pk=known.pk).first() if known else same.first()
    if existing is not None:
        raise AlreadyHere(existing)


def judge_place(project: Project, values: Mapping[str, Any], known: "Output | None") -> None:
    """An output lies in a stage of its own cohort; the review of a person in a stage lies with the person."""
    if "stage" not in values:
        return
    stage, kind = values["stage"], values["kind"]
    if stage is not None and stage.cohort_id != project.cohort_id:
        raise RuleBroken(
            f"{stage} is a stage of another cohort: choose one of {project.cohort}.", field="stage"
        )
    if known is not None:
        known.judge_stage(stage)
    if kind == Output.Kind.STAGE_REVIEW:
        judge_stage_review(project, stage, known)


def judge_stage_review(project: Project, stage: Stage | None, known: "Output | None") -> None:
    if project.person is None:
        raise RuleBroken(
            "A stage review is of one person: name the person instead of a project.", field="project"
        )
    if stage is None:
        raise RuleBroken("Choose the stage that the review is of.", field="stage")
    reviews = project.outputs.standing().filter(kind=Output.Kind.STAGE_REVIEW, stage=stage)
    if any(review != known for review in reviews):
        raise RuleBroken(
            f"{project.person} has a review of {stage} already: rate that one.",
            code="repeated",
            field="stage",
        )


def judge_probe(values: Mapping[str, Any], known: "Output | None") -> None:
    """A probe is a line of a log: what was asked, what was done, what was seen."""
    if values["kind"] != Output.Kind.PROBE:
        return
    for name, told in PROBE_LINE.items():
        line = values.get(name, getattr(known, name, ""))
        if not line.strip():
            raise RuleBroken(f"A probe is one line: say {told} too.", field=name, code="probe-incomplete")


class Output(Content, Tracked):
    """Something that exists: a post, a paper, a repository, an evaluation result."""

    history_is_for_leads = True

    # Kinds that claim something, so that their readers are told what they show and what they do not.
    RESULTS = (
        Content.Kind.POST,
        Content.Kind.PAPER,
        Content.Kind.REPOSITORY,
        Content.Kind.DATASET,
        Content.Kind.MODEL,
        Content.Kind.EVALUATION,
        Content.Kind.CLAIM_CHECK,
    )

    # Kinds that have a form or a verb of their own.
    MADE_OTHERWISE = (Content.Kind.PROBE, Content.Kind.STAGE_REVIEW, Content.Kind.REFERENCE)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="outputs")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="outputs")
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, null=True, blank=True, related_name="outputs")
    external_id = models.CharField(max_length=200, blank=True)
    is_confidential = models.BooleanField(
        default=False, help_text="Of a reference: its writer does not want the person to read it."
    )
    has_own_credit = models.BooleanField(
        default=False, editable=False, help_text="Whose it is was said for it alone, not for its project."
    )
    produced_on = models.DateField(default=timezone.localdate)
    retracted_at = models.DateTimeField(null=True, blank=True)
    private_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When it became private until its release review."
    )

    objects = OutputQuerySet.as_manager()

    class Meta:
        ordering = ("-produced_on", "title", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=["program", "external_id"],
                condition=~Q(external_id=""),
                name="one_output_per_external_id_in_a_program",
            ),
            models.UniqueConstraint(
                fields=["program", "work"],
                condition=Q(retracted_at=None, private_at=None) & ~Q(work=""),
                name="one_standing_output_of_a_work_in_a_program",
            ),
            models.CheckConstraint(
                condition=~Q(kind="stage_review") | Q(stage__isnull=False), name="a_stage_review_has_a_stage"
            ),
            models.UniqueConstraint(
                fields=["project", "stage"],
                condition=Q(kind="stage_review", retracted_at=None),
                name="one_stage_review_per_person_and_stage",
            ),
            models.CheckConstraint(
                condition=Q(is_confidential=False) | Q(kind="reference"),
                name="only_a_reference_is_confidential",
            ),
            models.CheckConstraint(
                condition=~Q(kind="probe") | ~Q(question="") & ~Q(did="") & ~Q(saw=""),
                name="a_probe_says_what_was_asked_done_and_seen",
            ),
        )

    def __str__(self) -> str:
        return self.title

    def change(self, values: Mapping[str, Any]) -> None:
        """Say it otherwise; what is not given stays, and whoever rated it is still known to have seen the old one."""
        self.versions.keep(self)
        for name, value in values.items():
            setattr(self, name, value)
        self.save(update_fields=[*values])
        self.versions.keep(self)

    def revise(self, *, by: UUID | None = None, hazards: Sequence[str] = (), **values: Any) -> None:
        """The same output in a newer version, or told better."""
        if self.retracted_at is not None:
            raise RuleBroken("This output has been retracted: publish a new one.", code="output-retracted")
        self.project.cohort.demand_open()
        values = {"title": self.title, "kind": self.kind, **values, **reference_of(values, self.project)}
        with transaction.atomic():
            judge_work(self.project, values.get("work", ""), self)
            judge_place(self.project, values, self)
            judge_probe(values, self)
            self.change(values)
            if hazards:
                self.flag(hazards, by=by)
            elif self.private_at is not None:
                self.reviews.ask_again(self, by=by)
            Event.objects.write(
                "output.changed", program=self.program.public_id, subject=self.public_id, actor=by
            )

    def flag(self, hazards: Sequence[str], *, by: UUID | None = None) -> None:
        """It may do harm: private from now on, until somebody outside the team has answered."""
        with transaction.atomic():
            self.private_at = self.private_at or timezone.now()
            self.save(update_fields=["private_at"])
            self.reviews.ask(self, hazards, by=by)

    def release(self) -> None:
        """Its review has found no reason to keep it from others."""
        judge_work(self.project, self.work, self)
        self.private_at = None
        self.save(update_fields=["private_at"])
        Event.objects.write("output.published", program=self.program.public_id, subject=self.public_id)

    def current_version(self) -> "OutputVersion":
        """What somebody who judges it now sees."""
        return self.versions.current_of([self])[self.pk]

    def inherit_credit(self) -> None:
        """As the team has stated for its project; in equal shares until it has."""
        self._credit(self.project.stated_credit() or equal_shares(self.project.authors()))
        self.save(update_fields=["has_own_credit"])

    def move_to(self, project: Project) -> None:
        """It lies in another project from now on: that of the same person under another entry."""
        self.project = project
        self.save(update_fields=["project"])

    def set_credit(self, shares: dict[str, dict[Person, float]]) -> None:
        """Whose this output alone is, by kind, whatever the project's statement says."""
        judge_shares(shares)
        with transaction.atomic():
            self.has_own_credit = True
            self.save(update_fields=["has_own_credit"])
            self._credit(shares)

    def _credit(self, shares: Mapping[str, Mapping[Person, float]]) -> None:
        rows = [
            self.credits.model(output=self, person=person, kind=kind, share=share)
            for kind, by_person in shares.items()
            for person, share in by_person.items()
        ]
        with transaction.atomic():
            self.credits.all().delete()
            self.credits.bulk_create(rows)
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
