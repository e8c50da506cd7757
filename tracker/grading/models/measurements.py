"""Measurement: what a run found, with its standard error."""

from typing import Any, Self

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery

from tracker.grading.models.runs import Run
from tracker.grading.models.submissions import Submission
from tracker.people.models import Visitor


class MeasurementQuerySet(models.QuerySet["Measurement"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(run__in=Run.objects.visible_to(user))

    def standing(self) -> Self:
        """What the newest thorough run of each counting submission measured, overall."""
        thorough = Run.objects.filter(phase=Run.Phase.THOROUGH, state=Run.State.SUCCEEDED)
        newest = thorough.filter(submission=OuterRef("run__submission")).order_by("-pk")
        return self.filter(
            run=Subquery(newest.values("pk")[:1]),
            run__submission__in=Submission.objects.counting(),
            run__submission__output__retracted_at=None,
            slice="",
        )

    def as_observations(self) -> list[dict[str, Any]]:
        """Each benchmark's headline measurement in the words of the noise model: no reader, a known error.

        One whose error is not known stays out: it would count as exact.

        Values are anchored and turned so that more is better; the scale is learned by the model.
        """
        rows = (
            self.filter(standard_error__isnull=False)
            .select_related("run__submission", "run__benchmark")
            .order_by("run__submission__public_id")
        )
        return [row.as_observation() for row in rows if row.metric == row.run.benchmark.headline]


class Measurement(models.Model):
    """A value with its standard error and interval. There is no number for what was not measured."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="measurements")
    metric = models.CharField(max_length=60)
    slice = models.CharField(max_length=100, blank=True, help_text="Which part of the items; empty: all.")
    value = models.FloatField()
    standard_error = models.FloatField(null=True, blank=True)
    low = models.FloatField(null=True, blank=True, help_text="Lower end of the 95 % interval.")
    high = models.FloatField(null=True, blank=True, help_text="Upper end of the 95 % interval.")
    n = models.PositiveIntegerField()
    clusters = models.PositiveIntegerField(null=True, blank=True)
    method = models.CharField(max_length=60)
    seed = models.BigIntegerField(null=True, blank=True)
    analytic = models.JSONField(
        default=list, blank=True, help_text="Errors by formula, beside the resampled one."
    )

    objects = MeasurementQuerySet.as_manager()

    class Meta:
        ordering = ("run", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=["run", "metric", "slice"], name="one_value_per_run_metric_and_slice"
            ),
            models.CheckConstraint(
                condition=Q(value__gt=-1e300, value__lt=1e300)
                & (Q(standard_error=None) | Q(standard_error__gte=0, standard_error__lt=1e300)),
                name="a_measurement_is_finite",
            ),
            models.CheckConstraint(
                condition=Q(low=None, high=None) | Q(low__lte=F("high")),
                name="an_interval_has_its_ends_in_order",
            ),
        )

    def __str__(self) -> str:
        return f"{self.metric} {self.value:g}"

    def as_observation(self) -> dict[str, Any]:
        submission = self.run.submission
        if self.standard_error is None:
            raise ValueError(f"{self} has no standard error: it cannot be weighed against others.")
        start, reference = self.run.benchmark.anchors
        return {
            "score": (self.value - start) / (reference - start),
            "se": self.standard_error / abs(reference - start),
            "output": submission.output_id,
            "rater": None,
            "project": submission.project_id,
            "instrument": f"{self.run.benchmark.slug}: {self.metric}",
        }
