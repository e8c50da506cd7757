"""RegradeRequest: a team asks for its submission to be measured again, and somebody else decides."""

import uuid
from typing import Self

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.grading.models.runs import Run
from tracker.grading.models.submissions import Submission
from tracker.people.models import Person, Program, Role, Visitor
from tracker.wording import LONGEST_REASON, worded, wording


class RegradeRequestQuerySet(TrackedQuerySet["RegradeRequest"]):
    def visible_to(self, user: Visitor) -> Self:
        """Whoever sees the submission's own work on it: the team and those who lead."""
        mine = Submission.objects.editable_by(user) | Submission.objects.led_by(user)
        return self.filter(submission__in=mine.values("pk"))

    def decidable_by(self, user: Visitor) -> Self:
        programs = Program.objects.where(user, Role.LEAD)
        return self.open().filter(submission__program__in=programs).exclude(asked_by__user=user)

    def open(self) -> Self:
        return self.filter(decided_at=None)

    def ask(self, submission: Submission, *, by: Person, reason: str) -> "RegradeRequest":
        """Ask for a new grading of one's own submission; one question at a time."""
        reason = in_words(reason, "Say why it should be graded again.", field="reason")
        with transaction.atomic():
            Submission.objects.select_for_update().get(pk=submission.pk)
            if submission.is_check_only:
                raise RuleBroken("This was only checked: check it again yourself.", code="check-only")
            if submission.runs.open().exists():
                raise RuleBroken("It is being graded already: wait for its end.", code="still-open")
            if self.open().filter(submission=submission).exists():
                raise RuleBroken("You have asked already: somebody will decide.", code="asked-already")
            request: RegradeRequest = self.create(submission=submission, asked_by=by, reason=reason)
            request.tell("regrade.requested", by)
        return request


class RegradeRequest(Tracked):
    class Decision(models.TextChoices):
        GRANTED = "granted", "granted"
        REFUSED = "refused", "not granted"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="regrade_requests")
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="regrades_asked")
    reason = models.TextField(max_length=LONGEST_REASON)
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    decision = models.CharField(max_length=10, choices=Decision, blank=True)
    decided_by = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="regrades_decided"
    )
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    answer = models.TextField(max_length=LONGEST_REASON, blank=True)
    run = models.OneToOneField(Run, on_delete=models.PROTECT, null=True, blank=True, related_name="asked_for")

    objects = RegradeRequestQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                fields=["submission"],
                condition=Q(decided_at=None),
                name="a_submission_has_one_open_request_to_regrade",
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_by=None, decided_at=None, run=None)
                | Q(decision="granted", decided_by__isnull=False, decided_at__isnull=False, run__isnull=False)
                | (
                    Q(decision="refused", decided_by__isnull=False, decided_at__isnull=False, run=None)
                    & ~Q(answer="")
                ),
                name="a_granted_regrade_has_its_run_and_a_refused_one_its_reasons",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")),
                name="nobody_decides_on_their_own_request_to_regrade",
            ),
        )

    def __str__(self) -> str:
        return f"request to grade {self.submission} again"

    @property
    def is_open(self) -> bool:
        return self.decided_at is None

    def grant(self, *, by: Person, answer: str = "") -> Run:
        """A new run of the same file; what was measured before stays."""
        answer = wording(answer, field="answer", longest=LONGEST_REASON)
        with transaction.atomic():
            self._begin_to_decide(by)
            run = self.submission.regrade(by=by.user.public_id if by.user else None)
            self._decide(self.Decision.GRANTED, by=by, answer=answer, run=run)
        return run

    def refuse(self, *, by: Person, answer: str) -> None:
        answer = in_words(answer, "Say why it is not graded again.", field="answer")
        with transaction.atomic():
            self._begin_to_decide(by)
            self._decide(self.Decision.REFUSED, by=by, answer=answer)

    def _begin_to_decide(self, by: Person) -> None:
        """Somebody else than who asked or works on it; and of two at once the second is told."""
        standing = RegradeRequest.objects.select_for_update().get(pk=self.pk)
        if not standing.is_open:
            raise RuleBroken("This has been decided already: look at it again.", code="decided-already")
        on_team = self.submission.project.team.active().filter(person=by)
        if by.pk == self.asked_by_id or on_team.exists():
            raise RuleBroken(
                "Somebody decides who does not work on it: ask another lead.", code="own-request"
            )

    def _decide(self, decision: str, *, by: Person, answer: str, run: Run | None = None) -> None:
        self.decision, self.decided_by, self.decided_at = decision, by, timezone.now()
        self.answer, self.run = answer, run
        self.save(update_fields=["decision", "decided_by", "decided_at", "answer", "run"])
        self.tell(f"regrade.{decision}", by)

    def tell(self, kind: str, by: Person) -> None:
        Event.objects.write(
            kind,
            program=self.submission.program.public_id,
            subject=self.submission.public_id,
            actor=by.public_id,
            request=str(self.public_id),
        )


def in_words(text: str, missing: str, *, field: str) -> str:
    return worded(text, missing, code="reason-missing", field=field, longest=LONGEST_REASON)
