"""Celery carries the doorbell and nothing else: every job is a row in the database."""

import os
from typing import Any

from celery import Celery, Task

from tracker.events import folder

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")


class WorkersTask(Task):
    """What a task writes was done by a worker."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # Models, and so doors, can only be read once Django is set up; this module is read before.
        from tracker.events.doors import Door, through

        with through(Door.WORKER):
            return super().__call__(*args, **kwargs)


folder.install()
app = Celery("plumbline", task_cls=WorkersTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
