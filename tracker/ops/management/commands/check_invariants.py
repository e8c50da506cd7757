"""manage.py check_invariants: what must hold in the database as a whole."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tracker.ops.invariants import breaches, invariants


class Command(BaseCommand):
    help = "Ask the database for rows that break what must hold across tables; fails with a list of them."

    def handle(self, *args: Any, **options: Any) -> None:
        found = breaches()
        for breach in found:
            self.stderr.write(f"✗ {breach}")
        if found:
            raise CommandError(f"{len(found)} of {len(invariants())} invariants do not hold: see above.")
        self.stdout.write(f"✓ All {len(invariants())} invariants hold.")
