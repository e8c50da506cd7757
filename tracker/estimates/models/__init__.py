"""FitRequest, Fit, Estimate, RaterEstimate, Contribution, GateChance, Release, SimulatedTruth, Viewing."""

from tracker.estimates.models.chances import GateChance
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
from tracker.estimates.models.viewings import Viewing

__all__ = (
    "READERS_BEHIND_A_RELEASE",
    "Contribution",
    "Estimate",
    "Fit",
    "FitRequest",
    "FitRequestQuerySet",
    "GateChance",
    "Hyper",
    "RaterEstimate",
    "Release",
    "SimulatedTruth",
    "Viewing",
)
