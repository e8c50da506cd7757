"""What this machine can and cannot do for Plumbline, each fact looked at and not assumed."""

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from evals.grading.jail import isolation
from tracker.grading.models import Run, Worker
from tracker.ops.guards import missing_guards
from tracker.ops.readback import effective_configuration
from tracker.ops.supervision.places import HOST

OLDEST_PYTHON = (3, 11)
SMALLEST_FREE_BYTES = 1_000_000_000
LARGEST_CLOCK_DIFFERENCE_SECONDS = 5.0
# This program is younger than that, so a clock before it is wrong.
EARLIEST_NOW = datetime(2025, 1, 1, tzinfo=UTC)
TORCH_FACTS = (
    "import json, torch; print(json.dumps({'version': torch.__version__,"
    " 'cuda': torch.cuda.get_device_name() if torch.cuda.is_available() else ''}))"
)


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``advice`` is empty when it is well."""

    name: str
    fact: str
    advice: str = ""
    is_fatal: bool = True

    @property
    def is_well(self) -> bool:
        return not self.advice


def examine(port: int) -> Iterator[Finding]:
    looks: tuple[Callable[[], Finding], ...] = (python, torch, jail, folder, disk, database, queues, clock)
    for look in looks:
        yield look()
    yield port_is_free(port)
    yield Finding("Configuration", effective_configuration())


def python() -> Finding:
    is_new = sys.version_info >= OLDEST_PYTHON
    return Finding("Python", platform.python_version(), "" if is_new else "Install Python 3.11 or newer.")


def torch() -> Finding:
    """Asked in a process of its own: this one must not load it."""
    asked = subprocess.run([sys.executable, "-c", TORCH_FACTS], capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        advice = "Grading needs torch: install requirements.txt (a host for pages alone does without)."
        return Finding("torch", "missing", advice, is_fatal=False)
    told = json.loads(asked.stdout)
    if settings.GRADING_DEVICE == "cuda" and not told["cuda"]:
        return Finding("torch", f"{told['version']}, no GPU", "Set PLUMBLINE_DEVICE to auto or cpu.")
    return Finding("torch", f"{told['version']} on {told['cuda'] or 'CPU'}")


def jail() -> Finding:
    found = isolation()
    if found.level == "full":
        return Finding("Isolation", "full")
    advice = f"{found.why} Results are marked as graded in reduced isolation."
    return Finding("Isolation", found.level, advice, is_fatal=False)


def folder() -> Finding:
    place = Path(settings.VAR_DIR)
    try:
        with tempfile.NamedTemporaryFile(dir=place):
            pass
    except OSError as error:
        return Finding(
            "Folder", str(place), f"It cannot be written ({error}): set PLUMBLINE_VAR to one that can."
        )
    return Finding("Folder", f"{place} can be written")


def disk() -> Finding:
    free = shutil.disk_usage(settings.VAR_DIR).free
    advice = "" if free >= SMALLEST_FREE_BYTES else "Make room: uploads and the database need at least 1 GB."
    return Finding("Disk", f"{free / 1e9:.1f} GB free", advice)


def database() -> Finding:
    try:
        plan = unapplied_migrations()
    except Error as error:
        return Finding("Database", "does not answer", f"Look at DATABASE_URL ({type(error).__name__}).")
    if plan:
        advice = "Run `manage.py migrate`, or `up`, which does."
        return Finding("Database", f"{plan} migrations to come", advice, is_fatal=False)
    if missing := missing_guards(connection):
        advice = "Run `manage.py migrate`: it puts them back."
        return Finding("Database", f"{len(missing)} rules are not held by triggers", advice)
    return Finding("Database", f"{connection.vendor}, up to date")


def unapplied_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def queues() -> Finding:
    """Whether somebody comes for every run that waits."""
    try:
        alive, waiting = Worker.objects.alive(), Run.objects.free().count()
        fact = f"{alive.count()} grading workers at work, {waiting} runs wait"
        if Run.objects.overdue().exists() and not alive:
            return Finding("Queues", fact, "Start a worker for grade.cpu, or `up`.", is_fatal=False)
        if stranded := Run.objects.stranded().count():
            advice = f"{stranded} need a GPU, and no worker with one is there: start one for grade.gpu."
            return Finding("Queues", fact, advice, is_fatal=False)
    except Error:
        return Finding("Queues", "not looked at: the database is not ready")
    return Finding("Queues", fact)


def clock() -> Finding:
    """Leases end by the database's clock, dates are shown by this machine's: they must agree."""
    here = datetime.now(UTC)
    if here < EARLIEST_NOW:
        return Finding("Clock", f"{here:%Y-%m-%d %H:%M} UTC", "Set this machine's clock.")
    if connection.vendor == "sqlite":
        return Finding("Clock", f"{here:%Y-%m-%d %H:%M} UTC")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT now()")
            apart = abs((cursor.fetchone()[0] - here).total_seconds())
    except Error:
        return Finding("Clock", f"{here:%Y-%m-%d %H:%M} UTC, not compared with the database's")
    advice = "" if apart <= LARGEST_CLOCK_DIFFERENCE_SECONDS else "Set both clocks by the same time server."
    return Finding("Clock", f"{apart:.1f} s from the database's", advice)


def port_is_free(port: int) -> Finding:
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((HOST, port))
        except OSError as error:
            advice = "`up` will take the next free one; name another with --port."
            return Finding("Port", f"{port}: {os.strerror(error.errno or 0)}", advice, is_fatal=False)
    return Finding("Port", f"{port} is free")
