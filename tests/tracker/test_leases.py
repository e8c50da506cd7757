"""Leases, tried on runs: taken by one, kept by renewing, lost for good."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from tests.factories import make_submission
from tracker.events.leases import heartbeat
from tracker.grading.models import Run

pytestmark = pytest.mark.django_db


def leased_run() -> Run:
    make_submission()
    run = Run.objects.lease_next(uuid4())
    assert run is not None
    return run


def expire(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(lease_ends_at=Now() - timedelta(seconds=1))


def test_a_run_is_taken_by_one_worker():
    make_submission()

    first, second = Run.objects.lease_next(uuid4()), Run.objects.lease_next(uuid4())

    assert first is not None
    assert second is None


def test_a_lease_is_kept_by_renewing_it():
    run = leased_run()
    before = run.lease_ends_at

    assert Run.objects.renew(run.pk, owner=run.owner)

    run.refresh_from_db()
    assert run.lease_ends_at >= before


def test_an_expired_lease_cannot_be_renewed():
    run = leased_run()
    expire(run)

    assert not Run.objects.renew(run.pk, owner=run.owner)


def test_a_worker_that_lost_its_lease_writes_nothing():
    run = leased_run()
    expire(run)

    assert not run.succeed(measurements=[], record={}, claims=[])

    run.refresh_from_db()
    assert run.state == Run.State.RUNNING


def test_an_expired_run_goes_back_to_the_queue_and_to_another_worker():
    lost = leased_run()
    expire(lost)

    assert Run.objects.reap() == 1

    Run.objects.filter(pk=lost.pk).update(not_before=Now())
    second = Run.objects.lease_next(uuid4())
    assert second is not None
    assert not lost.succeed(measurements=[], record={}, claims=[])
    assert second.succeed(measurements=[], record={}, claims=[])
    assert [attempt.ending for attempt in second.attempt_rows.all()] == ["lost", "ended"]


def test_reaping_twice_changes_nothing_more():
    run = leased_run()
    expire(run)

    assert [Run.objects.reap(), Run.objects.reap()] == [1, 0]


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_keeps_a_lease_that_would_end(settings):
    settings.LEASE = timedelta(seconds=1)
    run = leased_run()

    with heartbeat(Run.objects.all(), run.pk, owner=run.owner) as pulse:
        stopped = pulse.lost.wait(2.2)

    assert not stopped
    assert run.succeed(measurements=[], record={}, claims=[])


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_says_when_a_person_cancels(settings):
    settings.LEASE = timedelta(seconds=0.9)
    run = leased_run()

    with heartbeat(Run.objects.all(), run.pk, owner=run.owner) as pulse:
        run.cancel()
        assert pulse.lost.wait(10)


def test_the_database_refuses_a_running_row_without_a_lease():
    run = leased_run()

    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(owner=None, lease_ends_at=None)
