"""manage.py reap: one round of what the tick does, for hosts that call it from a timer."""

from typing import Any

from django.core.management.base import BaseCommand

from tracker.ops.tick import sweep


class Command(BaseCommand):
    help = "Take back what lost workers held, ring for what waits, deliver events; once."

    def handle(self, *args: Any, **options: Any) -> None:
        done = sweep()
        self.stdout.write(
            f"{done['runs']} runs and {done['fits']} fits taken back, {done['events']} deliveries made."
        )
