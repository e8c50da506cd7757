"""The doctor looks at the machine as it is."""

import socket

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tracker.ops import doctor
from tracker.ops.doctor import Finding
from tracker.ops.guards import drop_guards


@pytest.fixture
def without_torch(monkeypatch):
    """Asking torch takes seconds; what the doctor makes of the answer is tested apart."""
    monkeypatch.setattr(doctor, "torch", lambda: Finding("torch", "2.13.0 on CPU"))


def test_a_taken_port_is_said_and_is_not_fatal():
    with socket.socket() as door:
        door.bind((doctor.HOST, 0))
        door.listen()

        finding = doctor.port_is_free(door.getsockname()[1])

    assert finding.advice
    assert not finding.is_fatal


def test_a_folder_that_cannot_be_written_is_fatal(settings, tmp_path):
    settings.VAR_DIR = tmp_path / "absent"

    finding = doctor.folder()

    assert "PLUMBLINE_VAR" in finding.advice
    assert finding.is_fatal


def test_missing_torch_is_no_reason_to_serve_no_pages(monkeypatch):
    monkeypatch.setattr(doctor, "TORCH_FACTS", "import no_such_module")

    finding = doctor.torch()

    assert finding.fact == "missing"
    assert not finding.is_fatal


def test_a_missing_gpu_that_was_asked_for_is_fatal(monkeypatch, settings):
    settings.GRADING_DEVICE = "cuda"
    monkeypatch.setattr(doctor, "TORCH_FACTS", 'print(\'{"version": "2", "cuda": ""}\')')

    assert doctor.torch().is_fatal
    assert "PLUMBLINE_DEVICE" in doctor.torch().advice


@pytest.mark.django_db
def test_a_machine_that_can_passes(without_torch, capsys):
    call_command("doctor")

    assert "✓ Database" in capsys.readouterr().out


@pytest.mark.django_db
def test_a_machine_that_cannot_fails_by_name(without_torch, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "SMALLEST_FREE_BYTES", 10**30)

    with pytest.raises(CommandError, match="see Disk above"):
        call_command("doctor")


@pytest.mark.django_db
def test_rules_that_the_database_has_lost_are_fatal():
    drop_guards(connection)

    finding = doctor.database()

    assert "manage.py migrate" in finding.advice
    assert finding.is_fatal
