"""At the end of a test run: what it left out, and which command runs that."""

from collections import Counter
from typing import Any

import pytest

COMMANDS = {
    "browser": "make test-browser",
    "jail": "make test-jail",
    "reference": "make test-reference",
    "services": "make test-services",
}
left_out: Counter[str] = Counter()


def pytest_deselected(items: list[pytest.Item]) -> None:
    for item in items:
        left_out.update(tier for tier in COMMANDS if item.get_closest_marker(tier))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker process of xdist hands over what it left out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = dict(left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker leaves out the same, so one of them is enough."""
    left_out.clear()
    left_out.update(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    skipped = Counter(str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", ()))
    if not left_out and not skipped:
        return
    terminalreporter.section("left out")
    for tier, count in sorted(left_out.items()):
        terminalreporter.line(f"{count:4} tests of the tier {tier}: {COMMANDS[tier]}")
    for reason, count in sorted(skipped.items()):
        terminalreporter.line(f"{count:4} skipped here: {reason.removeprefix('Skipped: ')}")
