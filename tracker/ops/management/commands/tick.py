"""manage.py tick: rounds every second, until told to end."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from tracker.ops.tick import tick


class Command(BaseCommand):
    help = "Ring for fits that are due, take back what lost workers held, deliver events; until told to end."

    def handle(self, *args: Any, **options: Any) -> None:
        over = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: over.set())
        tick(is_over=over.is_set)
