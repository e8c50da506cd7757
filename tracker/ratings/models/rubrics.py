"""Rubric, Criterion, Question: what readers are asked, in versions that ratings keep."""

import uuid
from collections.abc import Iterable
from typing import Any, Self
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import Membership, Person, Program, Visitor

LARGEST_SCORE = 1e6
STANDARD_SCALE = (1.0, 10.0)


class RubricQuerySet(TrackedQuerySet["Rubric"]):
    def standing(self) -> Self:
        return self.filter(retired_at=None, published_at__isnull=False)

    def visible_to(self, user: Visitor) -> Self:
        return self.filter(program__in=Program.objects.visible_to(user))

    def of(self, reader: Person) -> "Rubric":
        """What this reader is asked."""
        rubric = self.by_reader(reader.program, [reader]).get(reader.pk)
        if rubric is None:
            raise no_rubric(reader.program)
        return rubric

    def by_reader(self, program: Program, readers: Iterable[Person]) -> "dict[int, Rubric]":
        """Each reader's rubric: that of their kind or role where there is one, else everybody's."""
        standing = self.standing().filter(program=program).prefetch_related("criteria", "questions")
        by_kind = {rubric.readers: rubric for rubric in standing}
        roles: dict[int, set[str]] = {reader.pk: {Rubric.Readers.EVERYBODY} for reader in readers}
        held = Membership.objects.active().filter(person__in=roles).values_list("person", "role")
        for person, role in held:
            roles[person].add(role)
        for reader in readers:
            if reader.kind == Person.Kind.MODEL:
                roles[reader.pk] = {Rubric.Readers.MODEL, Rubric.Readers.EVERYBODY}
        chosen = {
            pk: next((by_kind[kind] for kind in Rubric.Readers if kind in own and kind in by_kind), None)
            for pk, own in roles.items()
        }
        return {pk: rubric for pk, rubric in chosen.items() if rubric is not None}


def no_rubric(program: Program) -> RuleBroken:
    return RuleBroken(f"{program} has no rubric yet: a lead adds one in the admin.", code="no-rubric")


class Rubric(Tracked):
    """What readers of a kind are asked. In use it is not changed: a new version takes its place."""

    class Readers(models.TextChoices):
        """Whose rubric it is; who holds several roles is asked by the first of them in this order."""

        MODEL = "model", "models"
        LEAD = "lead", "leads"
        COMMITTEE = "committee", "committee"
        MENTOR = "mentor", "mentors"
        EVERYBODY = "everybody", "everybody else"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="rubrics")
    name = models.CharField(max_length=200)
    readers = models.CharField(max_length=10, choices=Readers, default=Readers.EVERYBODY)
    version = models.PositiveIntegerField(default=1)
    published_at = models.DateTimeField(
        null=True, blank=True, default=timezone.now, help_text="Empty: a draft that nobody is asked by yet."
    )
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = RubricQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["program", "name", "version"], name="one_rubric_per_name_and_version"
            ),
            models.UniqueConstraint(
                fields=["program", "readers"],
                condition=Q(retired_at=None, published_at__isnull=False),
                name="one_standing_rubric_for_its_readers",
            ),
            models.UniqueConstraint(
                fields=["program", "readers"],
                condition=Q(retired_at=None, published_at=None),
                name="one_rubric_in_the_making_for_its_readers",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} (version {self.version})"

    @property
    def is_in_use(self) -> bool:
        return self.ratings.exists()

    def retire(self) -> None:
        """Nothing new is rated by it; what was, stands."""
        if self.retired_at is not None:
            raise RuleBroken("This rubric has been retired already.", code="already-retired")
        self.retired_at = timezone.now()
        self.save(update_fields=["retired_at"])

    def new_version(self) -> "Rubric":
        """A copy to be changed and then published; until then readers are asked by the present one."""
        namesakes = Rubric.objects.filter(program=self.program, name=self.name)
        making = Rubric.objects.filter(
            program=self.program, readers=self.readers, retired_at=None, published_at=None
        ).first()
        if making is not None:
            raise RuleBroken(f"{making} is in the making: publish or retire it first.", code="in-the-making")
        with transaction.atomic():
            latest = namesakes.aggregate(latest=Max("version"))["latest"]
            copy = Rubric.objects.create(
                program=self.program,
                name=self.name,
                readers=self.readers,
                version=latest + 1,
                published_at=None,
            )
            for criterion in self.criteria.all():
                criterion.copy_to(copy)
            for question in self.questions.all():
                question.copy_to(copy)
        return copy

    def publish(self, *, by: UUID | None = None) -> None:
        """Readers are asked by it from now on; the version before is retired, its answers stand."""
        if self.published_at is not None:
            raise RuleBroken("This rubric has been published already.", code="already-published")
        if not self.criteria.exists():
            raise RuleBroken("Give the rubric a criterion before you publish it.", code="criterion-missing")
        with transaction.atomic():
            now = timezone.now()
            before = Rubric.objects.standing().filter(program=self.program, readers=self.readers)
            before.update(retired_at=now)
            self.published_at = now
            self.save(update_fields=["published_at"])
            Event.objects.write(
                "rubric.published", program=self.program.public_id, subject=self.public_id, actor=by
            )


class CriterionQuerySet(TrackedQuerySet["Criterion"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(rubric__in=Rubric.objects.visible_to(user))


class Criterion(Tracked):
    """A dimension of a rubric, with its scale."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    rubric = models.ForeignKey(Rubric, on_delete=models.PROTECT, related_name="criteria")
    key = models.SlugField(max_length=40)
    name = models.CharField(max_length=100)
    question = models.CharField(max_length=300, blank=True)
    lowest = models.FloatField(default=STANDARD_SCALE[0])
    highest = models.FloatField(default=STANDARD_SCALE[1])
    low_anchor = models.CharField(max_length=200, blank=True, help_text="What the lowest score means.")
    high_anchor = models.CharField(max_length=200, blank=True, help_text="What the highest score means.")
    anchors = models.JSONField(
        default=dict,
        blank=True,
        help_text='What scores between the ends mean, as {"5": "a result that others can use"}.',
    )
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
            models.CheckConstraint(
                condition=Q(position__lte=32_767), name="a_criterion_has_a_position_that_every_database_holds"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if not isinstance(self.anchors, dict) or not all(map(self._is_anchor, self.anchors.items())):
            raise ValidationError(
                {"anchors": f"Give scores from {self.lowest:g} to {self.highest:g} with what they mean."}
            )

    def _is_anchor(self, anchor: tuple[Any, Any]) -> bool:
        try:
            return self.lowest <= float(anchor[0]) <= self.highest and bool(str(anchor[1]).strip())
        except (TypeError, ValueError):
            return False

    @property
    def instrument(self) -> str:
        return instrument_name(self.key, self.lowest, self.highest)

    def between(self) -> list[tuple[str, str]]:
        """The anchors between the ends, from low to high."""
        return sorted(self.anchors.items(), key=lambda anchor: float(anchor[0]))

    def copy_to(self, rubric: Rubric) -> None:
        fresh = {"pk": None, "public_id": uuid.uuid4(), "rubric": rubric}
        Criterion.objects.create(**{**values_of(self), **fresh})


def values_of(row: models.Model) -> dict[str, Any]:
    return {field.name: getattr(row, field.name) for field in row._meta.concrete_fields if field.name != "id"}


def instrument_name(key: str, lowest: float, highest: float) -> str:
    """A criterion's name in the noise model: over versions and rubrics one instrument while its scale is one."""
    return key if (lowest, highest) == STANDARD_SCALE else f"{key} ({lowest:g} to {highest:g})"


class QuestionQuerySet(TrackedQuerySet["Question"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(rubric__in=Rubric.objects.visible_to(user))


class Question(Tracked):
    """Something about a piece that time will tell: readers say how probable it is, later it is asked."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    rubric = models.ForeignKey(Rubric, on_delete=models.PROTECT, related_name="questions")
    key = models.SlugField(max_length=40)
    text = models.CharField(max_length=300, default="Will this hold up?")
    months = models.PositiveSmallIntegerField(default=12, help_text="After how many months it is asked.")

    objects = QuestionQuerySet.as_manager()

    class Meta:
        ordering = ("rubric", "pk")
        constraints = (
            models.UniqueConstraint(fields=["rubric", "key"], name="one_question_per_key_in_a_rubric"),
            models.CheckConstraint(condition=Q(months__gte=1), name="a_question_is_asked_later"),
            models.CheckConstraint(
                condition=Q(months__lte=120), name="a_question_is_asked_within_120_months"
            ),
        )

    def __str__(self) -> str:
        return self.text

    def copy_to(self, rubric: Rubric) -> None:
        fresh = {"pk": None, "public_id": uuid.uuid4(), "rubric": rubric}
        Question.objects.create(**{**values_of(self), **fresh})
