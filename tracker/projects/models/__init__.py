"""What people work on, and what comes of it."""

from tracker.projects.models.claims import Claim, ClaimQuerySet, Ground
from tracker.projects.models.contents import StoredFile
from tracker.projects.models.course import Bottleneck, Pivot
from tracker.projects.models.credit import Credit, CreditQuerySet
from tracker.projects.models.milestones import (
    DateForecast,
    DateForecastQuerySet,
    Milestone,
    MilestoneQuerySet,
)
from tracker.projects.models.outputs import AlreadyHere, Output, OutputQuerySet
from tracker.projects.models.projects import (
    Project,
    ProjectQuerySet,
    TeamMember,
    TeamMemberQuerySet,
)
from tracker.projects.models.references import Reference, ReferenceQuerySet
from tracker.projects.models.reviews import HAZARDS, ReleasePolicy, ReleaseReview
from tracker.projects.models.statements import (
    CreditConfirmation,
    CreditObjection,
    CreditStatement,
    StatedShare,
)
from tracker.projects.models.versions import OutputVersion, OutputVersionQuerySet

__all__ = [
    "HAZARDS",
    "AlreadyHere",
    "Bottleneck",
    "Claim",
    "ClaimQuerySet",
    "Credit",
    "CreditConfirmation",
    "CreditObjection",
    "CreditQuerySet",
    "CreditStatement",
    "DateForecast",
    "DateForecastQuerySet",
    "Ground",
    "Milestone",
    "MilestoneQuerySet",
    "Output",
    "OutputQuerySet",
    "OutputVersion",
    "OutputVersionQuerySet",
    "Pivot",
    "Project",
    "ProjectQuerySet",
    "Reference",
    "ReferenceQuerySet",
    "ReleasePolicy",
    "ReleaseReview",
    "StatedShare",
    "StoredFile",
    "TeamMember",
    "TeamMemberQuerySet",
]
