"""CreditStatement: whose a project's outputs are, confirmed by its members, with objections in private."""

import uuid
from collections.abc import Mapping
from typing import Any, Self

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import Person, Program, Role, Visitor
from tracker.projects.models.credit import Credit
from tracker.projects.models.projects import Project
from tracker.projects.models.shares import judge_shares
from tracker.wording import LONGEST_REASON, worded

Shares = Mapping[str, Mapping[Person, float]]


class CreditStatementQuerySet(TrackedQuerySet["CreditStatement"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(project__in=Project.objects.visible_to(user))

    def standing(self) -> Self:
        return self.filter(replaced_at=None)

    def in_force(self) -> Self:
        return self.standing().filter(in_force_at__isnull=False)

    def proposed(self) -> Self:
        return self.standing().filter(in_force_at=None)

    def state(self, project: Project, shares: Shares, *, by: Person) -> "CreditStatement":
        """A member proposes whose the outputs are; it holds once every member has confirmed it.

        The same said again by the same member is the same statement.
        """
        judge_shares(shares)
        project.cohort.demand_open()
        team = set(project.authors())
        if by not in team:
            raise RuleBroken(f"Only the authors of {project} say whose it is.", code="not-an-author")
        if any(person not in team for by_person in shares.values() for person in by_person):
            raise RuleBroken("Credit goes to the project's authors: name them alone.", field="credit")
        with transaction.atomic():
            Project.objects.select_for_update().get(pk=project.pk)
            for standing in self.standing().filter(project=project, stated_by=by):
                if standing.by_kind() == shares:
                    return standing
            self.proposed().filter(project=project).update(replaced_at=timezone.now())
            statement: CreditStatement = self.create(project=project, stated_by=by)
            statement.keep(shares)
            statement.tell("credit.stated", by)
            statement.confirm(by=by)
        return statement


class CreditStatement(Tracked):
    """One for a project holds at a time; another may be proposed beside it."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="credit_statements")
    stated_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    stated_at = models.DateTimeField(default=timezone.now, editable=False)
    in_force_at = models.DateTimeField(null=True, blank=True, editable=False)
    replaced_at = models.DateTimeField(null=True, blank=True, editable=False)
    settled_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reasons = models.TextField(blank=True, max_length=2000)

    objects = CreditStatementQuerySet.as_manager()

    class Meta:
        ordering = ("-stated_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(replaced_at=None, in_force_at=None),
                name="one_statement_of_credit_is_proposed_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(replaced_at=None, in_force_at__isnull=False),
                name="one_statement_of_credit_holds_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(settled_by=None, reasons="")
                | Q(settled_by__isnull=False, in_force_at__isnull=False) & ~Q(reasons=""),
                name="credit_is_settled_by_somebody_with_reasons",
            ),
        )

    def __str__(self) -> str:
        return f"credit in {self.project}"

    def keep(self, shares: Shares) -> None:
        StatedShare.objects.bulk_create(
            StatedShare(statement=self, person=person, kind=kind, share=share)
            for kind, by_person in shares.items()
            for person, share in by_person.items()
        )

    def by_kind(self) -> dict[str, dict[Person, float]]:
        found: dict[str, dict[Person, float]] = {}
        for share in self.shares.select_related("person"):
            found.setdefault(share.kind, {})[share.person] = share.share
        return found

    def unconfirmed_by(self) -> models.QuerySet[Person]:
        """Members of today who have yet to say yes."""
        return self.project.authors().exclude(pk__in=self.confirmations.values("person"))

    def leaves_out(self) -> models.QuerySet[Person]:
        """Members of today without a part in it who have not said yes to that, as whoever joined later."""
        return self.unconfirmed_by().exclude(pk__in=self.shares.values("person"))

    def confirm(self, *, by: Person) -> None:
        """A member agrees; with the last one it holds. Saying so again changes nothing."""
        with transaction.atomic():
            self._lock()
            said = self.confirmations.filter(person=by).exists()
            if self.replaced_at is None and said and self.in_force_at is not None:
                return
            self._judge_open()
            if not self.project.authors().filter(pk=by.pk).exists():
                raise RuleBroken(
                    f"Only the authors of {self.project} confirm whose it is.", code="not-an-author"
                )
            self.confirmations.get_or_create(person=by)
            if not self.unconfirmed_by().exists():
                self._take_force()

    def object(self, *, by: Person, text: str) -> "CreditObjection":
        """A member disagrees, heard by the lead and the research manager alone."""
        if not self.project.authors().filter(pk=by.pk).exists():
            raise RuleBroken(f"Only the authors of {self.project} object.", code="not-an-author")
        text = worded(text, "Say in a sentence what is not right.", longest=LONGEST_REASON)
        with transaction.atomic():
            objection: CreditObjection = self.objections.create(person=by, text=text)
            self.tell("credit.objected", by)
        return objection

    def settle(self, *, by: Person, reasons: str) -> None:
        """Where members do not agree, a lead says what holds, with reasons that all of them read."""
        if not self.is_heard_by(by, Role.LEAD):
            raise RuleBroken("Only a lead who is not on the team settles whose it is.", code="not-a-lead")
        reasons = worded(
            reasons,
            "Give the reasons: the members read them.",
            code="reasons-missing",
            field="reasons",
            longest=LONGEST_REASON,
        )
        with transaction.atomic():
            self._lock()
            self._judge_open()
            self._take_force(settled_by=by, reasons=reasons)

    def is_heard_by(self, person: Person, *roles: Role) -> bool:
        """Whether somebody in one of these roles of the program, and without a part in the project, judges it."""
        on_team = self.project.team.active().filter(person=person)
        return person.program_id == self.project.program_id and person.holds(*roles) and not on_team.exists()

    def _lock(self) -> None:
        """Two members who agree at once wait for each other: the second is then the last, and it holds."""
        Project.objects.select_for_update().get(pk=self.project_id)
        self.refresh_from_db(fields=["in_force_at", "replaced_at"])

    def _judge_open(self) -> None:
        if self.replaced_at is not None or self.in_force_at is not None:
            raise RuleBroken("This statement is no longer open: look at the newest one.", code="not-open")

    def _take_force(self, **settled: Any) -> None:
        """From now on the outputs that have no credit of their own are shared in this way."""
        now = timezone.now()
        self.project.credit_statements.in_force().update(replaced_at=now)
        for name, value in {"in_force_at": now, **settled}.items():
            setattr(self, name, value)
        self.save(update_fields=["in_force_at", *settled])
        for output in self.project.outputs.filter(has_own_credit=False):
            output.inherit_credit()
        self.tell("credit.in-force", settled.get("settled_by"))

    def tell(self, kind: str, by: Person | None) -> None:
        """An objection's event names nobody: whoever reads events must not learn who objected."""
        named = by.public_id if by is not None and kind != "credit.objected" else None
        program = self.project.program.public_id
        Event.objects.write(kind, program=program, subject=self.project.public_id, actor=named)


class StatedShareQuerySet(TrackedQuerySet["StatedShare"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(statement__in=CreditStatement.objects.visible_to(user))

    def merge_people(self, name: str, *, kept: Person, doubled: Person) -> None:
        """Where both are named for one kind, the one person has both shares."""
        for own in self.filter(person=kept):
            twice = self.filter(person=doubled, statement=own.statement_id, kind=own.kind).first()
            if twice is not None:
                self.filter(pk=own.pk).update(share=min(1.0, own.share + twice.share))
                twice.delete()
        self.filter(person=doubled).update(person=kept)


class StatedShare(Tracked):
    """A member's share by a statement. The shares of one kind sum to 1."""

    statement = models.ForeignKey(CreditStatement, on_delete=models.PROTECT, related_name="shares")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Credit.Kind)
    share = models.FloatField()

    objects = StatedShareQuerySet.as_manager()

    class Meta:
        ordering = ("kind", "-share", "person__name")
        constraints = (
            models.UniqueConstraint(
                fields=["statement", "person", "kind"], name="one_stated_share_per_person_and_kind"
            ),
            models.CheckConstraint(
                condition=Q(share__gte=0, share__lte=1), name="a_stated_share_is_between_0_and_1"
            ),
        )

    def __str__(self) -> str:
        return f"{self.person}: {self.share:.0%} by {self.statement}"

    @property
    def percent(self) -> int:
        return round(100 * self.share)


class CreditConfirmationQuerySet(TrackedQuerySet["CreditConfirmation"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(statement__in=CreditStatement.objects.visible_to(user))

    def merge_people(self, name: str, *, kept: Person, doubled: Person) -> None:
        """A statement that both have confirmed is confirmed once."""
        confirmed = list(self.filter(person=kept).values_list("statement", flat=True))
        self.filter(person=doubled, statement__in=confirmed).delete()
        self.filter(person=doubled).update(person=kept)


class CreditConfirmation(Tracked):
    statement = models.ForeignKey(CreditStatement, on_delete=models.PROTECT, related_name="confirmations")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CreditConfirmationQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["statement", "person"], name="a_member_confirms_a_statement_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.person} confirms {self.statement}"


class CreditObjectionQuerySet(TrackedQuerySet["CreditObjection"]):
    def visible_to(self, user: Visitor) -> Self:
        """Whoever objected, the lead and the research manager, unless they are on the team themselves."""
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        hearing = Program.objects.where(user, Role.LEAD, Role.RESEARCH_MANAGER)
        others = Q(statement__project__program__in=hearing) & ~Q(
            statement__project__in=Project.objects.worked_on_by(user).values("pk")
        )
        return self.filter(others | Q(person__in=Person.objects.of(user)))

    def unanswered(self) -> Self:
        return self.filter(answered_at=None)


class CreditObjection(Tracked):
    """Between one member, the lead and the research manager."""

    history_is_for_leads = True

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    statement = models.ForeignKey(CreditStatement, on_delete=models.PROTECT, related_name="objections")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(max_length=2000)
    raised_at = models.DateTimeField(default=timezone.now, editable=False)
    answer = models.TextField(blank=True, max_length=2000)
    answered_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CreditObjectionQuerySet.as_manager()

    class Meta:
        ordering = ("-raised_at", "-pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(answered_at=None, answered_by=None, answer="")
                | Q(answered_at__isnull=False, answered_by__isnull=False) & ~Q(answer=""),
                name="an_objection_is_answered_by_somebody_in_words",
            ),
        )

    def __str__(self) -> str:
        return f"{self.person} on {self.statement}"

    def reply(self, *, by: Person, text: str) -> None:
        """The lead or the research manager answers; the member alone reads it."""
        if not self.statement.is_heard_by(by, Role.LEAD, Role.RESEARCH_MANAGER):
            raise RuleBroken(
                "A lead or a research manager who is not on the team answers.", code="not-a-lead"
            )
        text = worded(text, "Write the answer before sending it.", longest=LONGEST_REASON)
        values = {"answer": text, "answered_by": by, "answered_at": timezone.now()}
        if not CreditObjection.objects.unanswered().filter(pk=self.pk).update(**values):
            raise RuleBroken("This objection has been answered already.", code="answered")
        self.refresh_from_db()
