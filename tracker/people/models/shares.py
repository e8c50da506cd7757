"""ShareGrant: what a person lets a fund see of themselves, and until when."""

import uuid
from datetime import datetime
from typing import Self
from uuid import UUID

from django.contrib.auth.models import Group
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from tracker.errors import RuleBroken
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models.people import Person
from tracker.people.models.users import Visitor


class ShareGrantQuerySet(TrackedQuerySet["ShareGrant"]):
    def standing(self) -> Self:
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=Now()), revoked_at=None)

    def merge_people(self, name: str, *, kept: Person, doubled: Person) -> None:
        """A thing both share with a group is shared once."""
        for grant in self.filter(person=kept, revoked_at=None):
            twice = self.filter(person=doubled, revoked_at=None)
            twice.filter(shared_with=grant.shared_with, what=grant.what).update(revoked_at=timezone.now())
        self.filter(person=doubled).update(person=kept)

    def shared_with_user(self, user: Visitor) -> Self:
        if not user.is_authenticated or not user.is_active:
            return self.none()
        return self.filter(shared_with__in=user.groups.all())

    def of(self, user: Visitor) -> Self:
        """What this user shares themselves."""
        return self.filter(person__in=Person.objects.of(user))

    def visible_to(self, user: Visitor) -> Self:
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        return self.of(user) | self.standing().shared_with_user(user)

    def share(
        self,
        person: Person,
        *,
        shared_with: Group,
        what: str,
        until: datetime | None = None,
        by: UUID | None = None,
    ) -> "ShareGrant":
        """The person lets a group outside the program, such as a fund, see something of theirs."""
        if what not in ShareGrant.What.values:
            raise RuleBroken(f"Share one of: {', '.join(ShareGrant.What.values)}.", field="what")
        if until is not None and until <= timezone.now():
            raise RuleBroken("Share it until a day to come, or until you take it back.", field="until")
        with transaction.atomic():
            Person.objects.select_for_update(of=("self",)).get(pk=person.pk)
            same = self.filter(person=person, shared_with=shared_with, what=what, revoked_at=None)
            same.filter(ends_at__lte=Now()).update(revoked_at=F("ends_at"))
            if same.exists():
                raise RuleBroken(
                    f"You share this with {shared_with} already: take that back first.", code="shared-already"
                )
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


class ShareGrant(Tracked):
    """What a person shares, with whom, and until when."""

    history_told_to = "person__user"
    # It is between a person and a fund: leads don't see the row, and auditors don't hear of it.
    history_is_for_leads = True

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

    def revoke(self, *, by: UUID | None = None) -> None:
        """Taken back: from this moment on nobody sees it any more."""
        program = self.person.program.public_id
        with transaction.atomic():
            if not ShareGrant.objects.standing().filter(pk=self.pk).update(revoked_at=timezone.now()):
                raise RuleBroken("This is not shared any more.", code="not-shared")
            self.refresh_from_db(fields=["revoked_at"])
            Event.objects.write("share.revoked", program=program, subject=self.person.public_id, actor=by)

    @property
    def is_standing(self) -> bool:
        return self.revoked_at is None and (self.ends_at is None or self.ends_at > timezone.now())
