"""What `up` takes hold of before it starts anything: its folder, alone, and a port."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError

HOST = "127.0.0.1"
PORTS_TRIED = 20


@contextmanager
def alone_in_folder() -> Iterator[None]:
    """Nobody else runs `up` on this folder; the lock goes with the process, however it ends."""
    path = Path(settings.VAR_DIR) / "run" / "up.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CommandError(
                f"Plumbline runs on {settings.VAR_DIR} already (process {lock.read().strip()}):"
                " end that one first, or set PLUMBLINE_VAR to another folder."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def open_port(wanted: int) -> socket.socket:
    """A socket on the wanted port, or on the next one that nobody has; it stays open while web is restarted."""
    for port in (*range(wanted, min(wanted + PORTS_TRIED, 65_536)), 0):
        door = socket.socket()
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((HOST, port))
        except OSError:
            door.close()
            continue
        return door
    raise CommandError(f"No port is free on {HOST}: end a program that listens, or give another --port.")
