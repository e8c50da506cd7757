"""Attacks on the jail: each is tried by code that runs inside it, and looked at from outside."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evals.grading.benchmarks import load_benchmark
from evals.grading.jail import isolation
from evals.grading.limits import MEBIBYTE
from evals.grading.phases import PHASES, GradeRequest, run_phase
from evals.grading.processes import descendants, memory_of_group
from evals.grading.refusals import ChildCrashed, Refused
from evals.grading.reproduction import rerun
from evals.grading.running import Watch
from evals.grading.scoring import Scorer
from tests.evals.grading.makers import make_benchmark, make_zip

pytestmark = pytest.mark.jail
SECRET = "sesame-open-37"
HARMLESS = ("nothing", "empty", "bad-output", "code-failed", "over-memory")
# The reader's end of the pipe is no file of the script's; it may guess at it all the same.
INTO_THE_PIPE = """
import os
for process in filter(str.isdigit, os.listdir("/proc")):
    for number in range(16):
        try:
            os.write(os.open(f"/proc/{process}/fd/{number}", os.O_WRONLY | os.O_NONBLOCK), %s)
        except OSError:
            pass
os._exit(0)
"""
FILL = """
import itertools
for place in ("/tmp", "/dev/shm", "."):
    for number in itertools.count():
        open(f"{place}/{number}", "wb").write(bytes(1 << 20))
"""
MANY_FILES = """
import itertools
for number in itertools.count():
    open(f"/tmp/{number}", "wb").close()
"""
DAEMONS = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for number in range(8):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
        os._exit(0)
"""
WRITE = "open('predictions.csv', 'w').write('id,pred\\n1,%d\\n2,1\\n' % bool(found))\n"


@pytest.fixture(scope="module", autouse=True)
def walls():
    """The tests mean nothing behind lesser walls, so they fail there and say why."""
    assert isolation().is_full, f"Full isolation is missing here ({isolation().why}); install bubblewrap."


@pytest.fixture
def benchmark(tmp_path):
    limits = {"code_seconds": 3.0, "memory_bytes": 256 * MEBIBYTE}
    return load_benchmark(make_benchmark(tmp_path / "b", limits=limits, formats=["csv", "code"]))


def attempt(script: str, benchmark, tmp_path: Path) -> str:
    """Run a script in the jail: "found" or "nothing" by what it says, or the code of its refusal."""
    (tmp_path / "a.zip").write_bytes(make_zip({"train.py": script.encode()}))
    try:
        answers = rerun(tmp_path / "a.zip", benchmark, seed=1, watch=Watch())
    except Refused as error:
        return error.code
    except ChildCrashed:
        return "crashed"
    return "found" if answers["classes"][0] else "nothing"


def looks(body: str) -> str:
    """A script whose body sets ``found``; an error in it means that nothing was found."""
    lines = "".join(f"    {line}\n" for line in body.strip().split("\n"))
    return f"import os, socket, ctypes, sys\nfound = False\ntry:\n{lines}except Exception:\n    pass\n{WRITE}"


def test_honest_code_works_and_says_so(benchmark, tmp_path):
    assert attempt(looks("found = os.path.exists('data/inputs.csv')"), benchmark, tmp_path) == "found"


@pytest.mark.parametrize(
    "body",
    [
        "found = bool(open('/etc/shadow').read())",
        "found = bool(open('/etc/passwd').read())",
        f"found = bool(os.listdir({str(Path.cwd())!r}))",
        f"found = bool(open({str(Path('tracker/settings.py').resolve())!r}).read())",
        "found = bool(os.listdir('/code/evals/grading/demo'))",
        "found = any(b'sesame' in open(f'/proc/{p}/environ', 'rb').read() for p in os.listdir('/proc') if p.isdigit())",
        "found = any('sesame' in value for value in os.environ.values())",
        "open('/code/evals/x', 'w').write('x'); found = True",
        "open('/dev/x', 'w').write('x'); found = True",
        "open('/x', 'w').write('x'); found = True",
        "os.mkfifo('predictions.csv'); found = True",
        "os.symlink('/etc/passwd', 'predictions.csv'); found = os.path.exists('predictions.csv')",
        "socket.socket(); found = True",
        "socket.socket(socket.AF_UNIX); found = True",
        "os.memfd_create('x'); found = True",
        "found = ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0",
        "found = ctypes.CDLL(None).unshare(0x10000000) == 0",
        "found = ctypes.CDLL(None, use_errno=True).syscall(272, 0x10000000) == 0",
        "found = ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, 0) == 0",
        "found = ctypes.CDLL(None).syscall(425, 8, 0) >= 0",
        "found = ctypes.CDLL(None).shmget(0, 4096, 0o1600) >= 0",
        "os.setuid(0); found = os.geteuid() == 0",
        "found = os.geteuid() == 0",
        "os.kill(1, 0); found = len([p for p in os.listdir('/proc') if p.isdigit()]) > 8",
        "open('big', 'wb').truncate(1 << 40); found = True",
        "f = open('/dev/shm/x', 'wb'); f.write(bytes(8 << 20)); f.flush(); found = True",
        "for n in range(400):\n    open(f'fill{n}', 'wb').write(bytes(1 << 20))\nfound = True",
    ],
)
def test_it_finds_nothing_and_changes_nothing(benchmark, tmp_path, monkeypatch, body):
    monkeypatch.setenv("PLUMBLINE_SECRET", SECRET)

    assert attempt(looks(body), benchmark, tmp_path) in HARMLESS


def test_a_host_port_and_an_abstract_socket_are_out_of_reach(benchmark, tmp_path):
    with socket.socket(socket.AF_UNIX) as abstract, socket.create_server(("127.0.0.1", 0)) as server:
        abstract.bind("\0plumbline-test")
        abstract.listen()
        port = server.getsockname()[1]
        body = f"socket.create_connection(('127.0.0.1', {port}), 1); found = True"

        assert attempt(looks(body), benchmark, tmp_path) == "nothing"


@pytest.mark.parametrize(
    ("script", "codes"),
    [
        ("import time; time.sleep(60)", {"over-time"}),
        ("while True: pass", {"over-time"}),
        ("import ctypes; ctypes.CDLL(None).pause()", {"over-time"}),
        ("import signal; signal.signal(15, signal.SIG_IGN)\nwhile True: pass", {"over-time"}),
        ("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", {"over-time", "over-memory"}),
        ("x = bytearray(1 << 30)", {"code-failed", "over-memory"}),
        (
            "import os\nfor _ in range(20):\n    if os.fork() == 0:\n        x = bytearray(60 << 20)\n"
            "        x[::4096] = b'1' * len(x[::4096])\n"
            "        import time; time.sleep(30)\nimport time; time.sleep(30)",
            {"over-memory"},
        ),
        ("import os\nwhile True: os.write(1, bytes(1 << 20))", {"over-time"}),
        ("import os\nfd = os.open(f'/proc/{os.getppid()}/fd/1', 1)\nwhile True: os.write(fd, bytes(1 << 20))",
         {"over-output", "crashed", "code-failed"}),
        ("import os; os.abort()", {"code-failed"}),
        ("import os, signal; os.kill(os.getppid(), 9)", {"crashed", "code-failed"}),
        ("import os; os._exit(0)", {"bad-output"}),
        ("import os, signal; os.kill(os.getppid(), 19)\nimport time; time.sleep(60)", {"over-time"}),
        ("import os; os.kill(-1, 9)", {"crashed", "code-failed"}),
        ("import os; os.kill(1, 9); os.killpg(os.getpgid(os.getppid()), 9)", {"crashed", "code-failed"}),
        (INTO_THE_PIPE % "b'garbage' * 4096", {"crashed", "over-output", "bad-output"}),
        (INTO_THE_PIPE % r"b'\xff' * 65536", {"crashed", "over-output", "bad-output"}),
        (INTO_THE_PIPE % "bytes(1)", {"crashed", "over-output", "bad-output"}),
        (FILL, {"code-failed", "over-memory"}),
        (MANY_FILES, {"code-failed", "over-memory", "over-time"}),
        ("open('predictions.csv', 'wb').truncate(1 << 31)", {"over-output", "code-failed", "over-memory"}),
        ("open('predictions.csv', 'wb').write(b'\\x80\\x04N.')", {"unsafe-format", "bad-encoding"}),
        ("import os\nif os.fork():\n    while True: pass\n" + DAEMONS, {"over-time", "over-memory"}),
    ],
)  # fmt: skip
def test_what_uses_too_much_is_ended(benchmark, tmp_path, script, codes):
    started = time.monotonic()

    code = attempt(script, benchmark, tmp_path)

    assert code in codes
    assert time.monotonic() - started < 30
    assert len(descendants(os.getpid())) == 1


@pytest.mark.parametrize(
    "script", [DAEMONS, "import os; os.kill(os.getppid(), 9)", INTO_THE_PIPE % "bytes(1)"]
)
def test_what_one_submission_breaks_is_whole_for_the_next(benchmark, tmp_path, script):
    attempt(script, benchmark, tmp_path)

    assert attempt(looks("found = os.path.exists('data/inputs.csv')"), benchmark, tmp_path) == "found"
    assert len(descendants(os.getpid())) == 1


def test_a_daemon_does_not_outlive_its_jail(benchmark, tmp_path):
    script = (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        time.sleep(600)\n    os._exit(0)\n" + WRITE.replace("found", "1")
    )

    assert attempt(script, benchmark, tmp_path) == "found"
    assert len(descendants(os.getpid())) == 1


def test_a_killed_worker_takes_its_jail_along(benchmark, tmp_path):
    (tmp_path / "a.zip").write_bytes(make_zip({"train.py": b"import time; time.sleep(60)"}))
    script = (
        "from pathlib import Path\nfrom evals.grading.benchmarks import load_benchmark\n"
        "from evals.grading.running import Watch\nfrom evals.grading.reproduction import rerun\n"
        f"rerun(Path({str(tmp_path / 'a.zip')!r}), load_benchmark({str(benchmark.folder)!r}), seed=1, watch=Watch())"
    )
    worker = subprocess.Popen([sys.executable, "-c", script])
    # The walls' own processes, the reader, and the script that it has started by then.
    everybody = 6 if isolation().own_user else 4
    family = wait_for(
        lambda: [pid for pid in descendants(worker.pid) if pid != worker.pid], at_least=everybody
    )
    assert len(family) >= everybody

    worker.send_signal(signal.SIGKILL)
    worker.wait()

    gone = wait_for(lambda: [pid for pid in family if not is_alive(pid)], at_least=len(family))
    assert set(gone) == set(family)


TRAIN = b"""
import sys, numpy as np
seed = int(sys.argv[sys.argv.index("--seed") + 1])
rows = open("data/inputs.csv").read().split()[1:]
guess = np.random.default_rng(seed).random(len(rows)) < 0.2
with open("predictions.csv", "w") as out:
    out.write("id,pred\\n" + "".join(f"{r},{(int(r) + int(g)) % 2}\\n" for r, g in zip(rows, guess)))
"""


def test_code_is_graded_over_several_seeds(tmp_path):
    rows = "".join(f"{n},{n % 2}\n" for n in range(200))
    folder = make_benchmark(tmp_path / "b", labels=f"id,label\n{rows}", formats=["code"], seeds_required=3)
    (tmp_path / "a.zip").write_bytes(make_zip({"train.py": TRAIN}))
    request = GradeRequest(load_benchmark(folder), tmp_path / "a.zip", device="cpu")

    with Scorer(device="cpu") as scorer:
        results = [run_phase(phase, request, scorer=scorer) for phase in PHASES]

    row = results[-1].measurements[0]
    assert [result.state for result in results] == ["succeeded"] * 3
    assert len(set(row["seeds"])) > 1
    assert row["value"] == pytest.approx(sum(row["seeds"]) / 3)
    assert row["value"] == pytest.approx(0.8, abs=0.08)
    assert row["standard_error"] > 0.02
    assert results[-1].record["isolation"] == "full"


def wait_for(look, *, at_least: int) -> list[int]:
    """What ``look`` gives once it gives enough, within ten seconds."""
    ends = time.monotonic() + 10
    while len(found := look()) < at_least and time.monotonic() < ends:
        time.sleep(0.05)
    return found


def is_alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_memory_is_counted_over_the_whole_family():
    child = subprocess.Popen(
        [sys.executable, "-c", "x = bytearray(64 << 20); input()"], stdin=subprocess.PIPE
    )
    try:
        time.sleep(0.5)
        assert memory_of_group(child.pid) > 64 * MEBIBYTE
    finally:
        child.kill()
        child.communicate()
