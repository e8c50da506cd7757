"""What people work on, and what comes of it."""

from tracker.projects.models.outputs import Credit, CreditQuerySet, Output, OutputQuerySet
from tracker.projects.models.projects import (
    DateForecast,
    DateForecastQuerySet,
    Milestone,
    MilestoneQuerySet,
    Project,
    ProjectQuerySet,
    TeamMember,
    TeamMemberQuerySet,
)

__all__ = [
    "Credit",
    "CreditQuerySet",
    "DateForecast",
    "DateForecastQuerySet",
    "Milestone",
    "MilestoneQuerySet",
    "Output",
    "OutputQuerySet",
    "Project",
    "ProjectQuerySet",
    "TeamMember",
    "TeamMemberQuerySet",
]
