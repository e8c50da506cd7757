"""Documentation that a test reads: every variable, command and check is in it."""

from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from tracker.ops.demo.people import EMAILS, KEY, LOGINS, PASSWORD
from tracker.settings import KNOWN_VARIABLES

ROOT = Path(settings.BASE_DIR)
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
OWN_COMMANDS = sorted(name for name, app in get_commands().items() if str(app).startswith("tracker."))


@pytest.mark.parametrize("name", sorted(KNOWN_VARIABLES | {"DATABASE_URL", "CELERY_BROKER_URL", "EMAIL_URL"}))
def test_every_variable_is_described(name):
    assert f"| `{name}` |" in OPERATIONS


@pytest.mark.parametrize("name", OWN_COMMANDS)
def test_every_command_is_described(name):
    assert f"| `{name}" in OPERATIONS


@pytest.mark.parametrize("name", OWN_COMMANDS)
def test_every_command_says_what_it_does(name):
    command = import_module(f"{get_commands()[name]}.management.commands.{name}").Command

    assert command.help.endswith(".")


def test_every_check_is_described():
    source = (ROOT / "tracker" / "ops" / "checks.py").read_text()

    for number in range(1, 8):
        assert f"plumbline.E{number:03}" in source
        assert f"E{number:03}" in OPERATIONS


def test_the_readme_names_the_log_ins_that_are_made():
    readme = (ROOT / "README.md").read_text()

    for text in (PASSWORD, KEY, *(email for who, email in EMAILS.items() if who != "committee")):
        assert text in readme
    assert KEY in LOGINS.values()


def test_the_example_of_an_env_file_names_only_known_variables():
    lines = (ROOT / ".env.example").read_text().splitlines()
    named = {line.lstrip("# ").split("=")[0] for line in lines if "=" in line}

    assert named <= KNOWN_VARIABLES | {"DATABASE_URL", "CELERY_BROKER_URL", "EMAIL_URL"}


def test_the_makefile_has_the_promised_targets():
    makefile = (ROOT / "Makefile").read_text()
    promised = "run test check test-browser test-jail test-reference test-services bench fuzz clean"

    for target in promised.split():
        assert f"\n{target}:" in makefile
