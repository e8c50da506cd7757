"""A 1 GB file through the real web server: how far the process's memory grows, and what it costs beside plain hashing.

python -m bench.grading_upload [MEGABYTES]

The same bytes are then kept as an upload is (hashed, their header looked at, written) and plainly written, in turns:
what hashing and looking add must go at least as fast as the disk writes. One that is far too large is sent through
the page and the API: both must say so. Exits 1 below the bars.
"""

import http.client
import http.cookies
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command

import bench.throwaway  # noqa: F401 (starts Django)
from tests.factories import make_benchmark, make_cohort, make_mentee, make_program, make_project
from tracker.grading.intake import ArtifactSpool
from tracker.grading.models import Artifact
from tracker.people.models import ApiKey, Scope

MEGABYTES, GROWTH_MEGABYTES, TURNS = 1_000, 64, 3
PIECE = 1_000_000
EDGE = "----------plumbline"


def world(size: int) -> dict[str, str]:
    """A benchmark that takes files of this size, a key, and the cookies of somebody who is logged in."""
    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    cohort = make_cohort(make_program())
    mentee = make_mentee(cohort)
    project, benchmark = make_project(cohort, authors=[mentee]), make_benchmark(cohort.program)
    benchmark.spec["limits"] |= {"max_bytes": size + PIECE, "submissions_per_day": 100}
    benchmark.save(update_fields=["spec"])
    session = SessionStore()
    session["_auth_user_id"], session["_auth_user_backend"] = (
        mentee.user.pk,
        settings.AUTHENTICATION_BACKENDS[0],
    )
    session["_auth_user_hash"] = mentee.user.get_session_auth_hash()
    session.save()
    _, key = ApiKey.objects.issue(program=cohort.program, name="Bench", scopes=list(Scope.values))
    return {
        "project": str(project.public_id),
        "api": f"/api/v1/benchmarks/{benchmark.public_id}/submissions/",
        "page": f"/projects/{project.public_id}/submit/{benchmark.public_id}/",
        "key": key,
        "session": session.session_key or "",
    }


def weights(size: int) -> Iterator[bytes]:
    """A safetensors file of one tensor, in pieces."""
    header = json.dumps(
        {"w": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size // 4 * 4]}}
    ).encode()
    yield struct.pack("<Q", len(header)) + header
    piece = os.urandom(PIECE)
    for _ in range(size // PIECE):
        yield piece


def form(fields: dict[str, str], size: int) -> tuple[int, Iterator[bytes]]:
    """The length and the pieces of a form with a file."""
    head = "".join(
        f'--{EDGE}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    head += f'--{EDGE}\r\nContent-Disposition: form-data; name="file"; filename="model.safetensors"\r\n'
    start, end = (
        f"{head}Content-Type: application/octet-stream\r\n\r\n".encode(),
        f"\r\n--{EDGE}--\r\n".encode(),
    )
    length = len(start) + sum(len(piece) for piece in weights(size)) + len(end)

    def pieces() -> Iterator[bytes]:
        yield start
        yield from weights(size)
        yield end

    return length, pieces()


def send(port: int, path: str, fields: dict[str, str], headers: dict[str, str], size: int) -> tuple[int, str]:
    """As a browser does: everything first, then the answer."""
    length, pieces = form(fields, size)
    web = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    kind = {"Content-Type": f"multipart/form-data; boundary={EDGE}", "Content-Length": str(length)}
    web.request("POST", path, body=pieces, headers={**headers, **kind})
    answer = web.getresponse()
    return answer.status, answer.read().decode(errors="replace")


def token(port: int, path: str, session: str) -> tuple[str, str]:
    """The form's token, and the cookie that belongs to it."""
    web = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    web.request("GET", path, headers={"Cookie": f"sessionid={session}"})
    answer = web.getresponse()
    cookies = http.cookies.SimpleCookie(answer.headers["Set-Cookie"])
    page = answer.read().decode()
    return page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0], cookies["csrftoken"].value


def children(parent: int) -> list[Path]:
    return [Path("/proc", pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def processor_seconds(parent: int) -> float:
    """What the workers of the web server have used so far."""
    ticks = [(place / "stat").read_text().rsplit(")", 1)[1].split()[11:13] for place in children(parent)]
    return sum(int(user) + int(system) for user, system in ticks) / os.sysconf("SC_CLK_TCK")


def peak_kilobytes(parent: int) -> int:
    """The largest that a worker of the web server has been."""
    status = [(place / "status").read_text() for place in children(parent)]
    return max(int(text.split("VmHWM:")[1].split()[0]) for text in status)


def kept(size: int) -> float:
    """Seconds to take the bytes in as an upload is: hashed, recognised by their header, on the disk."""
    began = time.perf_counter()
    with ArtifactSpool("model.safetensors", max_bytes=2 * size) as spool:
        for piece in weights(size):
            spool.take(piece)
        sync(spool.file)
    return time.perf_counter() - began


def written(size: int) -> float:
    """Seconds to write the same bytes to the same disk, and nothing else."""
    began = time.perf_counter()
    with tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as file:
        for piece in weights(size):
            file.write(piece)
        sync(file)
    return time.perf_counter() - began


def sync(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


def main(megabytes: int) -> int:
    size = megabytes * PIECE
    told = world(size)
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    command = f"-m gunicorn tracker.wsgi:application --threads 4 --timeout 900 --bind 127.0.0.1:{port}"
    server = subprocess.Popen([sys.executable, *command.split()], stderr=subprocess.DEVNULL)
    try:
        return measure(port, told, size, server.pid)
    finally:
        server.terminate()
        server.wait(60)


def measure(port: int, told: dict[str, str], size: int, server: int) -> int:
    by_key = {"Authorization": f"Bearer {told['key']}"}
    wait_for(port)
    send(port, told["api"], {"project": told["project"]}, by_key, PIECE)
    before = peak_kilobytes(server)
    began, used = time.perf_counter(), processor_seconds(server)
    status, _ = send(port, told["api"], {"project": told["project"]}, by_key, size)
    took, used = time.perf_counter() - began, processor_seconds(server) - used
    grown = (peak_kilobytes(server) - before) / 1024
    stored = Artifact.objects.order_by("-size").first()
    is_whole = status == 201 and stored is not None and stored.format == "safetensors" and stored.size > size
    print(
        f"{size / 1e9:g} GB of weights, answer {status}: the web process grew by {grown:.0f} MiB"
        f" (bar {GROWTH_MEGABYTES}) and used {used:.1f} s of processor time;"
        f" {size / 1e6 / took:.0f} MB/s by the clock at load {os.getloadavg()[0]:.1f}"
    )
    keeps_up = is_at_disk_speed(size)
    are_told = too_large(port, told, by_key, size)
    return 0 if is_whole and grown < GROWTH_MEGABYTES and keeps_up and are_told else 1


def is_at_disk_speed(size: int) -> bool:
    turns = [(kept(size), written(size)) for _ in range(TURNS)]
    ours, disk = (min(times) for times in zip(*turns, strict=True))
    added = max(ours - disk, 1e-9)
    print(
        f"kept in {ours:.1f} s, plainly written in {disk:.1f} s: hashing and the header go at"
        f" {size / 1e6 / added:.0f} MB/s, {disk / added:.2f} times as fast as the disk writes (bar 1)"
    )
    return disk >= added


def too_large(port: int, told: dict[str, str], by_key: dict[str, str], size: int) -> bool:
    """Half as much again as the benchmark takes, by both doors."""
    much = size * 3 // 2
    status, said = send(port, told["api"], {"project": told["project"]}, by_key, much)
    value, cookie = token(port, told["page"], told["session"])
    cookies = {"Cookie": f"sessionid={told['session']}; csrftoken={cookie}"}
    page_status, page = send(port, told["page"], {"csrfmiddlewaretoken": value}, cookies, much)
    sentence = "that this benchmark takes"
    print(
        f"{much / 1e9:g} GB, more than it takes: the API answers {status}, the page {page_status}, each with a sentence"
    )
    return (status, page_status) == (413, 422) and sentence in said and sentence in page


def wait_for(port: int) -> None:
    for _ in range(600):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else MEGABYTES))
