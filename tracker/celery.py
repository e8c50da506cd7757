"""Celery carries the doorbell and nothing else: every job is a row in the database."""

import os

from celery import Celery

from tracker.events import folder

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")

folder.install()
app = Celery("plumbline")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
