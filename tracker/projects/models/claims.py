"""Claim: what a project stands on, and how far it has been checked."""

import uuid
from typing import Any, Self

from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import Person, Visitor
from tracker.projects.links import recognise
from tracker.projects.models.outputs import Output
from tracker.projects.models.projects import Project
from tracker.wording import LONGEST_REASON, worded, wording

LONGEST_CLAIM = 500


class ClaimQuerySet(TrackedQuerySet["Claim"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(project__in=Project.objects.visible_to(user))

    def standing(self) -> Self:
        return self.filter(withdrawn_at=None)

    def untried(self) -> Self:
        return self.filter(state=Claim.State.READ)

    def stacked_untried(self) -> Self:
        """Claims nobody here has tried, that rest on another such, which rests on a third."""
        second, third = "grounds__rests_on", "grounds__rests_on__grounds__rests_on"
        return (
            self.standing()
            .untried()
            .filter(
                **{
                    f"{second}__state": Claim.State.READ,
                    f"{second}__withdrawn_at": None,
                    f"{third}__state": Claim.State.READ,
                    f"{third}__withdrawn_at": None,
                }
            )
            .distinct()
        )

    def with_stacked(self) -> Self:
        """Adds ``is_stacked``: whether it is one of those."""
        return self.annotate(is_stacked=Exists(Claim.objects.stacked_untried().filter(pk=OuterRef("pk"))))

    def make(self, project: Project, text: str, *, by: Person, url: str = "") -> "Claim":
        """Something that the project takes to be so; at first it is only read. Named again it is the same."""
        project.judge_member(by)
        values = {
            "text": worded(text, "Say in a sentence what the project stands on.", longest=LONGEST_CLAIM),
            "url": recognise(url).url if url else "",
        }
        with transaction.atomic():
            Project.objects.select_for_update().get(pk=project.pk)
            known: Claim | None = self.standing().filter(project=project, **values).first()
            claim: Claim = known or self.create(project=project, made_by=by, **values)
        return claim


class Claim(Tracked):
    class State(models.TextChoices):
        READ = "read", "read"
        TRIED = "tried", "tried"
        REPRODUCED = "reproduced", "reproduced"
        FAILED = "failed", "failed to reproduce"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="claims")
    text = models.CharField(max_length=LONGEST_CLAIM)
    url = models.URLField("where it is claimed", max_length=1000, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.READ)
    evidence = models.TextField(max_length=2000, blank=True)
    output = models.ForeignKey(Output, on_delete=models.PROTECT, null=True, blank=True, related_name="checks")
    made_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        ordering = ("made_at", "pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(state="read") | ~Q(evidence="") | Q(output__isnull=False),
                name="a_checked_claim_shows_its_evidence",
            ),
        )

    def __str__(self) -> str:
        return self.text

    def check_off(self, state: str, *, by: Person, evidence: str = "", output: Output | None = None) -> None:
        """Somebody of the team tried it: what came of it, and where that can be seen."""
        self.project.judge_member(by)
        if state not in Claim.State.values:
            raise RuleBroken(f"Choose one of {', '.join(Claim.State.labels)}.", field="state")
        evidence = wording(evidence, field="evidence", longest=LONGEST_REASON)
        if state != Claim.State.READ and not evidence and output is None:
            raise RuleBroken(
                "Say what was done and seen, or name the output that shows it.",
                field="evidence",
                code="evidence-missing",
            )
        if output is not None and output.project_id != self.project_id:
            raise RuleBroken("This output belongs to another project.", field="output", code="other-project")
        if output is not None and output.retracted_at is not None:
            raise RuleBroken(
                "This output has been retracted: it shows nothing.", field="output", code="output-retracted"
            )
        values = {"state": state, "evidence": evidence, "output": output}
        if any(getattr(self, name) != value for name, value in values.items()):
            self._change({**values, "checked_at": timezone.now()})

    def rest_on(self, other: "Claim", *, by: Person) -> None:
        """If the other falls, this one does."""
        self.project.judge_member(by)
        if other.project_id != self.project_id:
            raise RuleBroken("A claim rests on claims of its own project.", code="other-project")
        with transaction.atomic():
            Project.objects.select_for_update().get(pk=self.project_id)
            if Claim.objects.standing().filter(pk__in=(self.pk, other.pk)).count() < 2 and self != other:
                raise withdrawn()
            if self.pk in other.foundations():
                raise RuleBroken(
                    f"{other} rests on this one already: claims that hold each other up stand on nothing.",
                    code="circular",
                )
            self.grounds.get_or_create(rests_on=other)

    def foundations(self) -> set[int]:
        """Itself and everything that it rests on, however far down."""
        pairs = Ground.objects.filter(claim__project=self.project_id).values_list("claim", "rests_on")
        below: dict[int, list[int]] = {}
        for claim, rests_on in pairs:
            below.setdefault(claim, []).append(rests_on)
        found, waiting = {self.pk}, [self.pk]
        while waiting:
            fresh = set(below.get(waiting.pop(), ())) - found
            found |= fresh
            waiting += fresh
        return found

    def withdraw(self, *, by: Person) -> None:
        """The project does not stand on it any more."""
        self.project.judge_member(by)
        self._change({"withdrawn_at": timezone.now()})

    def _change(self, values: dict[str, Any]) -> None:
        with transaction.atomic():
            if not Claim.objects.standing().filter(pk=self.pk).update(**values):
                raise withdrawn()
            self.refresh_from_db()
            program = self.project.program.public_id
            Event.objects.write("claim.changed", program=program, subject=self.public_id, state=self.state)


def withdrawn() -> RuleBroken:
    return RuleBroken(
        "This claim has been withdrawn: the project stands on it no more. Name it again if it does.",
        code="withdrawn",
    )


class GroundQuerySet(TrackedQuerySet["Ground"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(claim__in=Claim.objects.visible_to(user))


class Ground(Tracked):
    """That one claim rests on another."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="grounds")
    rests_on = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="carries")

    objects = GroundQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["claim", "rests_on"], name="a_claim_rests_on_another_once"),
            models.CheckConstraint(condition=~Q(claim=F("rests_on")), name="a_claim_does_not_rest_on_itself"),
        )

    def __str__(self) -> str:
        return f"{self.claim} rests on {self.rests_on}"
