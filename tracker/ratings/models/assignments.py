"""Assignment: who is to read what, in which order and why. ReadingPlan: how a stage's reading is handed out."""

import secrets
import uuid
from typing import Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from tracker.cohorts.models import MOST_READERS, Stage
from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import DECIDERS, READERS, Person, Program, Role, Visitor
from tracker.projects.models import Output
from tracker.projects.models.closeness import too_close
from tracker.ratings.models.conflicts import Closeness
from tracker.wording import LONGEST_TITLE, worded


def new_seed() -> int:
    return secrets.randbelow(2**31)


class ReadingPlanQuerySet(TrackedQuerySet["ReadingPlan"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(stage__cohort__program__in=Program.objects.where(user, *DECIDERS))


class ReadingPlan(Tracked):
    """How the reading of a stage is handed out. The seed decides every draw, so that it can be repeated."""

    stage = models.OneToOneField(Stage, on_delete=models.PROTECT, related_name="reading_plan")
    readers_each = models.PositiveSmallIntegerField(
        "different readers for each person",
        default=3,
        help_text="Served before anything else, over all a person's pieces.",
    )
    second_share = models.FloatField(
        "share read by a second reader",
        default=0,
        help_text="From 0 to 1: this share of the pieces, drawn by lot, is given to one more reader.",
    )
    samples = models.ManyToManyField(
        Output, blank=True, related_name="+", help_text="Pieces that every reader is given."
    )
    seed = models.PositiveBigIntegerField(default=new_seed, editable=False)

    objects = ReadingPlanQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(second_share__gte=0, second_share__lte=1), name="a_share_is_from_0_to_1"
            ),
            models.CheckConstraint(
                condition=Q(readers_each__lte=MOST_READERS), name="a_plan_asks_for_20_readers_at_most"
            ),
        )

    def __str__(self) -> str:
        return f"reading of {self.stage}"

    def judge_samples(self) -> None:
        """Samples are pieces of the stage that is read: others would be given to nobody."""
        stray = self.samples.exclude(stage=self.stage_id).first()
        if stray is not None:
            raise RuleBroken(
                f"{stray} is no piece of {self.stage}: choose samples of the stage that is read.",
                field="samples",
                code="other-stage",
            )


class AssignmentQuerySet(TrackedQuerySet["Assignment"]):
    def open(self) -> Self:
        """Neither rated nor taken back, while the reading goes on."""
        rated = Exists(
            Person.objects.filter(
                pk=OuterRef("reader"),
                ratings__output=OuterRef("output"),
                ratings__retracted_at=None,
            )
        )
        return self.standing().filter(~rated, stage__in=Stage.objects.reading(), output__retracted_at=None)

    def standing(self) -> Self:
        return self.filter(withdrawn_at=None)

    def of(self, user: Visitor) -> Self:
        return self.filter(reader__in=Person.objects.of(user))

    def visible_to(self, user: Visitor) -> Self:
        """Who decides sees all, save of what waits for its release review, which leads do; a reader their own."""
        deciding = Program.objects.where(user, *DECIDERS)
        shown = Q(output__private_at=None) | Q(output__program__in=Program.objects.where(user, Role.LEAD))
        return self.filter(
            Q(stage__cohort__program__in=deciding) & shown | Q(reader__in=Person.objects.of(user))
        )

    def merge_people(self, name: str, *, kept: Person, doubled: Person) -> None:
        """What both are to read is read once, and what the other was to read comes last."""
        own = self.filter(reader=kept)
        twice = own.standing().values("output")
        self.filter(reader=doubled, output__in=twice).withdraw("The same reader has it already.")
        last = own.aggregate(last=models.Max("position"))["last"] or 0
        self.filter(reader=doubled).update(reader=kept, position=models.F("position") + last)

    def too_close(self) -> Self:
        """Those whose reader has come too close since."""
        return self.filter(is_too_close())

    def different_readers(self) -> Self:
        """Those that count where different readers are counted: given to people, and to nobody too close."""
        return self.filter(~is_too_close(), reader__kind=Person.Kind.HUMAN)

    def of_former_readers(self) -> Self:
        """Those whose reader holds no role any more in which outputs are read."""
        return self.exclude(reader__in=Person.objects.active_as(*READERS))

    def withdraw(self, reason: str) -> int:
        return self.standing().update(withdrawn_at=timezone.now(), withdrawal_reason=reason)

    def assign(
        self, reader: Person, output: Output, *, reason: str = "next", by: UUID | None = None
    ) -> "Assignment":
        """Ask this reader for a reading; it comes last in their order."""
        if reader.program_id != output.program_id or not reader.holds(*READERS):
            raise RuleBroken(f"{reader} is not a reader in {output.program}.", code="not-a-reader")
        if output.stage is None or output.retracted_at is not None:
            raise RuleBroken(f"{output} is not to be read: choose one of a stage.", code="no-stage")
        if output.private_at is not None:
            raise RuleBroken(
                f"{output} waits for its release review: it is read once it is released.", code="under-review"
            )
        Closeness.of(output.program, outputs=[output]).judge(output, reader)
        with transaction.atomic():
            Stage.objects.select_for_update().get(pk=output.stage.pk)
            if self.standing().filter(reader=reader, output=output).exists():
                raise RuleBroken(f"{reader} is to read {output} already.", code="assigned-already")
            own = self.filter(reader=reader, stage=output.stage)
            last = own.aggregate(last=models.Max("position"))["last"] or 0
            assignment: Assignment = self.create(
                reader=reader, output=output, stage=output.stage, position=last + 1, reason=reason
            )
            Event.objects.write(
                "reading.assigned",
                program=output.program.public_id,
                subject=output.public_id,
                actor=by,
                reader=str(reader.public_id),
                reason=reason,
            )
        return assignment


def is_too_close() -> Q:
    return too_close(
        program="stage__cohort__program",
        project="output__project",
        output="output",
        person=OuterRef("reader"),
    )


class Assignment(Tracked):
    """One reading that somebody is asked for. Each reader has an order of their own, which stays."""

    history_is_for_leads = True

    class Reason(models.TextChoices):
        FLOOR = "floor", "so that the person has enough different readers"
        SECOND = "second", "drawn for a second reader"
        SAMPLE = "sample", "everybody reads it"
        NEXT = "next", "where one more reading tells most"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reader = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="assignments")
    output = models.ForeignKey(Output, on_delete=models.PROTECT, related_name="assignments")
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="assignments")
    position = models.PositiveIntegerField()
    reason = models.CharField(max_length=10, choices=Reason, default=Reason.NEXT)
    assigned_at = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)
    withdrawal_reason = models.CharField(max_length=300, blank=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering = ("reader", "position")
        constraints = (
            models.UniqueConstraint(
                fields=["reader", "output"],
                condition=Q(withdrawn_at=None),
                name="an_output_is_given_to_a_reader_once",
            ),
            models.UniqueConstraint(
                fields=["reader", "stage", "position"], name="one_output_at_each_place_of_a_readers_order"
            ),
            models.CheckConstraint(condition=Q(position__gte=1), name="an_order_begins_with_1"),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None) | ~Q(withdrawal_reason=""),
                name="an_assignment_is_withdrawn_with_a_reason",
            ),
        )

    def __str__(self) -> str:
        return f"{self.reader}: {self.output}"

    def withdraw(self, *, reason: str) -> None:
        reason = worded(
            reason,
            "Say in a sentence why it is taken back.",
            code="reason-missing",
            field="reason",
            longest=LONGEST_TITLE,
        )
        if not Assignment.objects.filter(pk=self.pk).withdraw(reason):
            raise RuleBroken("This reading has been taken back already.", code="already-withdrawn")
