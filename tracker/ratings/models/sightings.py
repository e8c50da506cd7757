"""Sighting: when a reader first could see what others say of an output. Whatever door shows it says so here."""

from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone

from tracker.people.models import READERS, Person, Visitor
from tracker.projects.models import Output, OutputQuerySet


class SightingQuerySet(models.QuerySet["Sighting"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(reader__in=Person.objects.of(user))

    def merge_people(self, name: str, *, kept: Person, doubled: Person) -> None:
        """What either saw first is what the one person saw first."""
        for sighting in self.filter(reader=doubled, output__in=self.filter(reader=kept).values("output")):
            later = self.filter(reader=kept, output=sighting.output_id, seen_at__gt=sighting.seen_at)
            later.update(seen_at=sighting.seen_at)
            sighting.delete()
        self.filter(reader=doubled).update(reader=kept)

    def note(self, user: Visitor, outputs: OutputQuerySet) -> None:
        """This user is shown what others say of these outputs: what they rate or revise from now on is not blind."""
        readers = Person.objects.of(user).active_as(*READERS)
        known = self.filter(output=OuterRef("pk"), reader__in=readers)
        fresh = outputs.being_read().filter(~Exists(known), program__in=readers.values("program"))
        pairs = list(fresh.order_by().values_list("pk", "program").distinct())
        if not pairs:
            return
        by_program = dict(readers.values_list("program", "pk"))
        now = timezone.now()
        Sighting.objects.bulk_create(
            (
                Sighting(output_id=output, reader_id=by_program[program], seen_at=now)
                for output, program in pairs
            ),
            batch_size=1000,
            ignore_conflicts=True,
        )
        for reader in readers:
            reader.ratings.filter(output__in=[output for output, _ in pairs], others_seen_at=None).update(
                others_seen_at=now
            )


class Sighting(models.Model):
    reader = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="sightings")
    output = models.ForeignKey(Output, on_delete=models.PROTECT, related_name="sightings")
    seen_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = SightingQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["reader", "output"], name="others_are_first_seen_once"),
        )

    def __str__(self) -> str:
        return f"{self.reader} of {self.output}"
