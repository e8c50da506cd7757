"""Files that come in: kept under their hash, or refused while they stream."""

import hashlib
from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadhandler import StopUpload
from django.test import RequestFactory

from evals.grading.refusals import readable
from tests.factories import make_benchmark
from tracker.errors import RuleBroken
from tracker.grading import intake
from tracker.grading.models import Artifact
from tracker.projects import uploads

pytestmark = pytest.mark.django_db
TABLE = b"id,prediction\n" + b"1,7\n" * 200


@pytest.fixture
def benchmark():
    return make_benchmark()


@pytest.fixture
def incoming(settings, tmp_path) -> Path:
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    return tmp_path


def posted(content: bytes, **more):
    return RequestFactory().post("/", {"file": BytesIO(content), "note": "kept", **more})


def test_a_file_is_stored_under_its_hash_with_its_kind(benchmark, incoming):
    artifact = intake.receive(ContentFile(TABLE, name="answers.csv"), benchmark)

    assert artifact.sha256 == hashlib.sha256(TABLE).hexdigest()
    assert (artifact.size, artifact.format) == (len(TABLE), "csv")
    assert artifact.path.read_bytes() == TABLE
    assert not list(incoming.iterdir())


def test_the_same_bytes_again_are_the_same_artifact(benchmark):
    first = intake.receive(ContentFile(TABLE, name="answers.csv"), benchmark)

    second = intake.receive(ContentFile(TABLE, name="again.csv"), benchmark)

    assert first == second
    assert Artifact.objects.count() == 1


def test_a_stored_file_can_be_read_by_its_owner_alone(benchmark):
    artifact = intake.receive(ContentFile(TABLE, name="answers.csv"), benchmark)

    assert artifact.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "answers.csv", "empty"),
        (b"\x80\x04\x95" + b"\0" * 600, "weights", "unsafe-format"),
        (TABLE, "answers.pkl", "unsafe-format"),
        (b"x" * 1_000_001, "answers.csv", "too-big"),
    ],
)
def test_what_no_reader_opens_is_refused_and_not_kept(benchmark, incoming, content, name, code):
    with pytest.raises(RuleBroken) as refusal:
        intake.receive(ContentFile(content, name=name), benchmark)

    assert refusal.value.code == code
    assert not Artifact.objects.exists()
    assert not list(incoming.iterdir())


def test_no_file_is_refused_too(benchmark):
    with pytest.raises(RuleBroken, match="Choose the file"):
        intake.receive(None, benchmark)


def test_a_request_brings_a_file_and_its_fields(benchmark):
    request = posted(TABLE)
    watched = intake.watch(request, benchmark)

    artifact = watched.receive(request.FILES.get("file"), benchmark)

    assert artifact.size == len(TABLE)
    assert request.POST["note"] == "kept"


def test_it_stops_keeping_bytes_once_there_are_too_many(benchmark, incoming):
    watched = intake.watch(posted(b""), benchmark)
    watched.new_file("file", "answers.csv", "text/csv", None)
    watched.receive_data_chunk(b"1" * 1_000_000, 0)

    watched.receive_data_chunk(b"1", 1_000_000)
    watched.receive_data_chunk(b"1" * 500_000, 1_000_001)

    assert watched.file_complete(1_500_001) is None
    assert not list(incoming.iterdir())


def test_the_fields_behind_a_refused_file_arrive(benchmark):
    request = RequestFactory().post("/", {"file": BytesIO(b"1" * 2_000_000), "note": "kept"})
    intake.watch(request, benchmark)

    assert request.POST["note"] == "kept"
    assert "file" not in request.FILES


def test_a_sender_of_far_too_much_is_not_listened_to(benchmark):
    request = posted(b"")
    request.META["CONTENT_LENGTH"] = str(uploads.DRAINED_BYTES + 1)
    watched = intake.watch(request, benchmark)

    with pytest.raises(StopUpload) as stop:
        watched.new_file("file", "answers.csv", "text/csv", None)

    assert stop.value.connection_reset is True


def test_too_large_a_request_says_how_much_is_taken(benchmark):
    request = posted(b"1" * 1_000_001)
    watched = intake.watch(request, benchmark)

    with pytest.raises(RuleBroken, match="larger than the 1 MB that this benchmark takes"):
        watched.receive(request.FILES.get("file"), benchmark)


def test_two_files_at_once_are_refused(benchmark):
    request = posted(TABLE, other=BytesIO(TABLE))
    watched = intake.watch(request, benchmark)

    with pytest.raises(RuleBroken, match="one file at a time"):
        watched.receive(request.FILES.get("file"), benchmark)


@pytest.mark.parametrize(
    ("size", "words"), [(999, "999 bytes"), (1_500, "1.5 kB"), (20_000_000, "20 MB"), (999_900, "1 MB")]
)
def test_sizes_read_as_people_write_them(size, words):
    assert readable(size) == words


def test_what_is_announced_as_too_large_is_not_written_at_all(benchmark, incoming):
    request = posted(b"")
    request.META["CONTENT_LENGTH"] = str(3_000_000)
    watched = intake.watch(request, benchmark)

    watched.new_file("file", "answers.csv", "text/csv", None)
    watched.receive_data_chunk(b"1" * 10, 0)

    with pytest.raises(RuleBroken, match="larger than the 1 MB"):
        watched.judge()
    assert not list(incoming.iterdir())
