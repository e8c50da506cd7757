"""A grading worker's own rounds: it says that it is there, and takes back what others lost."""

import logging
import threading
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.db import Error, connection

from tracker.grading.models import Queue, Run, Worker

logger = logging.getLogger(__name__)

ROUND_SECONDS = 15.0
# Looked at instead of asking torch, which the worker must not load.
GPU_DEVICE = Path("/dev/nvidiactl")


def has_gpu() -> bool:
    """Whether this machine's graders compute on a GPU."""
    return settings.GRADING_DEVICE == "cuda" or (settings.GRADING_DEVICE == "auto" and GPU_DEVICE.exists())


class Rounds:
    """A thread of the worker's first process; the pool's processes grade and have no time for it."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, name: str, queues: Iterable[str]) -> None:
        served = sorted(queue for queue in queues if queue != Queue.GPU or has_gpu())
        self._over.clear()
        self._thread = threading.Thread(target=self._go, args=(name, served), name="rounds", daemon=True)
        self._thread.start()

    def _go(self, name: str, queues: list[str]) -> None:
        while True:
            try:
                one_round(name, queues)
            except Error as error:
                logger.warning("A round was left out: %s", error)
            finally:
                # The pool's processes are forked from this one: none may inherit an open connection.
                connection.close()
            if self._over.wait(ROUND_SECONDS):
                return

    def stop(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join(timeout=5)


def one_round(name: str, queues: list[str]) -> None:
    Worker.objects.see(name, queues=queues)
    Run.objects.reap()


rounds = Rounds()
