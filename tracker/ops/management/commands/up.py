"""manage.py up: web, workers and tick as one foreground group."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from tracker.ops.running import run_everything
from tracker.ops.terminal import Terminal


class Command(BaseCommand):
    help = "Start web, a grading worker, a worker for fits and mail, and the tick; Ctrl-C ends all of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--demo", action="store_true", help="Load the demo cohort and grade its submissions."
        )
        parser.add_argument("--port", type=int, default=8000, help="The port of the pages (8000).")

    def handle(self, *args: Any, **options: Any) -> None:
        run_everything(Terminal(), is_demo=options["demo"], port=options["port"])
