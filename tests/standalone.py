"""Django in a process of its own that a test starts: import this before anything of `tracker`."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
django.setup()
