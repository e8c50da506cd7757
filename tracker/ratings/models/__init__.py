"""How outputs are judged: by which rubric, by whom, in which order, and who should not."""

from tracker.ratings.models.assignments import (
    Assignment,
    AssignmentQuerySet,
    ReadingPlan,
    ReadingPlanQuerySet,
)
from tracker.ratings.models.conflicts import Closeness, Conflict, ConflictQuerySet
from tracker.ratings.models.forecasts import Forecast, ForecastQuerySet, Outlook, OutlookQuerySet
from tracker.ratings.models.ratings import Rating, RatingQuerySet, Score, ScoreQuerySet
from tracker.ratings.models.rubrics import (
    Criterion,
    CriterionQuerySet,
    Question,
    QuestionQuerySet,
    Rubric,
    RubricQuerySet,
)
from tracker.ratings.models.sightings import Sighting, SightingQuerySet
from tracker.ratings.models.words import Reply, ReplyQuerySet, Unsent, UnsentQuerySet

__all__ = (
    "Assignment",
    "AssignmentQuerySet",
    "Closeness",
    "Conflict",
    "ConflictQuerySet",
    "Criterion",
    "CriterionQuerySet",
    "Forecast",
    "ForecastQuerySet",
    "Outlook",
    "OutlookQuerySet",
    "Question",
    "QuestionQuerySet",
    "Rating",
    "RatingQuerySet",
    "ReadingPlan",
    "ReadingPlanQuerySet",
    "Reply",
    "ReplyQuerySet",
    "Rubric",
    "RubricQuerySet",
    "Score",
    "ScoreQuerySet",
    "Sighting",
    "SightingQuerySet",
    "Unsent",
    "UnsentQuerySet",
)
