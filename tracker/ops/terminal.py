"""What `up` says: steps with ticks and bars on a terminal, plain lines anywhere else."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

PLAIN_LINES_PER_BAR = 4


class Terminal:
    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._told: dict[str, int] = {}

    @contextmanager
    def step(self, doing: str, done: str) -> Iterator[None]:
        """Say what is being done, and that it is done."""
        began = time.monotonic()
        if self.console.is_terminal:
            with self.console.status(f"{doing} …"):
                yield
        else:
            self.say(f"{doing} …")
            yield
        seconds = time.monotonic() - began
        self.say(f"[green]✓[/green] {done}" + (f" [dim]({seconds:.1f} s)[/dim]" if seconds >= 0.1 else ""))

    def say(self, text: str = "") -> None:
        self.console.print(text)

    def warn(self, text: str) -> None:
        """Something an operator should see; it comes from logs, so none of it is markup."""
        self.console.print(text, style="yellow", markup=False)

    def show(self, bars: Mapping[str, tuple[int, int]]) -> None:
        """How far long work has come: items done of their total, by what is being done."""
        for name, (done, total) in bars.items():
            if self.console.is_terminal:
                self._draw(name, done, total)
            else:
                self._tell(name, done, total)

    def _draw(self, name: str, done: int, total: int) -> None:
        if self._bars is None:
            columns = (
                TextColumn("  {task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
            )
            self._bars = Progress(*columns, console=self.console)
            self._bars.start()
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total)
        self._bars.update(self._tasks[name], completed=done, total=total)

    def _tell(self, name: str, done: int, total: int) -> None:
        """A few lines for a bar, whatever its total."""
        at = done * PLAIN_LINES_PER_BAR // max(total, 1)
        if at > self._told.get(name, 0):
            self._told[name] = at
            self.say(f"{name}: {done} of {total}")

    def end_bars(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
            self._tasks.clear()

    def table(self, title: str, rows: Mapping[str, str]) -> None:
        """Facts in two columns."""
        table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2))
        for name, value in rows.items():
            table.add_row(name, value)
        self.say()
        self.console.print(table)
