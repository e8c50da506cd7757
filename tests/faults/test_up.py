"""`up` from start to end: it starts, ends without orphans, starts again in the same folder, and loses nothing."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.faults.workers import surroundings

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("up"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks for orphans in /proc"),
]
PATIENCE_SECONDS = 120.0
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One folder for all tests: each finds what the one before it left."""
    return surroundings(tmp_path_factory.mktemp("up"))


@contextmanager
def up(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`up` once its pages answer, with their address; what is left of it is killed at the end."""
    command = [sys.executable, "manage.py", "up", "--port", "18000"]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process, address_from(process)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def address_from(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if found := ADDRESS.search(line):
            return found.group()
    pytest.fail(f"up ended before its pages were up: {''.join(said)}")


def family_of(folder: str) -> set[int]:
    """Every living process that was started for this folder."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            variables = (place / "environ").read_bytes().split(b"\0")
            state = (place / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if f"PLUMBLINE_VAR={folder}".encode() in variables and state != "Z":
            found.add(int(place.name))
    return found - {os.getpid()}


def comes_true(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.1)
    return is_so()


def nobody_is_left(folder: str) -> bool:
    return comes_true(lambda: not family_of(folder))


def test_it_ends_cleanly_and_starts_again_in_the_same_folder(environment):
    folder = environment["PLUMBLINE_VAR"]
    for number in (signal.SIGINT, signal.SIGTERM):
        with up(environment) as (process, address):
            with urlopen(address, timeout=30) as page:
                assert page.status == 200
            process.send_signal(number)
            assert process.wait(PATIENCE_SECONDS) == 0

        assert nobody_is_left(folder)


def test_killed_itself_it_leaves_no_orphan(environment):
    folder = environment["PLUMBLINE_VAR"]
    with up(environment) as (process, _):
        assert comes_true(lambda: len(family_of(folder)) >= 5)

        process.kill()

        assert nobody_is_left(folder)


def test_a_second_one_on_the_same_folder_is_refused_in_one_sentence(environment):
    with up(environment) as (process, _):
        second = subprocess.run(
            [sys.executable, "manage.py", "up"], env=environment, capture_output=True, text=True, check=False
        )

    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert f"process {process.pid}" in second.stderr


def test_a_child_that_is_killed_comes_back(environment):
    folder = environment["PLUMBLINE_VAR"]
    with up(environment) as (_, address):
        tick = next(pid for pid in family_of(folder) if b"tick" in Path(f"/proc/{pid}/cmdline").read_bytes())

        os.kill(tick, signal.SIGKILL)

        assert comes_true(lambda: ticks(folder, other_than=tick))
        with urlopen(address, timeout=30) as page:
            assert page.status == 200


def ticks(folder: str, *, other_than: int) -> bool:
    lines = {pid: Path(f"/proc/{pid}/cmdline") for pid in family_of(folder) - {other_than}}
    return any(line.exists() and b"tick" in line.read_bytes() for line in lines.values())
