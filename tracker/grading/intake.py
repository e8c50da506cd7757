"""How an artifact comes in: counted, sniffed and hashed while it streams, then stored under its hash."""

import hashlib
import os
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.base import File
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.http import HttpRequest

from evals.grading.refusals import Refused, readable
from evals.grading.sniffing import SNIFF_BYTES, sniff
from tracker.errors import RuleBroken
from tracker.grading.models import Artifact, Benchmark

# What is read and thrown away after a refusal, so that the sender's program gets to read the answer.
DRAINED_BYTES = 256 * 1024 * 1024


class Spool(TemporaryUploadedFile):
    """Bytes on their way in, in a temporary file that goes away unless it is stored."""

    file: Any
    size: int
    name: str

    def __init__(self, name: str, *, max_bytes: int) -> None:
        super().__init__("upload", "application/octet-stream", 0, None)
        self.name = name or "upload"
        self.max_bytes = max_bytes
        self.format = ""
        self.first_bytes = b""
        self.digest = hashlib.sha256()

    def take(self, chunk: bytes) -> None:
        """Keep a piece, unless the whole is now known to be too large or of a kind that no reader opens."""
        self.size += len(chunk)
        if self.size > self.max_bytes:
            raise too_large(self.max_bytes)
        self.digest.update(chunk)
        self.file.write(chunk)
        if not self.format:
            self.first_bytes += chunk[:SNIFF_BYTES]
            if len(self.first_bytes) >= SNIFF_BYTES:
                self.recognise()

    def recognise(self) -> None:
        try:
            self.format = sniff(self.first_bytes, self.name)
        except Refused as refused:
            raise RuleBroken(refused.message, code=refused.code, field="file") from None

    def store(self) -> Artifact:
        """Move it to its place under its hash, in one step; the same bytes again are the same artifact."""
        if not self.format:
            self.recognise()
        artifact = Artifact(sha256=self.digest.hexdigest(), size=self.size, format=self.format)
        artifact.path.parent.mkdir(parents=True, exist_ok=True)
        self.file.flush()
        os.fsync(self.file.fileno())
        os.replace(self.temporary_file_path(), artifact.path)
        self.close()
        values = {"size": artifact.size, "format": artifact.format}
        return Artifact.objects.get_or_create(sha256=artifact.sha256, defaults=values)[0]


class Intake(FileUploadHandler):
    """Takes one request's upload for one benchmark, and stops keeping bytes at the first reason to refuse."""

    def __init__(self, request: HttpRequest, *, max_bytes: int) -> None:
        super().__init__(request)
        self.max_bytes = max_bytes
        self.spool: Spool | None = None
        self.refusal: RuleBroken | None = None
        self.announced = int(request.META.get("CONTENT_LENGTH") or 0)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.spool is None:
            self.spool = Spool(self.file_name or "", max_bytes=self.max_bytes)
        elif self.refusal is None:
            self._refuse(RuleBroken("Send one file at a time.", code="several-files", field="file"))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.spool is None or self.refusal is not None:
            return
        try:
            self.spool.take(raw_data)
        except RuleBroken as refusal:
            self._refuse(refusal)

    def _refuse(self, refusal: RuleBroken) -> None:
        """Throw the rest away as it comes, so that the form's other fields still arrive; far too much is cut off."""
        self.refusal = refusal
        self.upload_interrupted()
        if self.announced > DRAINED_BYTES:
            raise StopUpload(connection_reset=True)

    def file_complete(self, file_size: int) -> Spool | None:
        return self.spool if self.refusal is None else None

    def upload_interrupted(self) -> None:
        if self.spool is not None:
            self.spool.close()

    def receive(self, upload: Any, benchmark: Benchmark) -> Artifact:
        """Store what this request brought, or say why it is refused."""
        if self.refusal is not None:
            raise self.refusal
        return receive(upload, benchmark)


class NoFiles(FileUploadHandler):
    """What every page has unless it says otherwise: a file is thrown away as it comes, and far too much is cut off."""

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: Any, encoding: Any = None
    ) -> None:
        if content_length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig("This request is larger than any page takes.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        raise SkipFile

    def file_complete(self, file_size: int) -> None:
        return None


def watch(request: HttpRequest, benchmark: Benchmark) -> Intake:
    """Hold the benchmark's limits from the first byte; call it before anything reads the request's body."""
    intake = Intake(request, max_bytes=benchmark.max_bytes)
    request.upload_handlers = [intake]
    return intake


def receive(upload: File | None, benchmark: Benchmark) -> Artifact:
    """Store a file for a benchmark under its hash, or say why it is refused."""
    if upload is None:
        raise RuleBroken("Choose the file that you want to submit.", code="file-missing", field="file")
    if isinstance(upload, Spool):
        return upload.store()
    with Spool(os.path.basename(upload.name or ""), max_bytes=benchmark.max_bytes) as spool:
        for chunk in upload.chunks():
            spool.take(chunk)
        return spool.store()


def too_large(max_bytes: int) -> RuleBroken:
    return RuleBroken(
        f"The file is larger than the {readable(max_bytes)} that this benchmark takes: send a smaller one.",
        code="too-big",
        field="file",
    )
