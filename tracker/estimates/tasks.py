"""The thinnest door to the fits."""

from celery import shared_task

from tracker.estimates.refresh import refresh_due


@shared_task
def fit() -> None:
    """Do every fit that is due; being rung twice, or never, does no harm."""
    refresh_due()
