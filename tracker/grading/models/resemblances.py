"""Resemblance: two teams make the same mistakes more often than chance explains. A sign for a person, no verdict."""

from typing import Self

import numpy as np
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from numpy.typing import NDArray

from evals.grading.sketches import LONGEST_SKETCH, Alike, resemblances
from tracker.grading.models.runs import Run
from tracker.grading.models.submissions import Submission
from tracker.people.models import Visitor


class MistakesQuerySet(models.QuerySet["Mistakes"]):
    def visible_to(self, user: Visitor) -> Self:
        """Nobody: which answers are wrong is half of the labels."""
        return self.none()

    def record(self, run: Run, sketch: NDArray[np.uint8]) -> "Mistakes":
        """Keep what a run got wrong, and note which other teams it strikingly resembles."""
        mine = self.create(run=run, sketch=sketch.tobytes())
        others = list(self.of_other_teams(run).filter(sketch_bytes=len(mine.sketch)))
        found = resemblances(sketch, [np.frombuffer(other.sketch, np.uint8) for other in others])
        for other, alike in zip(others, found, strict=True):
            if alike is not None and alike.is_striking:
                Resemblance.objects.note(run, other.run, alike)
        return mine

    def of_other_teams(self, run: Run) -> Self:
        """The newest of each other project on the same benchmark."""
        same = self.filter(run__benchmark=run.benchmark_id)
        newest = same.order_by().values("run__submission__project").annotate(newest=models.Max("pk"))
        others = newest.exclude(run__submission__project=run.submission.project_id)
        lengths = models.functions.Length("sketch")
        return (
            self.filter(pk__in=others.values("newest")).annotate(sketch_bytes=lengths).select_related("run")
        )


class Mistakes(models.Model):
    """A run's wrong answers as a sketch in a secret order; it tells no items and no labels, and nobody sees it."""

    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="+")
    sketch = models.BinaryField(max_length=LONGEST_SKETCH)

    objects = MistakesQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "mistakes"

    def __str__(self) -> str:
        return f"mistakes of {self.run}"


class ResemblanceQuerySet(models.QuerySet["Resemblance"]):
    def visible_to(self, user: Visitor) -> Self:
        """Those of submissions that one leads the program of, or mentors."""
        return self.filter(run__submission__in=Submission.objects.signs_visible_to(user))

    def note(self, run: Run, other: Run, alike: Alike) -> None:
        """Write it once for each side."""
        facts = {
            "mistakes": alike.mistakes,
            "shared": alike.shared,
            "expected": alike.expected,
            "p_value": alike.p_value,
        }
        self.bulk_create(self.model(run=one, other=two, **facts) for one, two in ((run, other), (other, run)))


class Resemblance(models.Model):
    """What one run shares with another team's: a flag for a mentor, the score unchanged."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="resemblances")
    other = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")
    mistakes = models.PositiveIntegerField()
    shared = models.PositiveIntegerField(help_text="Mistakes that both make alike.")
    expected = models.FloatField(help_text="As many as hard items and popular mistakes explain.")
    p_value = models.FloatField(help_text="Allowing for the number of pairs of teams.")
    found_at = models.DateTimeField(db_default=Now())

    objects = ResemblanceQuerySet.as_manager()

    class Meta:
        ordering = ("run", "p_value")
        constraints = (
            models.UniqueConstraint(fields=["run", "other"], name="a_run_resembles_another_once"),
            models.CheckConstraint(condition=~Q(run=F("other")), name="a_run_does_not_resemble_itself"),
            models.CheckConstraint(
                condition=Q(shared__lte=F("mistakes")), name="no_more_mistakes_are_shared_than_made"
            ),
        )

    def __str__(self) -> str:
        return f"{self.shared} of {self.mistakes} mistakes of {self.run} shared"
