"""A lead uploads a benchmark in the admin: checked as on the command line, versioned, never half."""

import io
import zipfile

import pytest
from django.conf import settings as real_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.factories import make_program
from tracker.grading import uploading
from tracker.grading.models import Benchmark, RegradePlan

pytestmark = pytest.mark.django_db
URL = "/admin/grading/benchmark/add/"
LABELS = b"id,label\n" + b"".join(b"%d,%s\n" % (at, b"ab"[at % 2 : at % 2 + 1]) for at in range(40))
INPUTS = b"id\n" + b"".join(b"%d\n" % at for at in range(40))
DECLARED = """name = "Letters"
version = "1"
task = "classification"
classes = ["a", "b"]
formats = ["csv"]
seed = 1
per_day = 5
licence = "CC0"
[data]
inputs = "inputs.csv"
labels = "hidden/labels.csv"
[headline]
metric = "accuracy"
direction = "higher"
[anchors]
start = 0.5
reference = 1.0
[[metrics]]
name = "accuracy"
direction = "higher"
"""
FILES = {"benchmark.toml": DECLARED, "inputs.csv": INPUTS, "hidden/labels.csv": LABELS}


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    settings.BENCHMARKS_DIR = tmp_path / "benchmarks"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    return settings.FILE_UPLOAD_TEMP_DIR


@pytest.fixture
def door(client, lead):
    lead.user.is_staff = True
    lead.user.save(update_fields=["is_staff"])
    client.force_login(lead.user)
    return client


def archive(files: dict[str, bytes | str], *, under: str = "") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(under + name, content)
    return packed.getvalue()


def upload(door, program, content: bytes, *, slug: str = "letters"):
    file = SimpleUploadedFile("benchmark.zip", content)
    return door.post(URL, {"program": program.pk, "slug": slug, "file": file})


@pytest.mark.parametrize("under", ["", "letters/"])
def test_an_archive_becomes_a_benchmark(door, program, storage, under):
    answer = upload(door, program, archive(FILES, under=under))

    benchmark = Benchmark.objects.get()
    assert answer.url == reverse("admin:grading_benchmark_change", args=[benchmark.pk])
    assert (benchmark.slug, benchmark.version, benchmark.spec["items"]) == ("letters", 1, 40)
    assert (benchmark.folder / "hidden" / "labels.csv").read_bytes() == LABELS
    assert not list(storage.iterdir())


def test_the_same_content_is_the_same_version_and_another_a_new_one(door, program):
    upload(door, program, archive(FILES))
    upload(door, program, archive(FILES))
    upload(door, program, archive({**FILES, "benchmark.toml": DECLARED.replace("1.0", "0.9")}))

    versions = Benchmark.objects.order_by("version")
    assert [(row.version, row.retired_at is None) for row in versions] == [(1, False), (2, True)]
    assert not RegradePlan.objects.exists()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"inputs.csv": INPUTS}, "one folder with one benchmark.toml"),
        ({**FILES, "benchmark.toml": DECLARED.replace("seed = 1", "sed = 1")}, "Unknown key sed"),
        ({**FILES, "benchmark.toml": f"{DECLARED}[limits]\nmax_rows = 10_000_001\n"}, "at most 10,000,000"),
        ({**FILES, "hidden/labels.csv": LABELS.replace(b",b", b",c")}, "class"),
        ({**FILES, "a/" * 200 + "b": b"x"}, "plain relative file names"),
        ({**FILES, "hidden/labels.csv": b"id,label\n1,a\n"}, "id"),
        ({**FILES, "../outside.txt": b"x"}, "plain relative file names"),
        ({**FILES, "HIDDEN/labels.csv": b"x"}, "Give every file its own name"),
        ({**FILES, "inputs.csv/more": b"x"}, "a file and a folder at once"),
    ],
)
def test_what_is_not_in_order_is_refused_in_a_sentence_and_leaves_nothing(
    door, program, storage, files, says
):
    answer = upload(door, program, archive(files))

    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not Benchmark.objects.exists()
    assert not list(storage.iterdir())
    assert str(storage) not in answer.content.decode()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and nothing", b"name = 'x'\n"])
def test_what_is_no_archive_is_refused(door, program, content):
    answer = upload(door, program, content)

    assert answer.status_code == 422
    assert not Benchmark.objects.exists()


def test_a_bomb_is_refused_before_it_is_unpacked(door, program, monkeypatch):
    monkeypatch.setattr(uploading, "unpack", lambda *_: pytest.fail("It was unpacked."))

    answer = upload(door, program, archive({**FILES, "zeros": bytes(40_000_000)}))

    assert answer.status_code == 422


def test_an_archive_that_is_too_large_is_refused_as_it_comes(door, program, storage, monkeypatch):
    monkeypatch.setattr(uploading, "LARGEST_ARCHIVE", 1_000)

    answer = upload(door, program, bytes(100_000))

    assert answer.status_code == 422
    assert "The archive is larger than 1 kB" in answer.content.decode()
    assert not list(storage.iterdir())


def test_only_leads_upload_and_only_for_their_own_program(door, program, client, mentor):
    upload(door, make_program(), archive(FILES))
    assert not Benchmark.objects.exists()

    client.force_login(mentor.user)
    assert upload(client, program, archive(FILES)).status_code == 302
    assert not Benchmark.objects.exists()


def test_it_needs_the_forms_token(lead, program, door):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(lead.user)

    assert upload(strict, program, archive(FILES)).status_code == 403
    assert not Benchmark.objects.exists()


def test_the_form_says_what_to_send(door, program):
    page = door.get(URL).content.decode()

    assert program.name in page
    assert "benchmark.toml" in page
    assert real_settings.FILE_UPLOAD_HANDLERS == ["tracker.projects.uploads.NoFiles"]
