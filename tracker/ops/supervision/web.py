"""What gunicorn reads: its workers end with it, however it ended."""

import os
from typing import Any

from tracker.ops.supervision.lifeline import end_with_parent

worker_class = "gthread"
loglevel = "warning"


def post_fork(server: Any, worker: Any) -> None:
    end_with_parent(os.getppid())
