"""Release: what everybody below the lead sees of a stage. SimulatedTruth: what a simulation knows."""

from typing import Self

from django.db import models, transaction
from django.utils import timezone

from tracker.cohorts.models import Stage
from tracker.errors import RuleBroken
from tracker.estimates.models.fits import Fit, FitRequest
from tracker.events.history import Tracked, TrackedQuerySet
from tracker.events.models import Event
from tracker.people.models import Person, Program, Role, Visitor
from tracker.ratings.models import Rating


class ReleaseQuerySet(TrackedQuerySet["Release"]):
    def visible_to(self, user: Visitor) -> Self:
        return self.filter(stage__in=Stage.objects.visible_to(user))

    def release(self, stage: Stage, *, by: Person) -> "Release":
        """Freeze the current fit as what mentors, mentees and funds see of this stage."""
        program = stage.cohort.program
        if by.program_id != program.pk or not by.holds(Role.LEAD):
            raise RuleBroken(
                f"{by} does not lead {program}: only a lead releases estimates.", code="not-a-lead"
            )
        if stage.reading_closes_at > timezone.now():
            raise RuleBroken(
                f"The reading of {stage} is open until {stage.reading_closes_at:%Y-%m-%d %H:%M} UTC:"
                " estimates are released after it.",
                code="reading-open",
            )
        with transaction.atomic():
            Stage.objects.select_for_update().get(pk=stage.pk)
            if self.filter(stage=stage).exists():
                raise RuleBroken(f"The estimates of {stage} are released already.", code="already-released")
            fit = self._releasable_fit(program)
            release: Release = self.create(stage=stage, fit=fit, released_by=by)
            Event.objects.write(
                "estimates.released", program=program.public_id, subject=stage.public_id, actor=by.public_id
            )
        return release

    def _releasable_fit(self, program: Program) -> Fit:
        """The current fit, if it says the last word and nothing in it is still being read."""
        fit: Fit | None = Fit.objects.current().filter(program=program).first()
        if fit is None:
            raise RuleBroken("There is no fit to release yet.", code="no-fit")
        if FitRequest.objects.open().filter(program=program).exists():
            raise RuleBroken(
                "The estimates are being computed: release them in a minute.", code="fit-under-way"
            )
        reading = Stage.objects.reading().filter(cohort__program=program)
        blind = Rating.objects.standing().filter(output__stage__in=reading)
        first = blind.select_related("output__stage").first()
        if first is not None and first.output.stage is not None:
            stage = first.output.stage
            raise RuleBroken(
                f"The estimates rest on ratings of {stage} too, whose reading is open until"
                f" {stage.reading_closes_at:%Y-%m-%d %H:%M} UTC: release them after that.",
                code="reading-open",
            )
        return fit


class Release(Tracked):
    """One fit, frozen, as what a stage's estimates are for everybody below the lead."""

    stage = models.OneToOneField(Stage, on_delete=models.PROTECT, related_name="release")
    fit = models.ForeignKey(Fit, on_delete=models.PROTECT, related_name="releases")
    released_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="releases")
    released_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        ordering = ("-released_at",)

    def __str__(self) -> str:
        return f"{self.stage}, {self.released_at:%Y-%m-%d}"


class SimulatedTruthQuerySet(models.QuerySet["SimulatedTruth"]):
    stays_on_merging = True

    def visible_to(self, user: Visitor) -> Self:
        """Only where everything is simulated, and there to whoever decides."""
        deciding = Program.objects.where(user, Role.LEAD, Role.COMMITTEE).filter(is_simulated=True)
        return self.filter(person__program__in=deciding)


class SimulatedTruth(models.Model):
    """What a simulated person's level really is, in units of the scores; no such row exists for real people."""

    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="simulated_truth")
    level = models.FloatField()

    objects = SimulatedTruthQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.person}: {self.level:+.2f}"
