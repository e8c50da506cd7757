"""FitRequest, Fit, Estimate, RaterEstimate, Contribution, Release, SimulatedTruth."""

from tracker.estimates.models.fits import (
    READERS_BEHIND_A_RELEASE,
    Contribution,
    Estimate,
    Fit,
    FitRequest,
    FitRequestQuerySet,
    Hyper,
    RaterEstimate,
)
from tracker.estimates.models.releases import Release, SimulatedTruth

__all__ = (
    "READERS_BEHIND_A_RELEASE",
    "Contribution",
    "Estimate",
    "Fit",
    "FitRequest",
    "FitRequestQuerySet",
    "Hyper",
    "RaterEstimate",
    "Release",
    "SimulatedTruth",
)
