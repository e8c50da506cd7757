"""User: somebody who can log in."""

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.models import AbstractUser, AnonymousUser, Group, UserManager
from django.db import models, transaction

from tracker.events.doors import entered
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event

if TYPE_CHECKING:
    from tracker.people.models.programs import ProgramQuerySet


class Accounts(UserManager["User"].from_queryset(TrackedQuerySet)):  # type: ignore[misc]
    """Users are known by their e-mail address."""

    def create_user(self, email: str, password: str | None = None, **values: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **values)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def invited(self, email: str, *, name: str) -> "User":
        """Whoever has this address, or a new account whose password they set by asking for a new one."""
        known = self.filter(email=self.normalize_email(email).lower()).first()
        return known or self.create_user(email, name=name)

    def create_superuser(self, email: str, password: str | None = None, **values: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **values)


class User(AbstractUser, Tracked):
    """Somebody who can log in. What they may do follows from the persons they are."""

    history_leaves_out = ("password", "last_login")
    history_told_to = "id"

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

    def programs_as(self, *roles: str) -> "ProgramQuerySet":
        """Programs in which they now hold one of these roles."""
        # Programs ask who a visitor is, so that they come after users.
        from tracker.people.models.programs import Program, Role

        return Program.objects.where(self, *map(Role, roles))

    def belong_to(self, groups: Iterable[Group], *, by: UUID | None = None) -> None:
        """Be in these groups from now on, and in no others; who let them in or out, and by which door, is kept."""
        with transaction.atomic():
            before, after = set(self.groups.all()), set(groups)
            self.groups.set(after)
            if before != after:
                Event.objects.write(
                    "account.grouped",
                    subject=self.public_id,
                    actor=by,
                    door=entered().door,
                    joined=sorted(group.name for group in after - before),
                    left=sorted(group.name for group in before - after),
                )

    def become_staff(self) -> None:
        """Let them into the admin; what they see there follows from their roles and groups."""
        self.is_staff = True
        self.save(update_fields=["is_staff"])


# A door hands its visitor on as it is; nobody sees anything before logging in.
Visitor = User | AnonymousUser
