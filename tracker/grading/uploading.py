"""A benchmark that comes as an archive: taken in within limits, unpacked by our own reader, checked, installed."""

import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import HttpRequest

from evals.grading.archives import STORED, Member, zip_members
from evals.grading.benchmarks import DECLARATION
from evals.grading.limits import GIBIBYTE, MEBIBYTE, Limits
from evals.grading.refusals import Refused, readable
from tracker.errors import RuleBroken
from tracker.grading.installing import install_benchmark
from tracker.grading.models import Benchmark
from tracker.people.models import Program
from tracker.projects.uploads import Spool, Upload

LARGEST_ARCHIVE = GIBIBYTE
LIMITS = Limits(max_bytes=LARGEST_ARCHIVE, max_unpacked_bytes=2 * GIBIBYTE, max_files=1000)
CHECK_SECONDS = 120


class BenchmarkForm(forms.Form):
    program = forms.ModelChoiceField(Program.objects.none())
    slug = forms.SlugField(
        label="Short name",
        help_text="Letters, digits, dashes. That of a standing benchmark makes a new version of it; the old one stays.",
    )
    file = forms.FileField(
        label="Archive",
        required=False,
        help_text=f"A .zip of the folder with {DECLARATION}, of at most {readable(LARGEST_ARCHIVE)}.",
    )

    def __init__(self, *args: Any, programs: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        only = programs[0] if len(programs) == 1 else None
        self.fields["program"] = forms.ModelChoiceField(programs, initial=only)


def watch(request: HttpRequest) -> Upload:
    """Hold the limits from the first byte; call it before anything reads the request's body."""
    sentence = f"The archive is larger than {readable(LARGEST_ARCHIVE)}: leave out what no grading needs."

    def spool_for(name: str) -> Spool:
        return Spool(name, max_bytes=LARGEST_ARCHIVE, too_large=sentence)

    upload = Upload(request, spool_for)
    request.upload_handlers = [upload]
    return upload


def install(upload: Upload, values: dict[str, Any], *, by: UUID | None = None) -> Benchmark:
    """Install what one request brought, wholly or not at all."""
    upload.judge()
    if upload.spool is None or not upload.spool.size:
        raise RuleBroken("Choose the archive of the benchmark.", code="file-missing", field="file")
    with unpacked(upload.spool.file) as folder:
        check(folder)
        return install_benchmark(values["program"], folder, slug=values["slug"], by=by)


@contextmanager
def unpacked(archive: BinaryIO) -> Iterator[Path]:
    """The benchmark's folder, in a temporary place that goes away."""
    place = Path(tempfile.mkdtemp(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="benchmark-"))
    try:
        for member in zip_members(archive, LIMITS):
            unpack(archive, member, place)
        yield root_of(place)
    except Refused as refused:
        raise RuleBroken(refused.message, code=refused.code, field="file") from None
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise RuleBroken(
            "A name in the archive is a file and a folder at once: make it again.",
            code="bad-archive",
            field="file",
        ) from None
    finally:
        shutil.rmtree(place)


def unpack(archive: BinaryIO, member: Member, place: Path) -> None:
    """One file in pieces, no longer than it declares and with the checksum that it declares."""
    target = place / member.name
    target.parent.mkdir(parents=True, exist_ok=True)
    size = checksum = 0
    with target.open("xb") as file:
        for piece in pieces(archive, member):
            size, checksum = size + len(piece), zlib.crc32(piece, checksum)
            if size > member.size:
                raise Refused("size-mismatch")
            file.write(piece)
    if (size, checksum) != (member.size, member.checksum):
        raise Refused("size-mismatch")


def pieces(archive: BinaryIO, member: Member) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(-15)
    left = member.packed
    archive.seek(member.start)
    try:
        while left > 0 and (chunk := archive.read(min(left, MEBIBYTE))):
            left -= len(chunk)
            if member.method == STORED:
                yield chunk
                continue
            while chunk:
                yield unpacker.decompress(chunk, MEBIBYTE)
                chunk = unpacker.unconsumed_tail
        yield unpacker.flush() if member.method != STORED else b""
    except zlib.error:
        raise Refused("bad-archive") from None


def root_of(place: Path) -> Path:
    """The folder itself was packed, or what is in it."""
    found = [path.parent for path in (place / DECLARATION, *place.glob(f"*/{DECLARATION}")) if path.is_file()]
    if len(found) != 1:
        raise RuleBroken(
            f"The archive holds one folder with one {DECLARATION}: pack it so.",
            code="bad-benchmark",
            field="file",
        )
    return found[0]


def check(folder: Path) -> None:
    """The same check as on the command line, in a process of its own: it reads labels and may need torch."""
    command = [sys.executable, "-m", "evals.grading", "check", str(folder)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=settings.BASE_DIR, timeout=CHECK_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise RuleBroken(
            f"Checking it took longer than {CHECK_SECONDS} s: make it smaller.",
            code="bad-benchmark",
            field="file",
        ) from None
    if done.returncode != 0:
        said = " ".join(done.stderr.split()).removeprefix("failed ").removeprefix("refused ")
        if "Traceback" in said:
            said = "It could not be checked: try `python -m evals.grading check` on it."
        raise RuleBroken(said.replace(str(folder), "the folder")[:500], code="bad-benchmark", field="file")
