"""Children are started, started again, ended with everything they started, and never outlive their parent."""

import gc
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import CommandError

from tracker.ops.supervision import children as children_module
from tracker.ops.supervision.children import Child, ending, make_room, pause_after
from tracker.ops.supervision.group import Group, children
from tracker.ops.supervision.places import alone_in_folder, open_port
from tracker.ops.supervision.web import post_worker_init

PATIENCE_SECONDS = 30.0


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    return tmp_path


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module that a child runs, and where it leaves its process ids."""

    def write(code: str) -> str:
        (tmp_path / "child_of_a_test.py").write_text(code)
        return "child_of_a_test"

    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return write


def wait_until(is_so) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.05)
    return False


def is_alive(pid: int) -> bool:
    """A process that has ended and waits for its parent counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_child_that_ends_is_started_again_after_a_pause(module, monkeypatch):
    monkeypatch.setattr(children_module, "FIRST_PAUSE_SECONDS", 0.01)
    child = Child("short", [module("print('once')")])
    said = []

    def look():
        said.append(child.look_after())
        return child.log.exists() and child.log.read_text().count("once") >= 2

    assert wait_until(look)
    child.end()
    assert any("short ended (exit code 0)" in line for line in said)


def test_pauses_grow_and_have_an_end():
    pauses = [pause_after(ends) for ends in range(1, 12)]

    assert pauses == sorted(pauses)
    assert pauses[0] < 1 < pauses[-1] == children_module.LONGEST_PAUSE_SECONDS


def test_an_ending_is_told_in_words():
    assert ending(-9) == "signal SIGKILL"
    assert ending(3) == "exit code 3"


def test_ending_a_group_ends_what_a_deaf_child_started(module, tmp_path, monkeypatch):
    monkeypatch.setattr("tracker.ops.supervision.group.GRACE_SECONDS", 0.5)
    code = (
        "import os, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)'])\n"
        f"open({str(tmp_path / 'pids')!r}, 'w').write(f'{{os.getpid()}} {{other.pid}}\\n')\n"
        "time.sleep(100)\n"
    )
    group = Group([Child("deaf", [module(code)])], warn=print)
    group.start()
    assert wait_until(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text().endswith("\n"))

    group.end()

    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert wait_until(lambda: not any(is_alive(pid) for pid in pids))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_child_dies_with_a_parent_that_was_killed(module, tmp_path):
    name = module(
        f"import os, time\nopen({str(tmp_path / 'pid')!r}, 'w').write(f'{{os.getpid()}}\\n')\ntime.sleep(100)\n"
    )
    parent_code = (
        "import os, subprocess, sys, time\n"
        "lifeline = [sys.executable, '-m', 'tracker.ops.supervision.lifeline', str(os.getpid())]\n"
        f"subprocess.Popen([*lifeline, {name!r}])\n"
        "time.sleep(100)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", parent_code])
    assert wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().endswith("\n"))
    child = int((tmp_path / "pid").read_text())

    parent.kill()
    parent.wait()

    assert wait_until(lambda: not is_alive(child))


def test_warnings_in_a_log_reach_the_terminal_and_the_rest_does_not(tmp_path):
    shown = []
    child = Child("web", ["unused"])
    child.log.parent.mkdir()
    child.log.write_text("an old ERROR\n")
    group = Group([child], warn=shown.append)
    group._read_to["web"] = child.log.stat().st_size
    with child.log.open("a") as log:
        log.write("INFO all is well\n12:00 WARNING something is not\n12:01 ERROR half a li")

    group._show_trouble(child)

    assert shown == ["web: 12:00 WARNING something is not"]


def test_a_log_that_has_grown_large_becomes_the_old_one(tmp_path, monkeypatch):
    monkeypatch.setattr(children_module, "LARGEST_LOG_BYTES", 3)
    log = tmp_path / "log" / "web.log"
    log.parent.mkdir()
    log.write_text("12345")

    make_room(log)

    assert not log.exists()
    assert log.with_suffix(".log.old").read_text() == "12345"


def test_a_second_start_on_the_same_folder_is_refused_by_process():
    with alone_in_folder(), pytest.raises(CommandError, match=f"process {os.getpid()}"), alone_in_folder():
        pytest.fail("two ups on one folder")


def test_the_folder_is_free_again_after_the_end():
    with alone_in_folder():
        pass
    with alone_in_folder():
        assert True


def test_a_busy_port_gives_way_to_the_next():
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        taken = busy.getsockname()[1]

        with open_port(taken) as door:
            found = door.getsockname()[1]

    assert found != taken


def test_there_are_four_children_and_only_web_holds_the_door():
    members = {child.name: child for child in children(7, is_demo=True)}

    assert list(members) == ["web", "grading", "fits", "tick"]
    assert [name for name, child in members.items() if child.inherits] == ["web"]
    assert "grade.cpu,grade.gpu" in members["grading"].arguments
    assert all(child.environment["PLUMBLINE_DEMO"] == "1" for child in members.values())


def test_a_web_worker_looks_no_more_through_what_stays():
    try:
        post_worker_init(None)
        frozen = gc.get_freeze_count()
    finally:
        gc.unfreeze()

    assert frozen > 10_000
