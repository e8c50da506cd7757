"""The README's tour of the API does what it shows: its commands are taken from there and run as they stand."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

pytestmark = [pytest.mark.timeout(180), pytest.mark.enable_socket]
ROOT = Path(__file__).resolve().parents[2]
KEY = "plb_a-key-for-the-tour"
SERVER = "-m gunicorn tracker.wsgi --threads 4 --log-level warning --bind"


def commands() -> str:
    """Every command between the tour's marks, in order."""
    text = (ROOT / "README.md").read_text()
    tour = re.search(r"<!-- tour -->(.*?)<!-- /tour -->", text, re.DOTALL)
    assert tour is not None, "README.md has no tour between its marks."
    return "\n".join(re.findall(r"```bash\n(.*?)```", tour.group(1), re.DOTALL))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "static").mkdir()
    ours = {"PLUMBLINE_VAR": str(tmp_path), "PLUMBLINE_FIT_PAUSE_SECONDS": "0", "OMP_NUM_THREADS": "1"}
    kept = {
        name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "CELERY_BROKER_URL")
    }
    return {**kept, **ours, "PYTHONPATH": str(ROOT)}


@contextmanager
def running(arguments: list[str], environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, *arguments], env=environment, cwd=ROOT)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(address: str) -> None:
    """Wait until the server answers anything at all."""
    patience = [
        "--silent",
        "--retry",
        "60",
        "--retry-delay",
        "1",
        "--retry-connrefused",
        "--output",
        "/dev/null",
    ]
    subprocess.run(["curl", *patience, address], check=True)


@pytest.fixture
def api(environment: dict[str, str]) -> Iterator[str]:
    """A real server with a worker beside it, on a database of its own."""
    world = "-m tests.tracker.tour_world"
    subprocess.run([sys.executable, *world.split(), "prepare"], env=environment, cwd=ROOT, check=True)
    address = f"127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        stack.enter_context(running([*SERVER.split(), address], environment))
        stack.enter_context(running([*world.split(), "work"], environment))
        answers(f"http://{address}/api/v1/")
        yield f"http://{address}/api/v1"


@pytest.mark.skipif(
    shutil.which("curl") is None, reason="the tour is made of curl commands, and curl is missing"
)
def test_the_tour_of_the_readme_does_what_it_shows(api, environment, tmp_path):
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    (tmp_path / "var").mkdir()
    settings = {"API": api, "KEY": KEY, "PYTHON": sys.executable}

    for _ in range(2):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands()],
            env=environment | settings,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        assert re.search(r"accuracy: 0\.\d{3} \(95 %: 0\.\d{3} to 0\.\d{3}\)", done.stdout)
        assert '"interval"' in done.stdout
