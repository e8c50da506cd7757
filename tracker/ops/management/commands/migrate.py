"""manage.py migrate: Django's own, and afterwards the rules that the database keeps by triggers are in place."""

import gc
from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from tracker.ops.guards import drop_guards, install_guards


class Command(migrate.Command):
    help = f"{migrate.Command.help} Rules that need triggers are set down afterwards."

    def handle(self, *args: Any, **options: Any) -> None:
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        # Migrating makes and drops models by the thousand; looking for garbage takes a third of the time.
        gc.disable()
        connection = connections[options["database"]]
        connection.prepare_database()
        drop_guards(connection)
        try:
            super().handle(*args, **options)
        finally:
            install_guards(connection)
            gc.enable()
