"""The children together: which there are, looked after until the end, and their warnings on the terminal."""

import re
import time
from collections.abc import Callable, Sequence

from tracker.ops.supervision.children import Child

# Longer than a worker takes to give back what it grades.
GRACE_SECONDS = 8.0
LOOK_SECONDS = 0.1
TROUBLE = re.compile(r"\b(WARNING|ERROR|CRITICAL|Traceback)\b")


def children(listening: int, *, is_demo: bool) -> list[Child]:
    """Web on an open socket, a worker for gradings, one for fits and mail, and the tick."""
    environment = {"PLUMBLINE_DEMO": "1"} if is_demo else {}
    web = (
        "gunicorn tracker.wsgi:application --threads 16 --graceful-timeout 3 --no-control-socket"
        f" --config python:tracker.ops.supervision.web --bind fd://{listening}"
    )
    celery = "celery -A tracker worker -P prefork --loglevel INFO"
    quiet = "--without-gossip --without-mingle --without-heartbeat"
    # Two processes for fits: a quick one must not wait behind the integrated one.
    commands = {
        "web": web,
        "grading": f"{celery} -c 1 {quiet} -n grading@%h -Q grade.cpu,grade.gpu",
        "fits": f"{celery} -c 2 {quiet} -n fits@%h -Q fit,mail",
        "tick": "manage tick",
    }
    # The fits' matrices are small: threads of the linear algebra would only wait for each other.
    alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    own = {"fits": alone, "web": alone}
    return [
        Child(
            name,
            command.split(),
            environment | own.get(name, {}),
            inherits=(listening,) if name == "web" else (),
        )
        for name, command in commands.items()
    ]


class Group:
    """Keeps children alive until it is told to end."""

    def __init__(self, members: Sequence[Child], *, warn: Callable[[str], None]) -> None:
        self.members = members
        self.warn = warn
        self._read_to: dict[str, int] = {}

    def start(self) -> None:
        for child in self.members:
            self._read_to[child.name] = child.log.stat().st_size if child.log.exists() else 0
            child.start()

    def look_after(self) -> None:
        """One round: start again what has ended, and show what went wrong."""
        for child in self.members:
            self._show_trouble(child)
            if said := child.look_after():
                self.warn(said)

    def _show_trouble(self, child: Child) -> None:
        if not child.log.exists():
            return
        size = child.log.stat().st_size
        if size < self._read_to[child.name]:
            self._read_to[child.name] = 0
        if size == self._read_to[child.name]:
            return
        with child.log.open("rb") as log:
            log.seek(self._read_to[child.name])
            news = log.read(size - self._read_to[child.name])
        whole = news[: news.rfind(b"\n") + 1]
        self._read_to[child.name] += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            if TROUBLE.search(line):
                self.warn(f"{child.name}: {line[:300]}")

    def end(self) -> None:
        """Ask all to end, wait a little, and end the rest with everything that they started."""
        for child in self.members:
            child.ask_to_end()
        deadline = time.monotonic() + GRACE_SECONDS
        while any(child.is_running for child in self.members) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        for child in self.members:
            child.end()
