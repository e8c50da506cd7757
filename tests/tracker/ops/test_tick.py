"""The tick finds what nobody rang for, and does no harm when it comes twice."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from tests.factories import make_program
from tracker.estimates.models import FitRequest
from tracker.events.models import Delivery, Event
from tracker.ops import tick
from tracker.ops.tick import SWEEP_SECONDS, Tick, sweep

pytestmark = pytest.mark.django_db


@pytest.fixture
def rung(monkeypatch):
    tasks = []
    monkeypatch.setattr(tick, "publish", tasks.append)
    return tasks


@pytest.fixture
def due():
    """A fit that has been due for a while."""
    return FitRequest.objects.create(program=make_program(), not_before=timezone.now() - timedelta(seconds=5))


def test_it_rings_once_for_a_fit_that_is_due(due, rung):
    rounds = Tick()

    rounds.ring_for_fits(0.0)
    rounds.ring_for_fits(1.0)

    assert rung == ["tracker.estimates.tasks.fit"]


def test_it_rings_again_when_nobody_came(due, rung):
    rounds = Tick()
    rounds.ring_for_fits(0.0)

    rounds.ring_for_fits(SWEEP_SECONDS + 1)

    assert len(rung) == 2


def test_it_does_not_ring_for_a_fit_that_is_not_due_yet(rung):
    FitRequest.objects.create(program=make_program(), not_before=timezone.now() + timedelta(hours=1))

    Tick().ring_for_fits(0.0)

    assert rung == []


def test_a_sweep_delivers_events_once(program):
    Event.objects.write("project.finished", program=program.public_id)

    first, second = sweep(), sweep()

    assert first["events"] == Delivery.objects.count() >= 1
    assert second["events"] == 0


def test_it_sweeps_now_and_then_and_not_every_round(rung, monkeypatch):
    swept = []
    monkeypatch.setattr(tick, "sweep", lambda: swept.append(1))
    rounds = Tick()

    for now in (0.0, 1.0, SWEEP_SECONDS, SWEEP_SECONDS + 1):
        rounds.round(now)

    assert len(swept) == 2


def test_reap_says_what_it_did(capsys):
    call_command("reap")

    assert capsys.readouterr().out.startswith("0 runs and 0 fits taken back")
