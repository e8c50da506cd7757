"""OutputVersion: what an output was when somebody judged it."""

import uuid
from collections.abc import Iterable
from typing import Any, Self

from django.db import models
from django.utils import timezone

from tracker.people.models import Visitor
from tracker.projects.models.contents import Content
from tracker.projects.models.outputs import Output


class OutputVersionQuerySet(models.QuerySet["OutputVersion"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(output__in=Output.objects.visible_to(user))

    def newest_first(self) -> Self:
        return self.order_by("output", "-number")

    def current_of(self, outputs: Iterable[Output]) -> "dict[int, OutputVersion]":
        """Each output's present version, in a fixed number of queries; where none is kept yet, it is kept now."""
        wanted = {output.pk: output for output in outputs}
        found: dict[int, OutputVersion] = {}
        for version in self.filter(output__in=wanted).newest_first():
            found.setdefault(version.output_id, version)
        first: list[Any] = [OutputVersion.of(output, 1) for pk, output in wanted.items() if pk not in found]
        self.bulk_create(first, ignore_conflicts=True)
        kept = self.filter(output__in=[version.output_id for version in first]) if first else []
        return found | {version.output_id: version for version in kept}

    def keep(self, output: Output) -> "OutputVersion":
        """A new version where the content differs from the newest; the same content again is the same version."""
        newest = self.filter(output=output).newest_first().first()
        if newest is not None and newest.content() == output.content():
            return newest
        version = OutputVersion.of(output, newest.number + 1 if newest else 1)
        version.save(force_insert=True)
        return version


class OutputVersion(Content):
    """An output as it once was. It is never changed: a rating refers to what its reader saw."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    output = models.ForeignKey(Output, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    made_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = OutputVersionQuerySet.as_manager()

    class Meta:
        ordering = ("output", "-number")
        constraints = (
            models.UniqueConstraint(
                fields=["output", "number"], name="versions_of_an_output_are_numbered_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.title} (version {self.number})"

    @classmethod
    def of(cls, output: Output, number: int) -> "OutputVersion":
        return cls(output=output, number=number, **output.content())
