"""The thinnest door to the fits."""

import time

from celery import shared_task
from django.conf import settings

from tracker.estimates.models import FitRequest
from tracker.estimates.refresh import refresh_due


@shared_task
def fit() -> None:
    """Do every fit that is due or soon will be; being rung twice, or never, does no harm."""
    FitRequest.objects.reap()
    refresh_due()
    if FitRequest.objects.waiting().exists():
        time.sleep(settings.FIT_PAUSE.total_seconds())
        refresh_due()
