"""manage.py load_demo: the demo cohort, into an empty database."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tracker.errors import RuleBroken
from tracker.ops.demo.loading import load_demo


class Command(BaseCommand):
    help = "Load the demo cohort into an empty database; where it is loaded already, nothing changes."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            program = load_demo()
        except RuleBroken as broken:
            raise CommandError(broken.message) from None
        self.stdout.write(
            f"{program} is loaded: {program.people.count()} people, {program.ratings.count()} ratings."
        )
