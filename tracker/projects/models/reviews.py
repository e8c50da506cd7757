"""ReleasePolicy, ReleaseReview: what may do harm is looked at by somebody outside the team before others see it."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import READERS, Person, Program, Role, Visitor
from tracker.projects.models.outputs import Output
from tracker.projects.models.projects import Project
from tracker.wording import LONGEST_REASON, worded

ANSWER_WITHIN = timedelta(hours=48)
# What every team asks itself about every output. A yes is no verdict: it only asks somebody else to look.
HAZARDS = {
    "misuse": "Could somebody with bad intentions do serious harm with it that they could not do without it?",
    "capability": "Does it show how to get round safeguards, or make a dangerous ability easier to reach?",
    "unfixed": "Does it tell of a weakness whose owner has not been told, or had no time to mend it?",
    "private": "Does it hold private facts about people, or data that were given in confidence?",
}


class ReleasePolicyQuerySet(TrackedQuerySet["ReleasePolicy"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(program__in=Program.objects.visible_to(user))

    def of(self, program: Program) -> "ReleasePolicy | None":
        """The newest one."""
        return self.filter(program=program).order_by("-version").first()

    def publish(self, program: Program, text: str) -> "ReleasePolicy":
        """From now on reviews go by this; earlier ones keep the version they went by."""
        text = worded(text, "Write down by what reviewers decide.")
        newest = self.of(program)
        policy: ReleasePolicy = self.create(
            program=program, text=text, version=newest.version + 1 if newest else 1
        )
        return policy


class ReleasePolicy(Tracked):
    """By what reviewers decide, for everybody in the program to read."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="release_policies")
    version = models.PositiveIntegerField(default=1, editable=False)
    text = models.TextField()
    published_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ReleasePolicyQuerySet.as_manager()

    class Meta:
        ordering = ("program", "-version")
        verbose_name_plural = "release policies"
        constraints = (
            models.UniqueConstraint(
                fields=["program", "version"], name="release_policies_of_a_program_are_numbered_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.program}, version {self.version}"


class ReleaseReviewQuerySet(TrackedQuerySet["ReleaseReview"]):
    def visible_to(self, user: Visitor) -> Self:
        """Whoever may see a private output may see what was said of its release; no others."""
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        return self.filter(
            Q(output__program__in=Program.objects.where(user, Role.LEAD))
            | Q(output__project__in=Project.objects.worked_on_by(user).values("pk"))
            | Q(reviewer__in=Person.objects.of(user), answered_at=None)
        )

    def unanswered(self) -> Self:
        return self.filter(answered_at=None)

    def waiting(self) -> Self:
        """Those that somebody is to answer: of an output that its team has not taken back."""
        return self.unanswered().filter(output__retracted_at=None)

    def overdue(self) -> Self:
        return self.waiting().filter(flagged_at__lt=Now() - ANSWER_WITHIN)

    def ask(self, output: Output, hazards: Sequence[str], *, by: UUID | None = None) -> "ReleaseReview":
        unknown = sorted(set(hazards) - set(HAZARDS))
        if unknown or not hazards:
            raise RuleBroken(f"Name what it may do: {', '.join(HAZARDS)}.", field="hazards", code="no-hazard")
        if self.unanswered().filter(output=output).exists():
            raise RuleBroken("This output waits for its release review already.", code="under-review")
        return self._open(output, list(hazards), None, by)

    def ask_again(self, output: Output, *, by: UUID | None = None) -> "ReleaseReview | None":
        """A changed output that is still private is looked at again, by the same person; once is enough."""
        last = self.filter(output=output).order_by("-flagged_at", "-pk").first()
        if last is None or last.answered_at is None:
            return None
        return self._open(output, last.hazards, last.reviewer, by)

    def _open(
        self, output: Output, hazards: list[str], reviewer: Person | None, by: UUID | None
    ) -> "ReleaseReview":
        policy = ReleasePolicy.objects.of(output.program)
        review: ReleaseReview = self.create(output=output, hazards=hazards, policy=policy, reviewer=reviewer)
        review.tell("output.flagged", by)
        return review


class ReleaseReview(Tracked):
    """One look at one output. Its history is for leads: it tells of what is private."""

    history_is_for_leads = True

    class Answer(models.TextChoices):
        RELEASE = "release", "release"
        WITH_CHANGES = "with_changes", "release with changes"
        KEEP_PRIVATE = "keep_private", "keep private"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    output = models.ForeignKey(Output, on_delete=models.PROTECT, related_name="reviews")
    policy = models.ForeignKey(ReleasePolicy, on_delete=models.PROTECT, null=True, related_name="reviews")
    hazards = models.JSONField(default=list)
    flagged_at = models.DateTimeField(default=timezone.now, editable=False)
    reviewer = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="release_reviews"
    )
    answer = models.CharField(max_length=20, choices=Answer, blank=True)
    reasons = models.TextField(blank=True, max_length=2000)
    answered_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ReleaseReviewQuerySet.as_manager()

    class Meta:
        ordering = ("flagged_at", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=["output"], condition=Q(answered_at=None), name="one_release_review_is_open_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(answered_at=None, answer="", reasons="")
                | Q(answered_at__isnull=False, reviewer__isnull=False) & ~Q(answer="") & ~Q(reasons=""),
                name="a_release_is_answered_by_its_reviewer_with_reasons",
            ),
            models.CheckConstraint(
                condition=Q(answered_at=None) | Q(answered_at__gte=F("flagged_at")),
                name="a_release_is_answered_after_it_is_asked",
            ),
        )

    def __str__(self) -> str:
        return f"release of {self.output}"

    @property
    def due_at(self) -> Any:
        return self.flagged_at + ANSWER_WITHIN

    @property
    def is_overdue(self) -> bool:
        return self.answered_at is None and self.due_at < timezone.now()

    @property
    def questions(self) -> list[str]:
        return [HAZARDS[key] for key in self.hazards if key in HAZARDS]

    def assign(self, reviewer: Person, *, by: Person) -> None:
        """A lead asks somebody outside the team."""
        self._judge_open()
        if by.program_id != self.output.program_id or not by.holds(Role.LEAD):
            raise RuleBroken("Only a lead says who reviews.", code="not-a-lead")
        self._judge_reviewer(reviewer)
        self.reviewer = reviewer
        self.save(update_fields=["reviewer"])
        self.tell("review.assigned", by.public_id)

    def conclude(self, answer: str, *, reasons: str, by: Person, seen: int | None = None) -> None:
        """The reviewer's answer to this one case, with reasons that the team reads.

        ``seen`` is the number of the version that the reviewer read: what has changed since is not answered for.
        """
        if answer not in ReleaseReview.Answer.values:
            raise RuleBroken(f"Answer {', '.join(ReleaseReview.Answer.labels)}.", field="answer")
        reasons = worded(
            reasons,
            "Give the reasons: the team reads them.",
            field="reasons",
            code="reasons-missing",
            longest=LONGEST_REASON,
        )
        if self.reviewer_id != by.pk:
            raise RuleBroken("Only its reviewer answers: a lead can ask you to.", code="not-the-reviewer")
        self._judge_reviewer(by)
        values = {"answer": answer, "reasons": reasons, "answered_at": timezone.now()}
        with transaction.atomic():
            self._judge_open()
            self._judge_present(seen)
            values["policy"] = self.policy or self._published_policy()
            if not ReleaseReview.objects.unanswered().filter(pk=self.pk).update(**values):
                raise RuleBroken("This review has been answered already.", code="answered")
            self.refresh_from_db()
            if answer == ReleaseReview.Answer.RELEASE:
                self.output.release()
            self.tell("review.answered", by.public_id)

    def _judge_open(self) -> None:
        if self.answered_at is not None:
            raise RuleBroken("This review has been answered already.", code="answered")

    def _published_policy(self) -> ReleasePolicy:
        """What everybody can read; a case flagged before there was one goes by the first."""
        policy = ReleasePolicy.objects.of(self.output.program)
        if policy is None:
            raise RuleBroken(
                "There is no policy to go by yet: a lead publishes one in the admin first.", code="no-policy"
            )
        return policy

    def _judge_present(self, seen: int | None) -> None:
        output = Output.objects.select_for_update(of=("self",)).get(pk=self.output_id)
        if output.retracted_at is not None:
            raise RuleBroken(
                "This output has been retracted: there is nothing to release.", code="output-retracted"
            )
        if seen is not None and seen != output.current_version().number:
            raise RuleBroken(
                "It has changed since you opened it: read the present version, then answer.",
                code="changed-since",
            )

    def _judge_reviewer(self, person: Person) -> None:
        """Somebody of the program who judges work, and has no part in this."""
        output = self.output
        if person.program_id != output.program_id or not person.holds(*READERS):
            raise RuleBroken(f"{person} reviews nothing in {output.program}.", code="not-a-reader")
        has_a_part = output.project.team.filter(person=person).exists()
        if has_a_part or output.credits.filter(person=person).exists():
            raise RuleBroken(
                f"{person} is or was on the team: somebody outside it reviews.",
                code="on-the-team",
                field="reviewer",
            )

    def tell(self, kind: str, by: UUID | None) -> None:
        program = self.output.program.public_id
        Event.objects.write(kind, program=program, subject=self.output.public_id, actor=by)
