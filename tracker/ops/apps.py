"""Tells Django of the checks that run before anything starts."""

from importlib import import_module

from django.apps import AppConfig


class Operations(AppConfig):
    name = "tracker.ops"

    def ready(self) -> None:
        import_module("tracker.ops.checks")
