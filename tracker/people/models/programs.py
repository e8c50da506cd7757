"""Program: who runs cohorts, and by which rules. Role: what people do in one."""

import uuid
from typing import Self

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q

from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models.users import Visitor


class Role(models.TextChoices):
    LEAD = "lead", "lead"
    COMMITTEE = "committee", "committee"
    RESEARCH_MANAGER = "research_manager", "research manager"
    MENTOR = "mentor", "mentor"
    MENTEE = "mentee", "mentee"
    APPLICANT = "applicant", "applicant"
    AUDITOR = "auditor", "auditor"
    CLIENT = "client", "API client"


# These see every estimate of their program, by name and logged.
DECIDERS = (Role.LEAD, Role.COMMITTEE, Role.CLIENT)
# These see everybody's work in their program.
STAFF = (*DECIDERS, Role.RESEARCH_MANAGER)
READERS = (Role.LEAD, Role.COMMITTEE, Role.MENTOR)
# These are judged: their place ends by a decision or by their own word, and in no other way.
JUDGED = (Role.MENTEE, Role.APPLICANT)


# Columns of a program on which it depends what the estimates see.
DECIDES_OVER_EVIDENCE = {"measurements_join_from", "conflicts_reach", "conflicted_ratings"}


class ProgramQuerySet(TrackedQuerySet["Program"]):
    def where(self, user: Visitor, *roles: Role) -> Self:
        """Programs in which this user now holds one of the roles."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        # Who is in a program refers to it, so that memberships come after programs.
        from tracker.people.models.people import Membership

        held = Membership.objects.active().filter(person__user=user, role__in=roles)
        return self.filter(pk__in=held.values("person__program"))

    def visible_to(self, user: Visitor) -> Self:
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        return self.where(user, *Role)


class Program(Tracked):
    class Reach(models.TextChoices):
        """Who is too close to a project to judge it. Its authors always are."""

        AUTHORS = "authors", "its authors"
        TEAM = "team", "its authors and mentors"
        FAMILY = "family", "its authors, and whoever mentors one of them"

    class Conflicted(models.TextChoices):
        """What becomes of a rating whose reader turns out to be too close. It never counts as a reader."""

        KEPT = "kept", "it stays evidence"
        LEFT_OUT = "left_out", "it is left out of the estimates"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200)
    slug = models.SlugField(unique=True)
    words = models.JSONField(
        default=dict, blank=True, help_text='What this program calls things, as {"mentee": "fellow"}.'
    )
    is_simulated = models.BooleanField(
        default=False, help_text="People and ratings are simulated, so the truth is known and may be shown."
    )
    measurements_join_from = models.PositiveSmallIntegerField(
        default=20,
        help_text="A benchmark enters the estimates once this many outputs have both a measurement and a rating.",
    )

    conflicts_reach = models.CharField(
        "conflicts reach to",
        max_length=10,
        choices=Reach,
        default=Reach.AUTHORS,
        help_text="Who may not judge a project, beside those who declare a conflict.",
    )
    conflicted_ratings = models.CharField(
        max_length=10,
        choices=Conflicted,
        default=Conflicted.KEPT,
        help_text="What becomes of a rating whose reader turns out to be too close.",
    )

    objects = ProgramQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (
            models.CheckConstraint(
                condition=Q(conflicts_reach__in=("authors", "team", "family")),
                name="conflicts_reach_somewhere",
            ),
            models.CheckConstraint(
                condition=Q(conflicted_ratings__in=("kept", "left_out")),
                name="a_conflicted_rating_is_kept_or_left_out",
            ),
            models.CheckConstraint(
                condition=Q(measurements_join_from__gte=2), name="a_scale_is_learned_from_two_outputs_or_more"
            ),
            models.CheckConstraint(
                condition=Q(measurements_join_from__lte=10_000),
                name="a_scale_is_learned_from_10000_outputs_or_fewer",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def rule(self, names: list[str]) -> None:
        """Keep what was changed of these columns; what decides over evidence asks for a fit."""
        with transaction.atomic():
            self.save(update_fields=names)
            if set(names) & DECIDES_OVER_EVIDENCE:
                Event.objects.write("program.ruled", program=self.public_id, subject=self.public_id)

    def clean(self) -> None:
        words = self.words if isinstance(self.words, dict) else {"": None}
        if not all(isinstance(word, str) and word.strip() for word in words.values()):
            raise ValidationError({"words": 'Give an object of words to words, as {"mentee": "fellow"}.'})
