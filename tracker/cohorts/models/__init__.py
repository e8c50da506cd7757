"""Cohort, Track, Stream, Stage, Enrollment, AdmissionRound, Application."""

from tracker.cohorts.models.admission import (
    AdmissionRound,
    AdmissionRoundQuerySet,
    Application,
    ApplicationQuerySet,
)
from tracker.cohorts.models.cohorts import (
    Cohort,
    CohortQuerySet,
    Enrollment,
    EnrollmentQuerySet,
    Track,
)
from tracker.cohorts.models.stages import MOST_PLACES, MOST_READERS, MOST_WEEKS, Stage, StageQuerySet
from tracker.cohorts.models.streams import Stream, StreamQuerySet

__all__ = (
    "MOST_PLACES",
    "MOST_READERS",
    "MOST_WEEKS",
    "AdmissionRound",
    "AdmissionRoundQuerySet",
    "Application",
    "ApplicationQuerySet",
    "Cohort",
    "CohortQuerySet",
    "Enrollment",
    "EnrollmentQuerySet",
    "Stage",
    "StageQuerySet",
    "Stream",
    "StreamQuerySet",
    "Track",
)
