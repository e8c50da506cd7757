"""manage.py doctor: what this machine can and cannot do."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tracker.ops.doctor import Finding, examine


class Command(BaseCommand):
    help = "Look at Python, torch, isolation, folder, disk, database, clock and port, and say what to change."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="The port that `up` will want (8000).")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = list(examine(options["port"]))
        for finding in findings:
            self.stdout.write(line(finding))
        ill = [finding.name for finding in findings if finding.advice and finding.is_fatal]
        if ill:
            raise CommandError(f"Plumbline cannot run here yet: see {', '.join(ill)} above.")


def line(finding: Finding) -> str:
    mark = "✓" if finding.is_well else "✗" if finding.is_fatal else "!"
    return f"{mark} {finding.name}: {finding.fact}" + (f"  {finding.advice}" if finding.advice else "")
