"""`up`: prepare the folder, start everything as one foreground group, and end it together."""

import http.client
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management import CommandError, call_command
from django.db import connections

from tracker.ops.demo.journey import Journey
from tracker.ops.demo.loading import load_demo
from tracker.ops.demo.people import LOGINS
from tracker.ops.static_files import collect_static_if_changed
from tracker.ops.supervision.group import LOOK_SECONDS, Group, children
from tracker.ops.supervision.places import HOST, alone_in_folder, open_port
from tracker.ops.terminal import Terminal

WEB_ANSWERS_WITHIN_SECONDS = 60.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOPPED_EARLY = "Stopped before anything ran: the next start prepares what is missing."


def run_everything(terminal: Terminal, *, is_demo: bool, port: int) -> None:
    """Until SIGINT or SIGTERM."""
    with alone_in_folder(), open_port(port) as door:
        found = door.getsockname()[1]
        if found != port:
            terminal.say(f"Port {port} is busy: using {found}.")
        try:
            with interrupted_by_every_signal():
                prepare(terminal, is_demo=is_demo)
        except KeyboardInterrupt:
            raise CommandError(STOPPED_EARLY, returncode=130) from None
        over = end_on_signals()
        group = Group(children(door.fileno(), is_demo=is_demo), warn=terminal.warn)
        try:
            group.start()
            Run(terminal, group, address=f"http://{HOST}:{found}/", over=over).until_over(is_demo=is_demo)
        finally:
            terminal.end_bars()
            terminal.say("Ending: what is being graded goes back to the queue.")
            group.end()
            terminal.say("[green]✓[/green] Everything has ended; `make run` starts it again where it was.")


def prepare(terminal: Terminal, *, is_demo: bool) -> None:
    """Database, static files and the demo's people, each only where it is not there already."""
    with terminal.step("Bringing the database up to date", "Database is up to date"):
        call_command("migrate", interactive=False, verbosity=0)
    with terminal.step("Collecting static files", "Static files are collected"):
        collect_static_if_changed()
    if is_demo:
        with terminal.step("Loading the demo cohort", "Demo cohort is loaded"):
            load_demo()
    # Children are new processes, but a handle kept open here would hold SQLite's files for nothing.
    connections.close_all()


@contextmanager
def interrupted_by_every_signal() -> Iterator[None]:
    """SIGTERM and a closed terminal stop a long step as Ctrl-C does; each step is all or nothing."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_on_signals() -> threading.Event:
    over = threading.Event()
    for number in SIGNALS:
        signal.signal(number, lambda *_: over.set())
    return over


def answers(address: tuple[str, int]) -> bool:
    """Whether the pages are up: any answer but an error of ours."""
    web = http.client.HTTPConnection(*address, timeout=5)
    try:
        web.request("GET", "/")
        return web.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        web.close()


class Run:
    """The time between start and end."""

    def __init__(self, terminal: Terminal, group: Group, *, address: str, over: threading.Event) -> None:
        self.terminal = terminal
        self.group = group
        self.address = address
        self.over = over

    def until_over(self, *, is_demo: bool) -> None:
        self.wait_for_pages()
        self.announce(is_demo=is_demo)
        if is_demo:
            self.accompany(Journey(over=self.over))
        self.go_on(lambda: False)

    def go_on(self, is_done: Callable[[], bool]) -> None:
        """Look after the children until something is done, or all is over."""
        while not self.over.is_set() and not is_done():
            self.group.look_after()
            self.over.wait(LOOK_SECONDS)

    def wait_for_pages(self) -> None:
        host, port = self.address.removeprefix("http://").strip("/").split(":")
        deadline = time.monotonic() + WEB_ANSWERS_WITHIN_SECONDS
        with self.terminal.step("Starting web, workers and tick", "Web, workers and tick run"):
            self.go_on(lambda: answers((host, int(port))) or time.monotonic() > deadline)

    def announce(self, *, is_demo: bool) -> None:
        if self.over.is_set():
            return
        rows = {"Address": self.address} | (LOGINS if is_demo else {})
        self.terminal.table("Plumbline is up; Ctrl-C ends it.", rows)

    def accompany(self, journey: Journey) -> None:
        """Show how far the demo's own work has come, then what came of it."""
        journey.start()

        def show() -> bool:
            self.terminal.show(journey.bars)
            return not journey.is_alive()

        self.go_on(show)
        self.terminal.end_bars()
        journey.join(timeout=5)
        if journey.failure:
            self.terminal.warn(journey.failure)
        elif not self.over.is_set():
            self.terminal.table(
                "The demo has done its work.", journey.report() | {"Address": self.address} | LOGINS
            )
