"""Lesser walls: what remains without namespaces, and that it is said."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from evals.grading import jail, seccomp
from evals.grading.benchmarks import load_benchmark
from evals.grading.jail import Cell, Isolation
from evals.grading.phases import GradeRequest, run_phase
from evals.grading.refusals import Refused
from evals.grading.reproduction import rerun
from evals.grading.running import Watch
from tests.evals.grading.makers import make_benchmark, make_zip

linux = pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux's")
BESIDE = """
import json, os, sys
sys.path.insert(0, sys.argv[2])
from evals.grading import confine, reader
confine.confine(json.loads(sys.argv[1]), full=False, parent=os.getppid(), readable=reader.readable_places())
import evals.grading.frames, numpy
def tried(path):
    try:
        open(path).close()
        return "done"
    except OSError:
        return "refused"
print(json.dumps([tried(path) for path in sys.argv[3:]]))
"""
CONFINED = """
import json, os, socket, sys
from evals.grading.confine import confine
cell = json.loads(sys.argv[1])
confine(cell, full=False, parent=os.getppid(), readable=[sys.base_prefix, *sys.path, "/usr/lib", "/lib"])
def tried(deed):
    try:
        deed()
        return "done"
    except OSError:
        return "refused"
print(json.dumps([tried(deed) for deed in (
    lambda: open("/etc/passwd").read(),
    lambda: open("/tmp/plumbline-escape", "w"),
    lambda: os.fork(),
    lambda: os.execv("/bin/true", ["true"]),
    lambda: socket.socket(),
    lambda: os.memfd_create("x"),
    lambda: os.kill(os.getpid(), 0),
)]))
"""


@pytest.fixture
def reduced(monkeypatch):
    """As on a machine without bubblewrap."""
    monkeypatch.setattr("evals.grading.jail.shutil.which", lambda name: None)
    jail.isolation.cache_clear()
    yield
    jail.isolation.cache_clear()


def test_it_grades_with_reduced_isolation_and_says_so(reduced, tmp_path):
    benchmark = load_benchmark(make_benchmark(tmp_path / "b"))
    (tmp_path / "a.csv").write_text("id,pred\n1,0\n2,1\n")

    result = run_phase("qualification", GradeRequest(benchmark, tmp_path / "a.csv"))

    assert result.state == "succeeded"
    assert result.record["isolation"] == "reduced"
    assert "bubblewrap is not installed" in result.record["isolation_why"]


def test_code_is_not_run_with_reduced_isolation(reduced, tmp_path):
    benchmark = load_benchmark(make_benchmark(tmp_path / "b", formats=["csv", "code"]))
    (tmp_path / "a.zip").write_bytes(make_zip({"train.py": b"print(1)"}))

    with pytest.raises(Refused) as refused:
        rerun(tmp_path / "a.zip", benchmark, seed=1, watch=Watch())

    assert refused.value.code == "needs-isolation"


@linux
def test_a_confined_process_reads_writes_starts_and_calls_nothing():
    cell = json.dumps(asdict(Cell(memory=1 << 30, seconds=5)))

    done = subprocess.run([sys.executable, "-c", CONFINED, cell], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == ["refused"] * 6 + ["done"]
    assert not Path("/tmp/plumbline-escape").exists()


@linux
def test_what_lies_beside_our_package_is_not_readable_without_namespaces_either():
    cell = json.dumps(asdict(Cell(memory=1 << 30, seconds=5)))
    beside = [str(Path(name).resolve()) for name in ("README.md", "tracker/settings.py", "evals/__init__.py")]

    command = [sys.executable, "-c", BESIDE, cell, str(Path.cwd()), *beside]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")

    assert json.loads(done.stdout) == ["refused", "refused", "done"]


def test_where_walls_cannot_be_put_up_the_weaker_kind_is_chosen(monkeypatch):
    monkeypatch.setattr("evals.grading.jail.shutil.which", lambda name: f"/nowhere/{name}")
    jail.isolation.cache_clear()

    found = jail.isolation()

    jail.isolation.cache_clear()
    assert isinstance(found, Isolation)
    assert (found.level, found.is_full) == ("reduced", False)


@pytest.mark.parametrize("machine", seccomp.MACHINES)
def test_every_jump_of_the_filter_lands_inside_it(machine):
    for alone in (True, False):
        code = seccomp.program(alone=alone, machine=machine)
        lines = list(seccomp.INSTRUCTION.iter_unpack(code))
        assert len(lines) < 4096
        for place, (operation, when_true, when_false, _) in enumerate(lines):
            if operation & 0x07 == 0x05:
                assert place + 1 + max(when_true, when_false) < len(lines)
        assert lines[-1][0] == seccomp.RETURN
