"""The migrated database is made once for each state of the migrations, and copied wherever tests want a fresh one."""

import fcntl
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection

ROOT = Path(__file__).parents[1]


def digest() -> str:
    """Changes with whatever a migrated database depends on."""
    files = [
        *ROOT.glob("tracker/*/migrations/*.py"),
        *ROOT.glob("tracker/*/guards.py"),
        ROOT / "requirements.txt",
    ]
    files += [*ROOT.glob("requirements-web.txt"), *ROOT.glob("tracker/*/management/commands/migrate.py")]
    told = sha256(sys.version.encode())
    for file in sorted(files):
        told.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return told.hexdigest()[:20]


def snapshot() -> Path:
    """The file of a migrated and otherwise empty database; whoever comes first makes it, the others wait."""
    made = Path(tempfile.gettempdir()) / f"plumbline-schema-{os.getuid()}-{digest()}.sqlite3"
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            make(made)
    return made


def make(wanted: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="plumbline-schema-") as folder:
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env={**environment, "PLUMBLINE_VAR": folder}, check=True)
        # Out of the write-ahead log, so that the one file is all of it.
        database = sqlite3.connect(Path(folder) / "plumbline.sqlite3")
        database.execute("PRAGMA journal_mode=DELETE")
        database.close()
        Path(folder, "plumbline.sqlite3").rename(wanted)


def copied(command: Callable[..., Any]) -> Callable[..., Any]:
    """As ``call_command``, but what would migrate the tests' own database copies it."""

    def call(name: str, *args: Any, **options: Any) -> Any:
        # Without migrations the modules say so, and the tables are made from the models.
        if name == "migrate" and isinstance(settings.MIGRATION_MODULES, dict):
            return copy_snapshot()
        return command(name, *args, **options)

    return call


def copy_snapshot() -> None:
    connection.ensure_connection()
    source = sqlite3.connect(snapshot())
    source.backup(connection.connection)
    source.close()


def fresh_database() -> None:
    """For a process with a database of its own."""
    if connection.vendor == "sqlite":
        copy_snapshot()
        connection.close()
    else:
        call_command("migrate", verbosity=0)
