"""The Django project: people, their work, what readers say of it, and what follows."""

from tracker.celery import app as celery_app

__all__ = ("celery_app",)
