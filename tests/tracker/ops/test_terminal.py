"""What `up` says, on a terminal and anywhere else."""

import io

import pytest
from rich.console import Console

from tracker.ops.terminal import Terminal


@pytest.fixture
def plain():
    return Terminal(Console(file=io.StringIO(), force_terminal=False, width=100))


def said(terminal):
    return terminal.console.file.getvalue()


def test_a_step_ends_with_a_tick(plain):
    with plain.step("Looking", "Looked"):
        pass

    assert said(plain) == "Looking …\n✓ Looked\n"


def test_a_step_that_fails_has_no_tick(plain):
    with pytest.raises(ZeroDivisionError), plain.step("Looking", "Looked"):
        raise ZeroDivisionError

    assert "✓" not in said(plain)


def test_a_bar_is_a_few_lines_where_nobody_watches(plain):
    for done in range(101):
        plain.show({"Grading": (done, 100)})

    assert said(plain).splitlines() == [f"Grading: {done} of 100" for done in (25, 50, 75, 100)]


def test_a_warning_from_a_log_is_shown_as_it_is(plain):
    plain.warn("web: [/bold] ERROR")

    assert said(plain) == "web: [/bold] ERROR\n"


def test_a_bar_is_drawn_where_somebody_watches():
    terminal = Terminal(Console(file=io.StringIO(), force_terminal=True, width=100))

    terminal.show({"Grading": (2, 5)})
    terminal.end_bars()

    assert "2/5" in said(terminal)
