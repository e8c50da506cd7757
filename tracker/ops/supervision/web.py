"""What gunicorn reads: its workers end with it, however it ended, and are ready before their first request."""

import gc
import os
from typing import Any

from django.urls import get_resolver

from tracker.ops.supervision.lifeline import end_with_parent

worker_class = "gthread"
loglevel = "warning"


def post_fork(server: Any, worker: Any) -> None:
    end_with_parent(os.getppid())


def post_worker_init(worker: Any) -> None:
    """Load every page now, and let the collector look no more through what stays for the worker's life.

    A request that makes ten thousand rows sets the collector off many times; without this it spends a third of such
    a request looking through modules that never go away.
    """
    assert get_resolver().url_patterns
    gc.collect()
    gc.freeze()
