"""ApiKey: a program's key to the API, and what it may be used for."""

import hashlib
import secrets
import uuid
from datetime import timedelta
from typing import Self

from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models.people import Person
from tracker.people.models.programs import Program, Role
from tracker.people.models.users import User, Visitor

KEY_LIFETIME = timedelta(days=180)


class Scope(models.TextChoices):
    PEOPLE_WRITE = "people:write", "admit mentees and mentors"
    WORK_WRITE = "work:write", "create and change projects and outputs"
    RATINGS_WRITE = "ratings:write", "send ratings"
    SUBMISSIONS_WRITE = "submissions:write", "upload submissions"
    READ = "read", "read people, projects, outputs, submissions and runs"
    ESTIMATES_READ = "estimates:read", "read estimates, as the program's lead does"
    DECISIONS_READ = "decisions:read", "read what was decided about people, once they are told it"


class ApiKeyQuerySet(TrackedQuerySet["ApiKey"]):
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


class ApiKey(Tracked):
    """A program's key to the API: hashed, scoped, expiring. It acts as a person of its own."""

    history_leaves_out = ("digest",)

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
