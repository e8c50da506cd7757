"""A reader that has loaded a model waits for its own submission's next phase, frozen, and for nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from evals.grading import answering, warm
from evals.grading.benchmarks import load_benchmark
from evals.grading.phases import GradeRequest, run_phase
from evals.grading.processes import descendants
from evals.grading.refusals import Stopped
from tests.evals.grading.makers import make_benchmark, make_npz, make_safetensors

LINEAR = {"name": "linear", "kind": "linear", "inputs": 3, "classes": 2}


@pytest.fixture
def readers(monkeypatch):
    """The table of readers, empty before and after; every phase asks the model anew."""
    monkeypatch.setattr(answering.KEPT, "put", lambda key, found: None)
    warm.READERS.make_room(0)
    yield warm.READERS
    warm.READERS.make_room(0)


@pytest.fixture
def request_for(tmp_path):
    """A request to grade a small linear model."""
    labels = "id,label\n" + "".join(f"{n},{n % 2}\n" for n in range(20))
    data = {"inputs": "inputs.npz", "labels": "hidden/labels.csv"}
    folder = make_benchmark(tmp_path / "b", labels=labels, data=data, formats=["safetensors"])
    with (folder / "benchmark.toml").open("a") as stream:
        stream.write("\n[[architectures]]\n" + "".join(f"{k} = {v!r}\n" for k, v in LINEAR.items()))
    x = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
    (folder / "inputs.npz").write_bytes(make_npz(id=np.arange(20), x=x))
    benchmark = load_benchmark(folder)

    def made(*, weight: float = 1.0, submitter: str = "one") -> GradeRequest:
        path = tmp_path / f"{weight}.safetensors"
        path.write_bytes(make_safetensors({"weight": np.eye(2, 3) * weight, "bias": np.zeros(2)}))
        return GradeRequest(benchmark, path, submitter=submitter, device="cpu")

    return made


def child_of(readers) -> int:
    """The process id of the one reader that waits."""
    (reader,) = readers.waiting.values()
    return int(reader.supervisor.child.pid)


def states(pid: int) -> set[str]:
    """The states of a process and all below it."""
    return {
        Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()[0] for member in descendants(pid)
    }


def test_the_next_phase_of_a_submission_asks_the_same_reader(readers, request_for):
    run_phase("qualification", request_for())
    first = child_of(readers)

    result = run_phase("safety", request_for())

    assert result.state == "succeeded"
    assert child_of(readers) == first


@pytest.mark.parametrize("other", [{"submitter": "two"}, {"weight": 2.0}])
def test_another_submission_gets_a_reader_of_its_own(readers, request_for, other):
    run_phase("qualification", request_for())
    first = child_of(readers)

    run_phase("qualification", request_for(**other))

    pids = [reader.supervisor.child.pid for reader in readers.waiting.values()]
    assert len(set(pids)) == 2
    assert pids[0] == first


def test_no_more_readers_wait_than_may(readers, request_for):
    for submitter in ("one", "two", "three"):
        run_phase("qualification", request_for(submitter=submitter))

    assert [key[0] for key in readers.waiting] == ["two", "three"]


def test_a_reader_that_waits_is_frozen(readers, request_for):
    run_phase("qualification", request_for())

    assert states(child_of(readers)) == {"T"}


def test_a_reader_that_died_while_it_waited_is_replaced(readers, request_for):
    run_phase("qualification", request_for())
    dead = child_of(readers)
    os.killpg(dead, signal.SIGKILL)
    readers.waiting[next(iter(readers.waiting))].supervisor.child.wait()

    result = run_phase("safety", request_for())

    assert result.state == "succeeded"
    assert child_of(readers) != dead


def test_a_reader_that_waits_too_long_is_ended(readers, request_for, monkeypatch):
    monkeypatch.setattr(warm, "IDLE_SECONDS", 0.2)
    before = set(descendants(os.getpid()))
    run_phase("qualification", request_for())
    (reader,) = readers.waiting.values()

    reader.supervisor.child.wait(10)

    assert set(descendants(os.getpid())) <= before


def test_a_reader_that_holds_too_much_does_not_wait(readers, request_for, monkeypatch):
    monkeypatch.setattr(warm, "KEPT_BYTES", 1)
    before = set(descendants(os.getpid()))

    run_phase("qualification", request_for())

    assert not readers.waiting
    assert set(descendants(os.getpid())) <= before


def test_a_reader_without_time_left_is_replaced(readers, request_for):
    run_phase("qualification", request_for())
    first = child_of(readers)
    readers.waiting[next(iter(readers.waiting))].seconds_left = 1.0

    run_phase("safety", request_for())

    assert child_of(readers) != first


def test_a_killed_worker_takes_its_frozen_reader_along(readers, request_for):
    request = request_for()
    script = (
        "import os, signal\nfrom pathlib import Path\nfrom evals.grading import answering, warm\n"
        "from evals.grading.benchmarks import load_benchmark\n"
        "from evals.grading.phases import GradeRequest, run_phase\n"
        "from evals.grading.processes import descendants\n"
        f"benchmark = load_benchmark({str(request.benchmark.folder)!r})\n"
        f"run_phase('qualification', GradeRequest(benchmark, Path({str(request.artifact)!r}), device='cpu'))\n"
        "(reader,) = warm.READERS.waiting.values()\n"
        "print(*descendants(reader.supervisor.child.pid), flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )

    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=False)
    family = [int(pid) for pid in done.stdout.split()]

    assert family
    assert gone(family)


def gone(pids: list[int]) -> bool:
    """Whether all of these processes end within ten seconds."""
    ends = time.monotonic() + 10
    while any(is_alive(pid) for pid in pids) and time.monotonic() < ends:
        time.sleep(0.05)
    return not any(is_alive(pid) for pid in pids)


def is_alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_stopping_ends_a_warm_reader_too(readers, request_for):
    run_phase("qualification", request_for())
    before = set(descendants(child_of(readers)))

    with pytest.raises(Stopped):
        run_phase("safety", request_for(), should_stop=lambda: True)

    assert not readers.waiting
    assert not before & set(descendants(os.getpid()))
