"""Rubric, Criterion, Rating, Score, Conflict."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import F, Min, Q
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.models import Event
from tracker.people.models import DECIDERS, READERS, Person, Program, Role, Visitor
from tracker.projects.models import Credit, Output, Project
from tracker.ratings.rules import Draft, ReadingRules, sole_verdict, verdicts

LARGEST_SCORE = 1e6


class RubricQuerySet(models.QuerySet["Rubric"]):
    def standing(self) -> Self:
        return self.filter(retired_at=None)

    def visible_to(self, user: Visitor) -> Self:
        return self.filter(program__in=Program.objects.visible_to(user))

    def of(self, program: Program) -> "Rubric":
        rubric = self.standing().filter(program=program).prefetch_related("criteria").first()
        if rubric is None:
            raise RuleBroken(f"{program} has no rubric yet: a lead adds one in the admin.", code="no-rubric")
        return rubric


class Rubric(models.Model):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="rubrics")
    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField(default=1)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = RubricQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["program", "name", "version"], name="one_rubric_per_name_and_version"
            ),
            models.UniqueConstraint(
                fields=["program"], condition=Q(retired_at=None), name="one_standing_rubric_in_a_program"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} (version {self.version})"

    def retire(self) -> None:
        """Nothing new is rated by it; what was, stands."""
        if self.retired_at is not None:
            raise RuleBroken("This rubric has been retired already.", code="already-retired")
        self.retired_at = timezone.now()
        self.save(update_fields=["retired_at"])


class CriterionQuerySet(models.QuerySet["Criterion"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(rubric__in=Rubric.objects.visible_to(user))


class Criterion(models.Model):
    """A dimension of a rubric, with its scale."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    rubric = models.ForeignKey(Rubric, on_delete=models.PROTECT, related_name="criteria")
    key = models.SlugField(max_length=40)
    name = models.CharField(max_length=100)
    question = models.CharField(max_length=300, blank=True)
    lowest = models.FloatField(default=1)
    highest = models.FloatField(default=10)
    low_anchor = models.CharField(max_length=200, blank=True, help_text="What the lowest score means.")
    high_anchor = models.CharField(max_length=200, blank=True, help_text="What the highest score means.")
    position = models.PositiveSmallIntegerField(default=0)

    objects = CriterionQuerySet.as_manager()

    class Meta:
        ordering = ("rubric", "position")
        verbose_name_plural = "criteria"
        constraints = (
            models.UniqueConstraint(fields=["rubric", "key"], name="one_criterion_per_key_in_a_rubric"),
            models.CheckConstraint(
                condition=Q(highest__gt=F("lowest"), lowest__gte=-LARGEST_SCORE, highest__lte=LARGEST_SCORE),
                name="a_scale_goes_up",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def instrument(self) -> str:
        """Its name in the noise model: another version of the rubric is another instrument."""
        return instrument_name(self.key, self.rubric.version)


def instrument_name(key: str, version: int) -> str:
    return key if version == 1 else f"{key} (version {version})"


class RatingQuerySet(models.QuerySet["Rating"]):
    def standing(self) -> Self:
        return self.filter(retracted_at=None)

    def visible_to(self, user: Visitor) -> Self:
        """Leads, committee and the program's own keys see all; everybody else their own ratings."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        decided = Program.objects.where(user, *DECIDERS)
        return self.filter(Q(output__program__in=decided) | Q(rater__in=Person.objects.of(user)))

    def given_by(self, user: Visitor) -> Self:
        return self.filter(rater__in=Person.objects.of(user))

    def record(
        self,
        *,
        output: Output,
        rater: Person,
        scores: dict[str, float],
        comment: str = "",
        external_id: str = "",
        by: UUID | None = None,
    ) -> "Rating":
        """One reader's judgement of one output, if the rules allow it."""
        draft = Draft(output=output, rater=rater, scores=scores, comment=comment, external_id=external_id)
        with sole_verdict():
            return self.record_all([draft], program=output.program, by=by)[0]

    def record_all(self, drafts: list[Draft], *, program: Program, by: UUID | None = None) -> "list[Rating]":
        """Many ratings by the same rules: all of them are kept, or none and every fault is named."""
        with transaction.atomic():
            # The lock makes two requests with the same rating wait for each other.
            Program.objects.select_for_update().get(pk=program.pk)
            rubric = Rubric.objects.of(program)
            rules = self.rules_for(drafts, program=program, rubric=rubric)
            repeated = self._repeated(drafts, program=program)
            fresh = [draft for draft in drafts if draft.external_id not in repeated]
            verdicts(drafts, rules, repeated)
            kept = self._keep(fresh, rubric)
            if kept:
                Event.objects.write(
                    "ratings.recorded",
                    program=program.public_id,
                    subject=kept[0].public_id,
                    actor=by,
                    count=len(kept),
                )
        by_draft = {id(draft): rating for draft, rating in zip(fresh, kept, strict=True)}
        return [by_draft.get(id(draft)) or repeated[draft.external_id] for draft in drafts]

    def rules_for(self, drafts: Iterable[Draft], *, program: Program, rubric: Rubric) -> ReadingRules:
        """Everything that decides whether these ratings may be recorded, in a fixed number of queries."""
        projects = {draft.output.project_id for draft in drafts}
        outputs = {draft.output.pk for draft in drafts}
        raters = {draft.rater.pk for draft in drafts}
        teams = Project.objects.filter(pk__in=projects, team__left_on=None, team__role="author")
        return ReadingRules(
            program=program,
            criteria={criterion.key: criterion for criterion in rubric.criteria.all()},
            readers=set(
                Person.objects.filter(pk__in=raters).active_as(*READERS).values_list("pk", flat=True)
            ),
            authors=set(teams.values_list("pk", "team__person")),
            credited=set(Credit.objects.filter(output__in=outputs).values_list("output", "person")),
            conflicts=set(
                Conflict.objects.standing().filter(person__in=raters).values_list("person", "project")
            ),
            rated=set(
                self.standing().filter(output__in=outputs, rater__in=raters).values_list("output", "rater")
            ),
        )

    def _repeated(self, drafts: list[Draft], *, program: Program) -> "dict[str, Rating]":
        """Ratings that were sent before under the same external_id."""
        sent = {draft.external_id for draft in drafts if draft.external_id}
        found = self.filter(program=program, external_id__in=sent).prefetch_related("scores__criterion")
        return {rating.external_id: rating for rating in found}

    def _first_given(self, drafts: list[Draft]) -> dict[tuple[int, int], datetime]:
        """When these readers first rated these outputs and took it back: others could be heard from then on."""
        outputs, raters = {draft.output.pk for draft in drafts}, {draft.rater.pk for draft in drafts}
        taken_back = self.filter(output__in=outputs, rater__in=raters, retracted_at__isnull=False)
        first = taken_back.order_by().values_list("output", "rater").annotate(Min("submitted_at"))
        return {(output, rater): at for output, rater, at in first}

    def _keep(self, drafts: list[Draft], rubric: Rubric) -> "list[Rating]":
        seen = self._first_given(drafts)
        ratings = Rating.objects.bulk_create(
            [
                Rating(
                    program_id=draft.output.program_id,
                    output=draft.output,
                    rater=draft.rater,
                    rubric=rubric,
                    comment=draft.comment,
                    external_id=draft.external_id,
                    submitted_at=draft.submitted_at or timezone.now(),
                    others_seen_at=seen.get((draft.output.pk, draft.rater.pk)),
                )
                for draft in drafts
            ],
            batch_size=1000,
        )
        criteria = {criterion.key: criterion for criterion in rubric.criteria.all()}
        Score.objects.bulk_create(
            (
                Score(rating_id=rating.pk, criterion_id=criteria[key].pk, value=value)
                for rating, draft in zip(ratings, drafts, strict=True)
                for key, value in draft.scores.items()
            ),
            batch_size=1000,
        )
        return ratings


class Rating(models.Model):
    """One reader's judgement of one output. It is never changed: it is retracted and given anew."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="ratings")
    output = models.ForeignKey(Output, on_delete=models.PROTECT, related_name="ratings")
    rater = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="ratings")
    rubric = models.ForeignKey(Rubric, on_delete=models.PROTECT, related_name="ratings")
    external_id = models.CharField(max_length=200, blank=True)
    comment = models.TextField(blank=True)
    submitted_at = models.DateTimeField(default=timezone.now, editable=False)
    others_seen_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When this reader first saw what others said of the output.",
    )
    retracted_at = models.DateTimeField(null=True, blank=True, editable=False)
    retraction_reason = models.TextField(blank=True)

    objects = RatingQuerySet.as_manager()

    class Meta:
        ordering = ("-submitted_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=["output", "rater"],
                condition=Q(retracted_at=None),
                name="one_standing_rating_per_reader_and_output",
            ),
            models.UniqueConstraint(
                fields=["program", "external_id"],
                condition=~Q(external_id=""),
                name="one_rating_per_external_id_in_a_program",
            ),
        )

    def __str__(self) -> str:
        return f"{self.rater} on {self.output}"

    def retract(self, *, reason: str, by: UUID | None = None) -> None:
        """No longer endorsed: it stays readable, with the reason, and counts no more."""
        if self.retracted_at is not None:
            raise RuleBroken("This rating has been retracted already.", code="already-retracted")
        if not self.output.stage or not self.output.stage.is_reading:
            raise RuleBroken("The reading has closed: this rating stands.", code="reading-closed")
        if not reason.strip():
            raise RuleBroken("Say in a sentence why you retract it.", code="reason-missing", field="reason")
        with transaction.atomic():
            self.retracted_at = timezone.now()
            self.retraction_reason = reason
            self.save(update_fields=["retracted_at", "retraction_reason"])
            Event.objects.write(
                "rating.retracted", program=self.program.public_id, subject=self.public_id, actor=by
            )

    def says(self) -> dict[str, float]:
        return {score.criterion.key: score.value for score in self.scores.all()}


class ScoreQuerySet(models.QuerySet["Score"]):
    def standing(self) -> Self:
        return self.filter(rating__retracted_at=None, rating__output__retracted_at=None)

    def visible_to(self, user: Visitor) -> Self:
        return self.filter(rating__in=Rating.objects.visible_to(user))

    def as_observations(self) -> list[dict[str, Any]]:
        """One row per score in the words of the noise model, in an order that data alone decide."""
        rows = self.order_by("rating__public_id", "criterion__key").values_list(
            "value",
            "rating__output_id",
            "rating__rater_id",
            "rating__output__project_id",
            "criterion__key",
            "criterion__rubric__version",
        )
        return [
            {
                "score": value,
                "output": output,
                "rater": rater,
                "project": project,
                "instrument": instrument_name(key, version),
            }
            for value, output, rater, project, key, version in rows
        ]


class Score(models.Model):
    """The value on one criterion."""

    rating = models.ForeignKey(Rating, on_delete=models.PROTECT, related_name="scores")
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT, related_name="scores")
    value = models.FloatField()

    objects = ScoreQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["rating", "criterion"], name="one_score_per_criterion"),
            models.CheckConstraint(
                condition=Q(value__gte=-LARGEST_SCORE, value__lte=LARGEST_SCORE), name="a_score_is_finite"
            ),
        )

    def __str__(self) -> str:
        return f"{self.criterion}: {self.value:g}"


class ConflictQuerySet(models.QuerySet["Conflict"]):
    def standing(self) -> Self:
        return self.filter(withdrawn_at=None)

    def visible_to(self, user: Visitor) -> Self:
        leading = Program.objects.where(user, Role.LEAD, Role.COMMITTEE)
        return self.filter(Q(person__in=Person.objects.of(user)) | Q(person__program__in=leading))

    def declare(self, *, person: Person, project: Project, reason: str = "") -> "Conflict":
        """The person will judge nothing of this project; saying so twice is one conflict."""
        if person.program_id != project.program_id:
            raise RuleBroken(f"{person} is not in {project.program}.", code="other-program")
        with transaction.atomic():
            conflict, is_new = self.get_or_create(
                person=person, project=project, withdrawn_at=None, defaults={"reason": reason}
            )
            if is_new:
                Event.objects.write(
                    "conflict.declared",
                    program=person.program.public_id,
                    subject=project.public_id,
                    actor=person.public_id,
                )
        return conflict


class Conflict(models.Model):
    """Why a reader may not judge a project."""

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
        )

    def __str__(self) -> str:
        return f"{self.person} and {self.project}"
