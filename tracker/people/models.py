"""User, Program, Person, Membership, ApiKey, ShareGrant."""

import hashlib
import secrets
import uuid
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from django.contrib.auth.models import AbstractUser, AnonymousUser, Group, UserManager
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.models import Event

KEY_LIFETIME = timedelta(days=180)


class Accounts(UserManager["User"]):
    """Users are known by their e-mail address."""

    def create_user(self, email: str, password: str | None = None, **values: Any) -> "User":  # type: ignore[override]
        user = self.model(email=self.normalize_email(email).lower(), **values)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def invited(self, email: str, *, name: str) -> "User":
        """Whoever has this address, or a new account whose password they set by asking for a new one."""
        known = self.filter(email=self.normalize_email(email).lower()).first()
        return known or self.create_user(email, name=name)

    def create_superuser(self, email: str, password: str | None = None, **values: Any) -> "User":  # type: ignore[override]
        return self.create_user(email, password, is_staff=True, is_superuser=True, **values)


class User(AbstractUser):
    """Somebody who can log in. What they may do follows from the persons they are."""

    username = None  # type: ignore[assignment]
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", unique=True)
    name = models.CharField(max_length=200, blank=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    objects = Accounts()  # type: ignore[misc]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self)

    def become_staff(self) -> None:
        """Let them into the admin; what they see there follows from their roles and groups."""
        self.is_staff = True
        self.save(update_fields=["is_staff"])


# A door hands its visitor on as it is; nobody sees anything before logging in.
Visitor = User | AnonymousUser


class Role(models.TextChoices):
    LEAD = "lead", "lead"
    COMMITTEE = "committee", "committee"
    RESEARCH_MANAGER = "research_manager", "research manager"
    MENTOR = "mentor", "mentor"
    MENTEE = "mentee", "mentee"
    AUDITOR = "auditor", "auditor"
    CLIENT = "client", "API client"


# These see every estimate of their program, by name and logged.
DECIDERS = (Role.LEAD, Role.COMMITTEE, Role.CLIENT)
# These see everybody's work in their program.
STAFF = (*DECIDERS, Role.RESEARCH_MANAGER)
READERS = (Role.LEAD, Role.COMMITTEE, Role.MENTOR)


class ProgramQuerySet(models.QuerySet["Program"]):
    def where(self, user: Visitor, *roles: Role) -> Self:
        """Programs in which this user now holds one of the roles."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        held = Membership.objects.active().filter(person__user=user, role__in=roles)
        return self.filter(pk__in=held.values("person__program"))

    def visible_to(self, user: Visitor) -> Self:
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        return self.where(user, *Role)


class Program(models.Model):
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

    objects = ProgramQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (
            models.CheckConstraint(
                condition=Q(measurements_join_from__gte=2), name="a_scale_is_learned_from_two_outputs_or_more"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        words = self.words if isinstance(self.words, dict) else {"": None}
        if not all(isinstance(word, str) and word.strip() for word in words.values()):
            raise ValidationError({"words": 'Give an object of words to words, as {"mentee": "fellow"}.'})


class PersonQuerySet(models.QuerySet["Person"]):
    def visible_to(self, user: Visitor) -> Self:
        """Own selves; everybody of a program one works for; whoever shared with a fund one manages."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        workplaces = Program.objects.where(user, *STAFF, Role.MENTOR)
        shared = ShareGrant.objects.standing().shared_with_user(user)
        return self.filter(Q(user=user) | Q(program__in=workplaces) | Q(pk__in=shared.values("person")))

    def active_as(self, *roles: Role) -> Self:
        held = Membership.objects.active().filter(role__in=roles)
        return self.filter(pk__in=held.values("person"))

    def decided_by(self, user: Visitor) -> Self:
        """People of programs in which this user decides."""
        return self.filter(program__in=Program.objects.where(user, Role.LEAD, Role.COMMITTEE))

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


class Person(models.Model):
    """Anybody in one program: a mentee, a mentor, a model that rates."""

    class Kind(models.TextChoices):
        HUMAN = "human", "human"
        MODEL = "model", "model"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="people")
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="persons")
    external_id = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.HUMAN)

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
        )

    def __str__(self) -> str:
        return self.name

    def holds(self, *roles: Role) -> bool:
        return self.memberships.active().filter(role__in=roles).exists()


class MembershipQuerySet(models.QuerySet["Membership"]):
    def active(self) -> Self:
        return self.filter(Q(ended_at=None) | Q(ended_at__gt=Now()))

    def of(self, user: Visitor) -> Self:
        """The roles this user holds, whichever their programs."""
        return self.filter(person__in=Person.objects.of(user))

    def visible_to(self, user: Visitor) -> Self:
        return self.filter(person__in=Person.objects.visible_to(user))


class Membership(models.Model):
    """A role that a person holds in their program."""

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
        self.ended_at = timezone.now()
        self.save(update_fields=["ended_at"])


class Scope(models.TextChoices):
    PEOPLE_WRITE = "people:write", "admit mentees and mentors"
    WORK_WRITE = "work:write", "create and change projects and outputs"
    RATINGS_WRITE = "ratings:write", "send ratings"
    SUBMISSIONS_WRITE = "submissions:write", "upload submissions"
    READ = "read", "read people, projects, outputs, submissions and runs"
    ESTIMATES_READ = "estimates:read", "read estimates, as the program's lead does"


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def standing(self) -> Self:
        return self.filter(revoked_at=None, expires_at__gt=Now(), person__user__is_active=True)

    def visible_to(self, user: Visitor) -> Self:
        return self.filter(person__program__in=Program.objects.where(user, Role.LEAD))

    def issue(self, *, program: Program, name: str, scopes: list[str]) -> tuple["ApiKey", str]:
        """A new key and its text, which is shown once and kept nowhere."""
        text = f"plb_{secrets.token_urlsafe(32)}"
        return self.enter(text, program=program, name=name, scopes=scopes), text

    def enter(self, text: str, *, program: Program, name: str, scopes: list[str]) -> "ApiKey":
        unknown = sorted(set(scopes) - set(Scope.values))
        if unknown:
            raise RuleBroken(
                f"Unknown scope {unknown[0]!r}: use one of {', '.join(Scope.values)}.", field="scopes"
            )
        with transaction.atomic():
            account = User.objects.create_user(f"key-{uuid.uuid4()}@clients.invalid", name=name)
            person = Person.objects.join(program=program, name=name, roles=(Role.CLIENT,), user=account)
            key: ApiKey = self.create(
                person=person,
                name=name,
                scopes=scopes,
                digest=digest_of(text),
                hint=text[:8],
                expires_at=timezone.now() + KEY_LIFETIME,
            )
            Event.objects.write("api_key.issued", program=program.public_id, subject=key.public_id)
        return key

    def matching(self, text: str) -> "ApiKey | None":
        return (
            self.standing()
            .select_related("person__user", "person__program")
            .filter(digest=digest_of(text))
            .first()
        )


def digest_of(key: str) -> str:
    """Keys are long and random, so a plain hash is enough to make a stolen table useless."""
    return hashlib.sha256(key.encode()).hexdigest()


class ApiKey(models.Model):
    """A program's key to the API: hashed, scoped, expiring. It acts as a person of its own."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    person = models.OneToOneField(Person, on_delete=models.PROTECT, related_name="api_key")
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=8, editable=False)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    def revoke(self) -> None:
        self.revoked_at = timezone.now()
        self.save(update_fields=["revoked_at"])


class ShareGrantQuerySet(models.QuerySet["ShareGrant"]):
    def standing(self) -> Self:
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=Now()), revoked_at=None)

    def shared_with_user(self, user: Visitor) -> Self:
        if not user.is_authenticated or not user.is_active:
            return self.none()
        return self.filter(shared_with__in=user.groups.all())

    def visible_to(self, user: Visitor) -> Self:
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        own = self.filter(person__in=Person.objects.of(user))
        return own | self.standing().shared_with_user(user)

    def share(
        self, person: Person, *, shared_with: Group, what: str, until: Any = None, by: UUID | None = None
    ) -> "ShareGrant":
        """The person lets a group outside the program, such as a fund, see something of theirs."""
        with transaction.atomic():
            grant: ShareGrant = self.create(person=person, shared_with=shared_with, what=what, ends_at=until)
            Event.objects.write(
                "share.granted",
                program=person.program.public_id,
                subject=person.public_id,
                actor=by,
                what=what,
                shared_with=shared_with.name,
            )
        return grant


class ShareGrant(models.Model):
    """What a person shares, with whom, and until when."""

    class What(models.TextChoices):
        ESTIMATES = "estimates", "released estimates"
        PROFILE = "profile", "name and projects only"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="share_grants")
    shared_with = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="share_grants")
    what = models.CharField(max_length=20, choices=What, default=What.ESTIMATES)
    granted_at = models.DateTimeField(default=timezone.now, editable=False)
    ends_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ShareGrantQuerySet.as_manager()

    class Meta:
        verbose_name = "share"
        constraints = (
            models.UniqueConstraint(
                fields=["person", "shared_with", "what"],
                condition=Q(revoked_at=None),
                name="a_thing_is_shared_once_with_a_group",
            ),
        )

    def __str__(self) -> str:
        return f"{self.person} shares {self.get_what_display()} with {self.shared_with}"

    def revoke(self) -> None:
        program = self.person.program.public_id
        with transaction.atomic():
            self.revoked_at = timezone.now()
            self.save(update_fields=["revoked_at"])
            Event.objects.write("share.revoked", program=program, subject=self.person.public_id)
