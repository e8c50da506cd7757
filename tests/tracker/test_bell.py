"""A broken doorbell fails no request, and is not leant on."""

from typing import Any

import pytest
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from tracker.events import bell

REAL_PUBLISH = bell.publish


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A broker that is away; the tasks that were tried."""
    tried: list[str] = []

    def send_task(task: str, **_: Any) -> None:
        tried.append(task)
        raise OperationalError("gone")

    monkeypatch.setattr(current_app._get_current_object(), "send_task", send_task)
    monkeypatch.setattr(bell.Silence, "until", 0.0)
    return tried


def test_a_broker_that_is_away_raises_nothing(broker):
    REAL_PUBLISH("grade")

    assert broker == ["grade"]


def test_it_is_not_tried_again_at_once(broker):
    for _ in range(3):
        REAL_PUBLISH("grade")

    assert broker == ["grade"]


def test_it_is_tried_again_after_the_silence(broker, monkeypatch):
    REAL_PUBLISH("grade")
    monkeypatch.setattr(bell.Silence, "until", 0.0)

    REAL_PUBLISH("grade")

    assert broker == ["grade", "grade"]


@pytest.mark.django_db(transaction=True)
def test_nothing_rings_for_what_was_never_committed(quiet_bell):
    with transaction.atomic():
        bell.ring("grade")
        transaction.set_rollback(True)

    assert quiet_bell == []


@pytest.mark.django_db(transaction=True)
def test_it_rings_after_the_commit(quiet_bell):
    with transaction.atomic():
        bell.ring("grade")
        assert quiet_bell == []

    assert quiet_bell == ["grade"]


@pytest.mark.django_db(transaction=True)
def test_many_rings_in_one_transaction_are_one(quiet_bell):
    with transaction.atomic():
        for _ in range(3):
            bell.ring("grade")

    assert quiet_bell == ["grade"]


def ring_and_fail():
    with transaction.atomic():
        bell.ring("grade")
        raise ZeroDivisionError


@pytest.mark.django_db(transaction=True)
def test_a_ring_that_was_rolled_back_hides_no_later_one(quiet_bell):
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError):
            ring_and_fail()
        bell.ring("grade")

    assert quiet_bell == ["grade"]
