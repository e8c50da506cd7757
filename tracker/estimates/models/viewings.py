"""Viewing: that somebody looked at an estimate."""

from collections.abc import Iterable
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Count, Min, QuerySet
from django.utils import timezone

from tracker.estimates.models.fits import Estimate, Fit
from tracker.events.doors import Door
from tracker.people.models import Person, Program, Role, User, Visitor


class ViewingQuerySet(models.QuerySet["Viewing"]):
    def visible_to(self, user: Visitor) -> Self:
        """Who leads or audits the program of whom was looked at."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(person__program__in=Program.objects.where(user, Role.LEAD, Role.AUDITOR))

    def as_looks(self) -> "QuerySet[Viewing, dict[str, Any]]":
        """One row for each look, newest first: who, by which door, when, at how many and at whom first."""
        looks = self.order_by().values("looked_at", "door", "viewer", "viewer__name", "viewer__email")
        return looks.annotate(people=Count("person"), first=Min("person__name")).order_by(
            "-looked_at", "viewer"
        )

    def record(self, estimates: Iterable[Estimate], *, by: User, door: str) -> None:
        """One row for each estimate that was shown."""
        now = timezone.now()
        rows = [
            Viewing(viewer=by, person_id=shown.person_id, fit_id=shown.fit_id, door=door, looked_at=now)
            for shown in estimates
        ]
        Viewing.objects.bulk_create(rows)


class Viewing(models.Model):
    """Who saw whose estimate, of which fit, by which door and when. It is written once and never changed."""

    viewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="viewings")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="viewings")
    fit = models.ForeignKey(Fit, on_delete=models.PROTECT, related_name="viewings")
    door = models.CharField(max_length=10, choices=Door)
    looked_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ViewingQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.viewer} at {self.person}"
