"""Person: anybody in one program. Membership: a role that they hold in it."""

import uuid
from typing import Any, Self

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models.programs import JUDGED, STAFF, Program, Role
from tracker.people.models.users import User, Visitor


class PersonQuerySet(TrackedQuerySet["Person"]):
    def visible_to(self, user: Visitor) -> Self:
        """Who is known to this user, and whoever shared with a fund they manage."""
        # What people share refers to them, so that it comes after people.
        from tracker.people.models.shares import ShareGrant

        shared = ShareGrant.objects.standing().shared_with_user(user)
        return self.known_to(user) | self.distinct_people().filter(pk__in=shared.values("person"))

    def known_to(self, user: Visitor) -> Self:
        """Own selves, and everybody of a program one works for; a fund is shown a name and no more of anybody."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        workplaces = Program.objects.where(user, *STAFF, Role.MENTOR)
        return self.distinct_people().filter(Q(user=user) | Q(program__in=workplaces))

    def distinct_people(self) -> Self:
        """Without entries that were folded into another of the same person."""
        return self.filter(merged_into=None)

    def active_as(self, *roles: Role) -> Self:
        held = Membership.objects.active().filter(role__in=roles)
        return self.filter(pk__in=held.values("person"))

    def decided_by(self, user: Visitor) -> Self:
        """People of programs in which this user decides."""
        return self.distinct_people().filter(
            program__in=Program.objects.where(user, Role.LEAD, Role.COMMITTEE)
        )

    def led_by(self, user: Visitor) -> Self:
        """People of programs that this user leads."""
        return self.filter(program__in=Program.objects.where(user, Role.LEAD))

    def of(self, user: Visitor) -> Self:
        """The persons this user is, one for each program."""
        return self.filter(user=user) if user.is_authenticated and user.is_active else self.none()

    def join(self, *, program: Program, name: str, roles: tuple[Role, ...], **values: Any) -> "Person":
        """Somebody new in a program, with the roles they start in."""
        with transaction.atomic():
            person = self.create(program=program, name=name, **values)
            Membership.objects.bulk_create(Membership(person=person, role=role) for role in roles)
            Event.objects.write("person.joined", program=program.public_id, subject=person.public_id)
        return person


class Person(Tracked):
    """Anybody in one program: a mentee, a mentor, a model that rates."""

    history_told_to = "user"

    class Kind(models.TextChoices):
        HUMAN = "human", "human"
        MODEL = "model", "model"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="people")
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="persons")
    external_id = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.HUMAN)
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="doubles"
    )

    objects = PersonQuerySet.as_manager()

    class Meta:
        ordering = ("name", "pk")
        verbose_name_plural = "people"
        constraints = (
            models.UniqueConstraint(
                fields=["program", "external_id"],
                condition=~Q(external_id=""),
                name="one_person_per_external_id_in_a_program",
            ),
            models.UniqueConstraint(fields=["program", "user"], name="one_person_per_user_in_a_program"),
            models.CheckConstraint(
                condition=Q(merged_into=None) | Q(user=None, external_id="") & ~Q(merged_into=F("pk")),
                name="a_folded_entry_is_nobody_of_its_own",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def holds(self, *roles: Role) -> bool:
        return self.memberships.active().filter(role__in=roles).exists()

    def fold_into(self, kept: "Person") -> None:
        """This entry was another of the same person: who logs in, or is known to a program, is found there."""
        user, external_id = self.user, self.external_id
        self.user, self.external_id, self.merged_into = None, "", kept
        self.save(update_fields=["user", "external_id", "merged_into"])
        kept.user = kept.user or user
        kept.external_id = kept.external_id or external_id
        kept.save(update_fields=["user", "external_id"])

    def become(self, role: Role, *, instead_of: Role) -> None:
        """Hold one role from now on, and another no longer."""
        with transaction.atomic():
            self.memberships.active().filter(role=instead_of).update(ended_at=timezone.now())
            if not self.holds(role):
                self.memberships.create(role=role)


class MembershipQuerySet(TrackedQuerySet["Membership"]):
    def active(self) -> Self:
        return self.filter(Q(ended_at=None) | Q(ended_at__gt=Now()))

    def merge_people(self, name: str, *, kept: Person, doubled: Person) -> None:
        """A role both hold is held once."""
        twice = self.active().filter(person=kept).values("role")
        self.active().filter(person=doubled, role__in=twice).update(ended_at=timezone.now())
        self.filter(person=doubled).update(person=kept)

    def of(self, user: Visitor) -> Self:
        """The roles this user holds, whichever their programs."""
        return self.filter(person__in=Person.objects.of(user))

    def visible_to(self, user: Visitor) -> Self:
        return self.filter(person__in=Person.objects.known_to(user))


class Membership(Tracked):
    """A role that a person holds in their program."""

    history_told_to = "person__user"

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["person", "role"], condition=Q(ended_at=None), name="a_role_is_held_once_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
                name="a_role_ends_after_it_starts",
            ),
        )

    def __str__(self) -> str:
        return f"{self.person} as {self.get_role_display()}"

    def end(self) -> None:
        if self.ended_at is not None:
            raise RuleBroken("This role has ended already.")
        if self.role in JUDGED and self.person.enrollments.filter(left_on=None).exists():
            raise RuleBroken(
                f"{self.person} is in a cohort, or applies to one: their place ends by a decision,"
                " or by their own word, and their role with it.",
                code="own-word",
            )
        with transaction.atomic():
            self.ended_at = timezone.now()
            self.save(update_fields=["ended_at"])
            Event.objects.write(
                "role.ended",
                program=self.person.program.public_id,
                subject=self.person.public_id,
                role=self.role,
            )
