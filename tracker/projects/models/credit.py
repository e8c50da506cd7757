"""Credit: whose an output is."""

from typing import Self

from django.db import models
from django.db.models import Q

from tracker.events.history import Tracked, TrackedQuerySet
from tracker.people.models import Person, Visitor
from tracker.projects.models.outputs import Output


class CreditQuerySet(TrackedQuerySet["Credit"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(output__in=Output.objects.visible_to(user))

    def merge_people(self, name: str, *, kept: Person, doubled: Person) -> None:
        """Where both have a share of one kind, the one person has both."""
        for own in self.filter(person=kept):
            twice = self.filter(person=doubled, output=own.output_id, kind=own.kind).first()
            if twice is not None:
                self.filter(pk=own.pk).update(share=min(1.0, own.share + twice.share))
                twice.delete()
        self.filter(person=doubled).update(person=kept)


class Credit(Tracked):
    """A person's share in an output. The shares of one kind sum to 1."""

    class Kind(models.TextChoices):
        IDEA = "idea", "idea"
        EXECUTION = "execution", "execution"
        WRITING = "writing", "writing"

    output = models.ForeignKey(Output, on_delete=models.CASCADE, related_name="credits")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="credits")
    kind = models.CharField(max_length=10, choices=Kind)
    share = models.FloatField()

    objects = CreditQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["output", "person", "kind"], name="one_share_per_person_and_kind"
            ),
            models.CheckConstraint(
                condition=Q(share__gte=0, share__lte=1), name="a_share_is_between_0_and_1"
            ),
        )

    def __str__(self) -> str:
        return f"{self.person}: {self.share:.0%} of {self.output}"

    @property
    def percent(self) -> int:
        return round(100 * self.share)
