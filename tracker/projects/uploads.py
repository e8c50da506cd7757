"""How a file comes in: counted and hashed while it streams, then stored under its hash in one step."""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.http import HttpRequest

from tracker.errors import RuleBroken
from tracker.projects.models import StoredFile

# What is read and thrown away after a refusal: no browser reads the answer before it has sent everything.
DRAINED_BYTES = 16 * 1024**3
# A form's other fields, and the lines between them.
FORM_BYTES = 1024 * 1024
OUTPUT_BYTES = 50_000_000
# What people show their work in. Nothing of it is opened here, and none of it runs when it is opened.
SUFFIXES = (
    ".pdf",
    ".txt",
    ".md",
    ".tex",
    ".bib",
    ".csv",
    ".tsv",
    ".json",
    ".jsonl",
    ".ipynb",
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".mp4",
    ".odt",
    ".odp",
    ".docx",
    ".pptx",
    ".zip",
)


class Spool(TemporaryUploadedFile):
    """Bytes on their way in, in a temporary file that goes away unless it is stored."""

    file: Any
    size: int
    name: str
    field = "file"

    def __init__(self, name: str, *, max_bytes: int, too_large: str) -> None:
        super().__init__("upload", "application/octet-stream", 0, None)
        self.name = name or "upload"
        self.max_bytes = max_bytes
        self.too_large = too_large
        self.digest = hashlib.sha256()

    def take(self, chunk: bytes) -> None:
        """Keep a piece, unless the whole is now known to be too large."""
        self.size += len(chunk)
        if self.size > self.max_bytes:
            raise RuleBroken(self.too_large, code="too-big", field=self.field)
        self.digest.update(chunk)
        self.file.write(chunk)

    def move_to(self, path: Path) -> None:
        """Put it in its place in one step, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file.flush()
        os.fsync(self.file.fileno())
        os.replace(self.temporary_file_path(), path)
        self.close()


class OutputSpool(Spool):
    """A file that is an output, or a part of one."""

    def __init__(self, name: str) -> None:
        limit = f"{OUTPUT_BYTES // 1_000_000} MB"
        super().__init__(
            name, max_bytes=OUTPUT_BYTES, too_large=f"The file is larger than {limit}: link to it instead."
        )

    def store(self) -> StoredFile:
        """The same bytes again are the same file."""
        if not self.name.lower().endswith(SUFFIXES):
            raise RuleBroken(
                f"Send a file that ends in one of {', '.join(SUFFIXES)}, or a link.",
                code="wrong-format",
                field="file",
            )
        stored = StoredFile(sha256=self.digest.hexdigest(), size=self.size)
        self.move_to(stored.path)
        return StoredFile.objects.get_or_create(sha256=stored.sha256, defaults={"size": stored.size})[0]


class Upload(FileUploadHandler):
    """Takes one file of one request, and stops keeping bytes at the first reason to refuse.

    ``beside`` names the fields of further files, each with the spool that takes it.
    """

    # Sixteen times Django's own: of a gigabyte that comes in small pieces half the work is to cut it up.
    chunk_size = 1024 * 1024

    def __init__(
        self,
        request: HttpRequest,
        spool_for: Callable[[str], Spool],
        *,
        beside: Mapping[str, Callable[[str], Spool]] | None = None,
    ) -> None:
        super().__init__(request)
        self.spool_for = spool_for
        self.beside = dict(beside or {})
        self.spool: Spool | None = None
        self.spools: list[Spool] = []
        self.refusal: RuleBroken | None = None
        self.announced = int(request.META.get("CONTENT_LENGTH") or 0)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        spool_for = self.beside.pop(str(self.field_name), None)
        if spool_for is not None:
            self.spools.append(spool_for(self.file_name or ""))
        elif self.spool is None:
            self.spool = self.spool_for(self.file_name or "")
            self.spools.append(self.spool)
        elif self.refusal is None:
            self._refuse(RuleBroken("Send one file at a time.", code="several-files", field="file"))
        self._judge_what_is_announced()

    def _judge_what_is_announced(self) -> None:
        """What cannot fit is not written at all; files that may still come beside have a right to their room."""
        room = sum(spool.max_bytes for spool in self.spools) + FORM_BYTES
        if self.announced > room and not self.beside and self.refusal is None and self.spools:
            spool = self.spools[-1]
            self._refuse(RuleBroken(spool.too_large, code="too-big", field=spool.field))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if not self.spools or self.refusal is not None:
            return
        try:
            self.spools[-1].take(raw_data)
        except RuleBroken as refusal:
            self._refuse(refusal)

    def _refuse(self, refusal: RuleBroken) -> None:
        """Throw the rest away as it comes, so that the form's other fields still arrive; far too much is cut off."""
        self.refusal = refusal
        self.upload_interrupted()
        if self.announced > DRAINED_BYTES:
            raise StopUpload(connection_reset=True)

    def file_complete(self, file_size: int) -> Spool | None:
        return self.spools[-1] if self.spools and self.refusal is None else None

    def upload_interrupted(self) -> None:
        for spool in self.spools:
            spool.close()

    def judge(self) -> None:
        """Say why what this request brought is refused, if it is."""
        if self.refusal is not None:
            raise self.refusal


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


def watch(request: HttpRequest) -> Upload:
    """Hold the limits of an output's file from the first byte; call it before anything reads the request's body."""
    upload = Upload(request, OutputSpool)
    request.upload_handlers = [upload]
    return upload
