"""GateChance: what one fit says of a person at a stage's gate."""

from typing import Self

from django.db import models
from django.db.models import Q

from tracker.cohorts.models import Stage
from tracker.estimates.models.fits import Fit
from tracker.people.models import Person, Program, Role, Visitor


class GateChanceQuerySet(models.QuerySet["GateChance"]):
    stays_on_merging = True

    def current(self) -> Self:
        return self.filter(fit__is_current=True)

    def visible_to(self, user: Visitor) -> Self:
        """Those who decide, of others, and nobody else: it is half of a proposal."""
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        others = self.exclude(person__in=Person.objects.of(user))
        return others.filter(fit__program__in=Program.objects.where(user, Role.LEAD, Role.COMMITTEE))


class GateChance(models.Model):
    """How probable a fit finds it that somebody gets through, and what stands behind that."""

    fit = models.ForeignKey(Fit, on_delete=models.CASCADE, related_name="gate_chances")
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="gate_chances")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="gate_chances")
    places = models.PositiveIntegerField(null=True, blank=True)
    bar = models.FloatField(null=True, blank=True)
    through = models.FloatField(help_text="Of getting through, with asymmetric luck.")
    symmetric = models.FloatField(help_text="The same with symmetric luck.")
    readers = models.PositiveIntegerField(help_text="Different people who read, without a conflict.")
    against = models.PositiveIntegerField(help_text="Of these, whose scores in total pull the estimate down.")
    good_pieces = models.PositiveIntegerField(help_text="Pieces that raise the estimate.")

    objects = GateChanceQuerySet.as_manager()

    class Meta:
        ordering = ("fit", "stage", "person")
        constraints = (
            models.UniqueConstraint(
                fields=["fit", "stage", "person"], name="one_chance_per_person_stage_and_fit"
            ),
            models.CheckConstraint(
                condition=Q(through__gte=0, through__lte=1, symmetric__gte=0, symmetric__lte=1),
                name="a_chance_is_a_probability",
            ),
            models.CheckConstraint(
                condition=Q(places=None, bar__isnull=False) | Q(places__isnull=False, bar=None),
                name="a_chance_is_of_places_or_of_a_bar",
            ),
        )

    def __str__(self) -> str:
        return f"{self.person} at {self.stage}"
