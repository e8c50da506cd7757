"""Rating: what one reader says of one output, in versions. Score: the value on one criterion."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import DECIDERS, READERS, Person, Program, Role, Visitor
from tracker.projects.models import Output, OutputVersion
from tracker.projects.models.closeness import too_close, work_of
from tracker.ratings.models.assignments import Assignment
from tracker.ratings.models.conflicts import Closeness
from tracker.ratings.models.rubrics import (
    LARGEST_SCORE,
    Criterion,
    Rubric,
    instrument_name,
    no_rubric,
)
from tracker.ratings.rules import Draft, ReadingRules, sole_verdict, verdicts
from tracker.wording import worded


class RatingQuerySet(TrackedQuerySet["Rating"]):
    def standing(self) -> Self:
        """What readers say now."""
        return self.filter(retracted_at=None, revised_at=None)

    def evidence(self) -> Self:
        """The one version of each reader and output that the estimates rest on.

        It is the last that was given blind: what a reader changes after seeing what others say is on record and
        shown, but it repeats their first judgement and adds the others', so that counting it, alone or beside the
        blind one, would count the others twice. Only who never gave a blind one enters as read together.
        """
        again = Rating.objects.filter(revises=OuterRef("pk"), is_blind=True)
        blind = Rating.objects.filter(
            output=OuterRef("output"), rater=OuterRef("rater"), retracted_at=None, is_blind=True
        )
        return self.filter(retracted_at=None).filter(
            Q(~Exists(again), is_blind=True) | Q(~Exists(blind), is_blind=False, revised_at=None)
        )

    def too_close(self) -> Self:
        """Those whose reader has a conflict now, declared or found, whenever it arose."""
        return self.filter(conflicted())

    def different_readers(self) -> Self:
        """Those that count where different readers are counted: by people, and by nobody too close."""
        return self.filter(~conflicted(), rater__kind=Person.Kind.HUMAN)

    def with_conflict(self) -> Self:
        """Adds ``is_conflicted``: that it counts as no reader."""
        return self.annotate(
            is_conflicted=models.Case(
                models.When(conflicted(), then=True), default=False, output_field=models.BooleanField()
            )
        )

    def visible_to(self, user: Visitor) -> Self:
        """Who decides sees all, but of what they are themselves to read only after; everybody what they gave.

        Of their own work nobody sees it here, whatever they decide: they are told without names, once it is released.
        What was said of an output that waits for its release review is for leads, as the output is.
        """
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        decided = Program.objects.where(user, *DECIDERS)
        to_read = Assignment.objects.open().of(user)
        shown = Q(output__private_at=None) | Q(output__program__in=Program.objects.where(user, Role.LEAD))
        kept_back = Q(output__in=to_read.values("output")) | Q(output__in=work_of(user).values("pk"))
        return self.filter(
            Q(output__program__in=decided) & shown & ~kept_back | Q(rater__in=Person.objects.of(user))
        )

    def about(self, user: Visitor) -> Self:
        """What was said of this user's own work, once it is released to them."""
        return (
            self.standing()
            .filter(output__credits__person__in=Person.objects.of(user), output__stage__release__isnull=False)
            .distinct()
        )

    def hindrances_to_merging(self, name: str, *, kept: Person, doubled: Person) -> Iterator[str]:
        """Nobody becomes the reader of their own work."""
        for reader, author in ((kept, doubled), (doubled, kept)):
            if self.filter(rater=reader, output__credits__person=author).exists():
                yield f"{reader} has rated work of {author}: nobody rates their own, so these are two people."

    def merge_people(self, name: str, *, kept: Person, doubled: Person) -> None:
        """Of two readings of one output the later stands."""
        standing = self.filter(retracted_at=None)
        twice = standing.filter(rater=doubled, output__in=standing.filter(rater=kept).values("output"))
        for output in set(twice.values_list("output", flat=True)):
            latest = standing.filter(output=output, rater__in=(kept, doubled)).latest("submitted_at", "pk")
            earlier = kept if latest.rater_id == doubled.pk else doubled
            standing.filter(output=output, rater=earlier).update(
                retracted_at=timezone.now(), retraction_reason="The same reader gave another later."
            )
        self.filter(rater=doubled).update(rater=kept)

    def given_by(self, user: Visitor) -> Self:
        return self.filter(rater__in=Person.objects.of(user))

    def record(self, *, output: Output, rater: Person, by: UUID | None = None, **said: Any) -> "Rating":
        """One reader's judgement of one output, if the rules allow it."""
        draft = Draft(output=output, rater=rater, **said)
        with sole_verdict():
            return self.record_all([draft], program=output.program, by=by)[0]

    def record_all(self, drafts: list[Draft], *, program: Program, by: UUID | None = None) -> "list[Rating]":
        """Many ratings by the same rules: all of them are kept, or none and every fault is named."""
        # The rows that recording writes refer to ratings, so that it comes after them.
        from tracker.ratings.models.recording import keep

        with transaction.atomic():
            # The lock makes two requests with the same rating wait for each other.
            Program.objects.select_for_update().get(pk=program.pk)
            rubrics = Rubric.objects.by_reader(program, {draft.rater for draft in drafts})
            if not rubrics and not Rubric.objects.standing().filter(program=program).exists():
                raise no_rubric(program)
            repeated = self._repeated(drafts, program=program)
            fresh = [draft for draft in drafts if draft.external_id not in repeated]
            verdicts(drafts, self.rules_for(drafts, program=program, rubrics=rubrics), repeated)
            kept = keep(fresh, rubrics)
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

    def rules_for(
        self, drafts: list[Draft], *, program: Program, rubrics: Mapping[int, Rubric]
    ) -> ReadingRules:
        """Everything that decides whether these ratings may be recorded, in a fixed number of queries."""
        outputs = {draft.output.pk for draft in drafts}
        raters = {draft.rater.pk for draft in drafts}
        return ReadingRules(
            program=program,
            rubrics=rubrics,
            readers=set(
                Person.objects.filter(pk__in=raters).active_as(*READERS).values_list("pk", flat=True)
            ),
            closeness=Closeness.of(program, outputs=[draft.output for draft in drafts]),
            rated={
                (output, rater): pk
                for output, rater, pk in self.standing()
                .filter(output__in=outputs, rater__in=raters)
                .values_list("output", "rater", "pk")
            },
        )

    def _repeated(self, drafts: list[Draft], *, program: Program) -> "dict[str, Rating]":
        """Ratings that were sent before under the same external_id."""
        sent = {draft.external_id for draft in drafts if draft.external_id}
        found = self.filter(program=program, external_id__in=sent).prefetch_related(
            "scores__criterion", "forecasts__question"
        )
        return {rating.external_id: rating for rating in found}


def conflicted() -> Q:
    return too_close(project="output__project", output="output", person=OuterRef("rater"))


class Rating(Tracked):
    """One reader's judgement of one output. What was said stays: it is revised by a further version, or retracted."""

    history_is_for_leads = True

    class Confidence(models.IntegerChoices):
        GUESS = 1, "a guess"
        FAIR = 2, "fairly sure"
        SURE = 3, "sure"
        CERTAIN = 4, "I know this work well"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="ratings")
    output = models.ForeignKey(Output, on_delete=models.PROTECT, related_name="ratings")
    rater = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="ratings")
    rubric = models.ForeignKey(Rubric, on_delete=models.PROTECT, related_name="ratings")
    version = models.ForeignKey(
        OutputVersion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="ratings",
        help_text="The output as its reader saw it.",
    )
    external_id = models.CharField(max_length=200, blank=True)
    comment = models.TextField(blank=True)
    confidence = models.PositiveSmallIntegerField(
        null=True, blank=True, choices=Confidence, help_text="How sure the reader is, in their own words."
    )
    submitted_at = models.DateTimeField(default=timezone.now, editable=False)
    place_in_order = models.PositiveIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="The how manieth piece of its stage it was for this reader.",
    )
    others_seen_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When this reader first could see what others say of the output.",
    )
    is_blind = models.BooleanField(
        default=True, editable=False, help_text="Given before the reader could see what others say."
    )
    revises = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="revision"
    )
    revised_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When its reader gave a further version."
    )
    retracted_at = models.DateTimeField(null=True, blank=True, editable=False)
    retraction_reason = models.TextField(blank=True)

    objects = RatingQuerySet.as_manager()

    class Meta:
        ordering = ("-submitted_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=["output", "rater"],
                condition=Q(retracted_at=None, revised_at=None),
                name="one_standing_rating_per_reader_and_output",
            ),
            models.UniqueConstraint(
                fields=["program", "external_id"],
                condition=~Q(external_id=""),
                name="one_rating_per_external_id_in_a_program",
            ),
            models.CheckConstraint(
                condition=Q(is_blind=True)
                | Q(others_seen_at__isnull=False, others_seen_at__lte=F("submitted_at")),
                name="who_is_not_blind_saw_others_before",
            ),
            models.CheckConstraint(
                condition=Q(is_blind=False)
                | Q(others_seen_at=None)
                | Q(others_seen_at__gte=F("submitted_at")),
                name="who_is_blind_saw_others_after_if_at_all",
            ),
            models.CheckConstraint(
                condition=Q(retracted_at=None) | ~Q(retraction_reason=""), name="a_retraction_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(confidence=None) | Q(confidence__gte=1, confidence__lte=4),
                name="confidence_is_from_1_to_4",
            ),
        )

    def __str__(self) -> str:
        return f"{self.rater} on {self.output}"

    def revise(self, *, by: UUID | None = None, **said: Any) -> "Rating":
        """A further version; this one stays on record, and stays the evidence if the new one is not blind."""
        return Rating.objects.record(output=self.output, rater=self.rater, revises=self.pk, by=by, **said)

    def retract(self, *, reason: str, by: UUID | None = None) -> None:
        """No longer endorsed: all its versions stay readable, with the reason, and count no more."""
        if self.retracted_at is not None:
            raise RuleBroken("This rating has been retracted already.", code="already-retracted")
        if not self.output.stage or not self.output.stage.is_reading:
            raise RuleBroken("The reading has closed: this rating stands.", code="reading-closed")
        reason = worded(
            reason, "Say in a sentence why you retract it.", code="reason-missing", field="reason"
        )
        with transaction.atomic():
            versions = Rating.objects.filter(output=self.output, rater=self.rater, retracted_at=None)
            versions.update(retracted_at=timezone.now(), retraction_reason=reason)
            self.refresh_from_db(fields=["retracted_at", "retraction_reason"])
            Event.objects.write(
                "rating.retracted", program=self.program.public_id, subject=self.public_id, actor=by
            )

    def says(self) -> dict[str, float]:
        return {score.criterion.key: score.value for score in self.scores.all()}

    def foresees(self) -> dict[str, float]:
        return {forecast.question.key: forecast.probability for forecast in self.forecasts.all()}


class ScoreQuerySet(TrackedQuerySet["Score"]):
    def standing(self) -> Self:
        return self.filter(rating__in=Rating.objects.standing(), rating__output__retracted_at=None)

    def evidence(self, program: Program) -> Self:
        """What the estimates of a program rest on."""
        ratings = Rating.objects.evidence().filter(program=program, output__retracted_at=None)
        if program.conflicted_ratings == Program.Conflicted.LEFT_OUT:
            ratings = ratings.filter(~conflicted())
        return self.filter(rating__in=ratings)

    def visible_to(self, user: Visitor) -> Self:
        return self.filter(rating__in=Rating.objects.visible_to(user))

    def as_observations(self) -> list[dict[str, Any]]:
        """One row per score in the words of the noise model, in an order that data alone decide."""
        rows = self.order_by("rating__public_id", "criterion__key").values_list(
            "value",
            "rating__output_id",
            "rating__rater_id",
            "rating__output__project_id",
            "rating__is_blind",
            "rating__place_in_order",
            "rating__submitted_at",
            "rating__output__stage__cohort__starts_on",
            "criterion__key",
            "criterion__lowest",
            "criterion__highest",
        )
        return [
            {
                "score": value,
                "output": output,
                "rater": rater,
                "project": project,
                "panel": None if is_blind else output,
                "order": order,
                "week": None if starts_on is None else (read_at.date() - starts_on).days // 7 + 1,
                "instrument": instrument_name(key, lowest, highest),
            }
            for value, output, rater, project, is_blind, order, read_at, starts_on, key, lowest, highest in rows
        ]


class Score(Tracked):
    """The value on one criterion."""

    history_is_for_leads = True

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
