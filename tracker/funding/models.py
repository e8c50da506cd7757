"""Fund: who pays researchers. Its managers see what people share with it, in the admin."""

import uuid
from typing import Self
from uuid import UUID

from django.contrib.auth.models import Group, Permission
from django.db import models, transaction

from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import User, Visitor

SEEN_BY_FUNDS = (
    ("people", "person"),
    ("people", "sharegrant"),
    ("estimates", "estimate"),
    ("estimates", "fit"),
    ("funding", "fund"),
)


class FundQuerySet(TrackedQuerySet["Fund"]):
    def visible_to(self, user: Visitor) -> Self:
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(group__in=user.groups.all())

    def offered_to(self, user: Visitor) -> Self:
        """Funds that somebody may share with: all of them, for it is the person's to choose."""
        return self if user.is_authenticated and user.is_active else self.none()

    def found(self, name: str) -> "Fund":
        """A new fund, with the group of its managers and what they may open in the admin."""
        with transaction.atomic():
            group, _ = Group.objects.get_or_create(name=f"Fund: {name}")
            for app, model in SEEN_BY_FUNDS:
                group.permissions.add(
                    Permission.objects.get(content_type__app_label=app, codename=f"view_{model}")
                )
            fund: Fund = self.create(name=name, group=group)
        return fund


class Fund(Tracked):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200, unique=True)
    group = models.OneToOneField(
        Group, on_delete=models.PROTECT, help_text="Its managers; people share with this group."
    )

    objects = FundQuerySet.as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def appoint(self, user: User, *, by: UUID | None = None) -> None:
        """Make somebody a manager of this fund, who works in the admin and sees what people share with it."""
        with transaction.atomic():
            user.belong_to([*user.groups.all(), self.group], by=by)
            user.become_staff()
            Event.objects.write("fund.appointed", subject=user.public_id, actor=by, fund=str(self.public_id))
