"""How an artifact comes in: counted, sniffed and hashed while it streams, then stored under its hash."""

import os
from functools import partial
from typing import Any

from django.core.files.base import File
from django.http import HttpRequest

from evals.grading.refusals import Refused, readable
from evals.grading.sniffing import SNIFF_BYTES, sniff
from tracker.errors import RuleBroken
from tracker.grading.models import Artifact, Benchmark
from tracker.projects.uploads import Spool, Upload

TRAINING_FORMATS = ("text", "csv", "jsonl", "json")


class ArtifactSpool(Spool):
    """An artifact on its way in, refused as soon as it is known to be of a kind that no reader opens."""

    def __init__(self, name: str, *, max_bytes: int) -> None:
        limit = readable(max_bytes)
        super().__init__(
            name,
            max_bytes=max_bytes,
            too_large=f"The file is larger than the {limit} that this benchmark takes: send a smaller one.",
        )
        self.format = ""
        self.first_bytes = b""

    def take(self, chunk: bytes) -> None:
        super().take(chunk)
        if not self.format:
            self.first_bytes += chunk[:SNIFF_BYTES]
            if len(self.first_bytes) >= SNIFF_BYTES:
                self.recognise()

    def recognise(self) -> None:
        try:
            self.format = sniff(self.first_bytes, self.name)
        except Refused as refused:
            raise RuleBroken(refused.message, code=refused.code, field=self.field) from None

    def store(self) -> Artifact:
        """The same bytes again are the same artifact."""
        if not self.format:
            self.recognise()
        artifact = Artifact(sha256=self.digest.hexdigest(), size=self.size, format=self.format)
        self.move_to(artifact.path)
        values = {"size": artifact.size, "format": artifact.format}
        return Artifact.objects.get_or_create(sha256=artifact.sha256, defaults=values)[0]


class TrainingSpool(ArtifactSpool):
    """Declared training data on their way in: plain text of any layout."""

    field = "training"

    def recognise(self) -> None:
        super().recognise()
        if self.format not in TRAINING_FORMATS:
            raise RuleBroken(
                "Send training data as plain text, one text a line, or as JSON lines: .txt, .csv or .jsonl.",
                code="wrong-format",
                field=self.field,
            )


class Intake(Upload):
    """Takes one request's upload for one benchmark, and beside it the training data that are declared."""

    def receive(self, upload: Any, benchmark: Benchmark) -> Artifact:
        """Store what this request brought, or say why it is refused."""
        self.judge()
        return receive(upload, benchmark)

    def receive_training(self, upload: Any, benchmark: Benchmark) -> Artifact | None:
        """Store the declared training data, if any came."""
        self.judge()
        if upload is None:
            return None
        if isinstance(upload, TrainingSpool):
            return upload.store()
        return spooled(upload, TrainingSpool, benchmark)


def watch(request: HttpRequest, benchmark: Benchmark) -> Intake:
    """Hold the benchmark's limits from the first byte; call it before anything reads the request's body."""
    beside = (
        {"training": partial(TrainingSpool, max_bytes=benchmark.max_bytes)} if benchmark.has_texts else {}
    )
    intake = Intake(request, partial(ArtifactSpool, max_bytes=benchmark.max_bytes), beside=beside)
    request.upload_handlers = [intake]
    return intake


def receive(upload: File | None, benchmark: Benchmark) -> Artifact:
    """Store a file for a benchmark under its hash, or say why it is refused."""
    if upload is None:
        raise RuleBroken("Choose the file that you want to submit.", code="file-missing", field="file")
    if isinstance(upload, ArtifactSpool):
        return upload.store()
    return spooled(upload, ArtifactSpool, benchmark)


def spooled(upload: File, kind: type[ArtifactSpool], benchmark: Benchmark) -> Artifact:
    """Store a file that did not come by a request of ours."""
    with kind(os.path.basename(upload.name or ""), max_bytes=benchmark.max_bytes) as spool:
        for chunk in upload.chunks():
            spool.take(chunk)
        return spool.store()
