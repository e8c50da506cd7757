"""Feedback, Support, Pulse."""

from tracker.mentoring.models.feedback import Feedback, FeedbackQuerySet
from tracker.mentoring.models.pulses import Pulse, PulseQuerySet
from tracker.mentoring.models.supports import Support, SupportQuerySet

__all__ = (
    "Feedback",
    "FeedbackQuerySet",
    "Pulse",
    "PulseQuerySet",
    "Support",
    "SupportQuerySet",
)
