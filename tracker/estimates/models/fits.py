"""FitRequest, Fit, Estimate, RaterEstimate, Contribution."""

import uuid
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from tracker.cohorts.models import Cohort, Enrollment
from tracker.events.bell import ring
from tracker.events.leases import Leased, LeasedQuerySet
from tracker.people.models import DECIDERS, Person, Program, Role, ShareGrant, Visitor
from tracker.projects.models import Credit, Output, TeamMember

ATTEMPTS_AT_A_FIT = 5
READERS_BEHIND_A_RELEASE = 3


class Hyper(models.TextChoices):
    """How a fit treats the spreads it does not know."""

    MODE = "mode", "most likely spread"
    INTEGRATED = "integrated", "averaged over spreads"


class FitRequestQuerySet(LeasedQuerySet):
    def open(self) -> Self:
        return self.filter(done_at=None, failed_at=None)

    def due(self) -> Self:
        return self.open().free().filter(not_before__lte=Now())

    def ask(self, program: Program) -> "FitRequest":
        """Ask for a fit; requests within a few seconds, and those that wait already, become one."""
        return self._ask(program, Hyper.MODE, not_before=Now() + settings.FIT_PAUSE)

    def ask_for_better(self, program: Program) -> "FitRequest":
        """Ask for the fit that takes longer and replaces the quick one."""
        return self._ask(program, Hyper.INTEGRATED, not_before=Now())

    def _ask(self, program: Program, hyper: str, **defaults: Any) -> "FitRequest":
        request, is_new = self.waiting().get_or_create(program=program, hyper=hyper, defaults=defaults)
        if is_new:
            ring("tracker.estimates.tasks.fit")
        return request

    def waiting(self) -> Self:
        return self.filter(owner=None, done_at=None, failed_at=None)

    def lease_next(self, owner: UUID) -> "FitRequest | None":
        """Take the oldest request that is due, quick ones first; of the slow ones one at a time is enough."""
        at_work = self.open().filter(lease_ends_at__gt=Now())
        # One quick fit of a program at a time, or one that began earlier could replace one that knows more.
        due = self.due().exclude(
            hyper=Hyper.MODE, program__in=at_work.filter(hyper=Hyper.MODE).values("program")
        )
        if at_work.filter(hyper=Hyper.INTEGRATED).exists():
            due = due.filter(hyper=Hyper.MODE)
        for pk in due.order_by("-hyper", "pk").values_list("pk", flat=True)[:5]:
            request: FitRequest | None = self.lease(pk, owner=owner)
            if request is not None:
                return request
        return None

    def reap(self) -> int:
        """Free what lost workers held, unless a newer request waits for the same already."""
        freed = 0
        for request in self.open().filter(lease_ends_at__lte=Now()):
            newer = self.waiting().filter(program=request.program, hyper=request.hyper)
            values = {"failed_at": Now(), "failure": "The worker was lost."} if newer.exists() else {}
            freed += self.give_back(request.pk, owner=request.owner, **values)
        return freed


class FitRequest(Leased):
    """That a program's estimates are to be computed anew."""

    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="fit_requests")
    hyper = models.CharField(max_length=12, choices=Hyper, default=Hyper.MODE)
    requested_at = models.DateTimeField(db_default=Now(), editable=False)
    not_before = models.DateTimeField(db_default=Now(), editable=False)
    done_at = models.DateTimeField(null=True, blank=True, editable=False)
    failed_at = models.DateTimeField(null=True, blank=True, editable=False)
    failure = models.TextField(blank=True, editable=False)

    objects = FitRequestQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(
                fields=["program", "hyper"],
                condition=Q(owner=None, done_at=None, failed_at=None),
                name="one_waiting_fit_request_of_a_kind_in_a_program",
            ),
            models.CheckConstraint(
                condition=Q(owner=None, lease_ends_at=None)
                | Q(owner__isnull=False, lease_ends_at__isnull=False),
                name="a_leased_fit_request_has_an_end",
            ),
        )

    def __str__(self) -> str:
        return f"fit of {self.program}"

    def finish(self) -> bool:
        return self._close(done_at=Now())

    def fail(self, failure: str) -> bool:
        """Keep why; a fit that fails goes on being tried a few times, then waits for new data."""
        if self.attempts < ATTEMPTS_AT_A_FIT:
            pause = settings.FIT_PAUSE * 2**self.attempts
            newer = FitRequest.objects.waiting().filter(program=self.program, hyper=self.hyper)
            if not newer.exists():
                return self._close(not_before=Now() + pause, failure=failure)
        return self._close(failed_at=Now(), failure=failure)

    def give_up(self, reason: str) -> bool:
        """The evidence itself cannot be fitted: trying again would not help."""
        return self._close(failed_at=Now(), failure=reason)

    def _close(self, **values: Any) -> bool:
        return FitRequest.objects.give_back(self.pk, owner=self.owner, **values)


class FitQuerySet(models.QuerySet["Fit"]):
    def current(self) -> Self:
        return self.filter(is_current=True)

    def mark_stale(self) -> None:
        """What they rest on has changed; a fit that is computed anew takes their place."""
        self.filter(stale_at=None).update(stale_at=Now())

    def visible_to(self, user: Visitor) -> Self:
        """Deciders see every fit of their program; funds the released ones of people who share."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        deciding = Program.objects.where(user, *DECIDERS)
        shown = Estimate.objects.released_to(user)
        return self.filter(Q(program__in=deciding) | Q(pk__in=shown.values("fit")))


class Fit(models.Model):
    """One computation of the noise model over one program, with what it saw."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="fits")
    is_current = models.BooleanField(default=False)
    hyper = models.CharField(max_length=12, choices=Hyper)
    settings = models.JSONField(default=dict)
    rows = models.PositiveIntegerField(help_text="Scores and measurements it saw.")
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of what it saw.")
    model_version = models.CharField(max_length=40)
    criterion = models.FloatField(help_text="-2 log of the penalised marginal likelihood.")
    spreads = models.JSONField(default=dict, help_text="Standard deviation of each source of variation.")
    fixed = models.JSONField(default=dict)
    notes = models.JSONField(default=list, help_text="What the reader of the estimates should know.")
    measured = models.JSONField(
        default=dict, help_text="Which benchmarks entered, and which did not and why."
    )
    seconds = models.FloatField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    stale_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since when its evidence is not the newest."
    )

    objects = FitQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        get_latest_by = ("created_at", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=["program"], condition=Q(is_current=True), name="one_current_fit_in_a_program"
            ),
        )

    def __str__(self) -> str:
        return f"{self.program}, {self.created_at:%Y-%m-%d %H:%M}"

    def stand(self) -> None:
        """Its evidence was looked at again and is the same, unless more has come meanwhile."""
        if not FitRequest.objects.waiting().filter(program=self.program, hyper=Hyper.MODE).exists():
            self.stale_at = None
            self.save(update_fields=["stale_at"])

    def is_of(self, content_hash: str, model_version: str) -> bool:
        """Whether it was computed from just this evidence by just this model."""
        return (self.content_hash, self.model_version) == (content_hash, model_version)


class EstimateQuerySet(models.QuerySet["Estimate"]):
    stays_on_merging = True

    def current(self) -> Self:
        return self.filter(fit__is_current=True)

    def in_cohort(self, cohort: Cohort) -> Self:
        members = Enrollment.objects.active().filter(cohort=cohort)
        return self.filter(person__in=members.values("person"))

    def decided_by(self, user: Visitor) -> Self:
        """All estimates of programs in which this user decides, but their own: those are told with the decision."""
        others = self.exclude(person__in=Person.objects.of(user))
        return others.filter(fit__program__in=Program.objects.where(user, *DECIDERS))

    def released_to(self, user: Visitor) -> Self:
        """What releases show this user: own mentees', what people share with a fund, and own once it is decided."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        own = Person.objects.of(user)
        mentors = own.active_as(Role.MENTOR)
        mentored = TeamMember.objects.active().filter(person__in=mentors, role=TeamMember.Role.MENTOR)
        team = TeamMember.objects.active().filter(
            project__in=mentored.values("project"), role=TeamMember.Role.AUTHOR
        )
        # A mentor who may still read a person's work sees no earlier picture of them meanwhile.
        being_read = Credit.objects.filter(output__in=Output.objects.being_read())
        team = team.exclude(person__in=being_read.values("person"))
        shares = ShareGrant.objects.standing().shared_with_user(user).filter(what=ShareGrant.What.ESTIMATES)
        # Decisions rest on estimates; here they are found by their relation. An end is told once it can be appealed.
        decided = Enrollment.objects.filter(
            Q(decisions__took_effect_at__isnull=False) | Q(decisions__appeal_until__isnull=False),
            person=OuterRef("person"),
            decisions__stage__release__fit=OuterRef("fit"),
        )
        of_own = Q(Exists(decided), person__in=own)
        entrusted = Q(person__in=team.values("person")) | Q(person__in=shares.values("person"))
        seen = of_own | (entrusted & ~Q(person__in=own))
        # A release is of one stage: it shows the people of that stage's cohort, and nobody else whom the fit saw.
        released = Q(fit__releases__stage__cohort__enrollments__person=F("person"))
        return self.filter(seen, released, raters__gte=READERS_BEHIND_A_RELEASE).distinct()

    def visible_to(self, user: Visitor) -> Self:
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        everything = self.decided_by(user)
        return self.filter(
            Q(pk__in=everything.values("pk")) | Q(pk__in=self.model.objects.released_to(user).values("pk"))
        )


class Estimate(models.Model):
    """What one fit says of one person. The prior mean is 0; the sd is in units of the scores."""

    fit = models.ForeignKey(Fit, on_delete=models.CASCADE, related_name="estimates")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="estimates")
    mean = models.FloatField()
    sd = models.FloatField()
    q05 = models.FloatField()
    q25 = models.FloatField()
    q50 = models.FloatField()
    q75 = models.FloatField()
    q95 = models.FloatField()
    symmetric_mean = models.FloatField(null=True, blank=True, help_text="The same with symmetric luck.")
    symmetric_sd = models.FloatField(null=True, blank=True)
    raw = models.FloatField(
        null=True, blank=True, help_text="The bare mean of the scores, for comparison only."
    )
    probability_top = models.FloatField(null=True, blank=True, help_text="Of being among those with a place.")
    tier = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="1 is first; the order within a tier is not known."
    )
    observations = models.PositiveIntegerField()
    raters = models.PositiveIntegerField(help_text="Different readers behind it.")
    outputs = models.PositiveIntegerField()

    objects = EstimateQuerySet.as_manager()

    class Meta:
        ordering = ("fit", "person")
        constraints = (
            models.UniqueConstraint(fields=["fit", "person"], name="one_estimate_per_person_and_fit"),
            models.CheckConstraint(
                condition=Q(sd__gte=0, sd__lt=1e300, mean__gt=-1e300, mean__lt=1e300),
                name="an_estimate_is_finite",
            ),
        )

    def __str__(self) -> str:
        return f"{self.person}: {self.q05:.2f} to {self.q95:.2f}"

    @property
    def is_early(self) -> bool:
        """Too few readers to say anything."""
        return self.raters < READERS_BEHIND_A_RELEASE


class RaterEstimateQuerySet(models.QuerySet["RaterEstimate"]):
    stays_on_merging = True

    def visible_to(self, user: Visitor) -> Self:
        """A reader sees their own, once something is released; superusers all. Nobody ranks mentors."""
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        return self.filter(person__in=Person.objects.of(user), fit__releases__isnull=False).distinct()


class RaterEstimate(models.Model):
    """What one fit says of one reader's leniency (positive: more generous than others)."""

    fit = models.ForeignKey(Fit, on_delete=models.CASCADE, related_name="rater_estimates")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="rater_estimates")
    mean = models.FloatField()
    sd = models.FloatField()
    q05 = models.FloatField()
    q95 = models.FloatField()
    observations = models.PositiveIntegerField()

    objects = RaterEstimateQuerySet.as_manager()

    class Meta:
        ordering = ("fit", "person")
        constraints = (
            models.UniqueConstraint(fields=["fit", "person"], name="one_rater_estimate_per_person_and_fit"),
        )

    def __str__(self) -> str:
        return f"{self.person}: {self.mean:+.2f}"


class ContributionQuerySet(models.QuerySet["Contribution"]):
    stays_on_merging = True

    def visible_to(self, user: Visitor) -> Self:
        """Deciders only, and not their own: what single outputs moved could tell what a single reader said."""
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        others = self.exclude(person__in=Person.objects.of(user))
        return others.filter(fit__program__in=Program.objects.where(user, *DECIDERS))

    def told_to(self, user: Visitor) -> Self:
        """As visible, each with whether its output may be named: one that waits for its release review may not."""
        named = Output.objects.visible_to(user).filter(pk=OuterRef("output"))
        return self.visible_to(user).annotate(is_named=Exists(named))


class Contribution(models.Model):
    """How much one output moved one person's estimate from the prior; they sum to its mean."""

    fit = models.ForeignKey(Fit, on_delete=models.CASCADE, related_name="contributions")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="contributions")
    output = models.ForeignKey(Output, on_delete=models.PROTECT, null=True, related_name="contributions")
    amount = models.FloatField()
    specific = models.FloatField(default=0, help_text="What the fit takes as specific to this piece.")
    observations = models.PositiveIntegerField()

    objects = ContributionQuerySet.as_manager()

    class Meta:
        ordering = ("fit", "person", "-amount")
        constraints = (
            models.UniqueConstraint(
                fields=["fit", "person", "output"], name="one_contribution_per_person_and_output"
            ),
        )

    def __str__(self) -> str:
        return f"{self.output}: {self.amount:+.2f}"
