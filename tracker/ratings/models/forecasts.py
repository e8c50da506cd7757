"""Forecast: how probable a reader thinks something that time will tell. Outlook: what time told."""

import calendar
import uuid
from datetime import date
from typing import Self

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from evals.statistics.probability_scores import Scored, score_forecasts
from tracker.cohorts.models import Stage
from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import DECIDERS, READERS, Person, Program, Visitor
from tracker.projects.models import Output
from tracker.projects.models.closeness import too_close_to
from tracker.ratings.models.conflicts import Closeness
from tracker.ratings.models.ratings import Rating
from tracker.ratings.models.rubrics import Question
from tracker.wording import worded


class ForecastQuerySet(TrackedQuerySet["Forecast"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(rating__in=Rating.objects.visible_to(user))

    def come_true_or_not(self) -> Self:
        """Those of ratings that count whose outcome is known."""
        return self.filter(rating__in=Rating.objects.evidence(), outlook__answered_at__isnull=False)

    def scored(self) -> Scored | None:
        """How good they were, by the rules of proper scoring; None before anything is known."""
        known = list(self.come_true_or_not().order_by("pk").values_list("probability", "outlook__is_true"))
        return (
            score_forecasts([p for p, _ in known], [bool(is_true) for _, is_true in known]) if known else None
        )


class OutlookQuerySet(TrackedQuerySet["Outlook"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(output__program__in=Program.objects.where(user, *DECIDERS))

    def due(self) -> Self:
        """What is to be asked now."""
        return self.filter(answered_at=None, due_on__lte=timezone.localdate(), output__retracted_at=None)

    def for_answering(self, user: Visitor) -> Self:
        """What is due of work that this user may judge and did not foresee, once its reading is over."""
        selves = Person.objects.of(user)
        outputs = Output.objects.visible_to(user).filter(program__in=Program.objects.where(user, *READERS))
        over = outputs.exclude(stage__in=Stage.objects.reading())
        foreseen = Forecast.objects.filter(rating__rater__in=selves)
        return (
            self.due()
            .filter(output__in=over.filter(~too_close_to(selves)))
            .exclude(pk__in=foreseen.values("outlook"))
        )


class Outlook(Tracked):
    """A question about one output that is asked again when its time has come."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    output = models.ForeignKey(Output, on_delete=models.PROTECT, related_name="outlooks")
    key = models.SlugField(max_length=40)
    text = models.CharField(max_length=300)
    due_on = models.DateField()
    is_true = models.BooleanField(null=True, blank=True)
    answer_reason = models.TextField("why", blank=True)
    answered_at = models.DateTimeField(null=True, blank=True, editable=False)
    answered_by = models.ForeignKey(
        Person,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="outlooks_answered",
        editable=False,
    )

    objects = OutlookQuerySet.as_manager()

    class Meta:
        ordering = ("due_on", "pk")
        constraints = (
            models.UniqueConstraint(fields=["output", "key"], name="a_question_is_asked_once_of_an_output"),
            models.CheckConstraint(
                condition=Q(is_true=None, answered_at=None, answered_by=None)
                | Q(is_true__isnull=False, answered_at__isnull=False, answered_by__isnull=False),
                name="an_outlook_is_answered_by_somebody",
            ),
        )

    def __str__(self) -> str:
        return f"{self.output}: {self.text}"

    def answer(self, is_true: bool, *, by: Person, reason: str) -> None:
        """What time told, by somebody who may judge the output and has foretold nothing of it."""
        if self.answered_at is not None:
            raise RuleBroken("This question has been answered already.", code="already-answered")
        if self.due_on > timezone.localdate():
            raise RuleBroken(f"Time will tell: this is asked on {self.due_on:%Y-%m-%d}.", code="not-due")
        if by.program_id != self.output.program_id or not by.holds(*READERS):
            raise RuleBroken(f"{by} is not a reader in {self.output.program}.", code="not-a-reader")
        Closeness.of(self.output.program, outputs=[self.output]).judge(self.output, by)
        if self.forecasts.filter(rating__rater=by).exists():
            raise RuleBroken(
                f"{by} has foreseen this: somebody else says what came of it.", code="own-forecast"
            )
        reason = worded(reason, "Say in a sentence why.", code="reason-missing", field="reason")
        with transaction.atomic():
            self.is_true, self.answer_reason = is_true, reason
            self.answered_by, self.answered_at = by, timezone.now()
            self.save(update_fields=["is_true", "answer_reason", "answered_by", "answered_at"])
            Event.objects.write(
                "outlook.answered",
                program=self.output.program.public_id,
                subject=self.output.public_id,
                actor=by.public_id,
            )


class Forecast(Tracked):
    history_is_for_leads = True

    rating = models.ForeignKey(Rating, on_delete=models.PROTECT, related_name="forecasts")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="forecasts")
    outlook = models.ForeignKey(Outlook, on_delete=models.PROTECT, related_name="forecasts")
    probability = models.FloatField()

    objects = ForecastQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["rating", "question"], name="one_forecast_per_question"),
            models.CheckConstraint(
                condition=Q(probability__gte=0, probability__lte=1), name="a_probability_is_from_0_to_1"
            ),
        )

    def __str__(self) -> str:
        return f"{self.question}: {self.probability:.0%}"


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or that month's last."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
