"""Events reach every consumer, in order, each once."""

import pytest
from django.db import transaction

from tests.factories import make_program
from tracker.events.delivery import deliver_to
from tracker.events.models import Consumer, Delivery, Event

pytestmark = pytest.mark.django_db


def write(*kinds: str) -> None:
    for kind in kinds:
        Event.objects.write(kind)


def test_they_come_in_order_and_once():
    seen = []
    write("a", "b")

    deliver_to("reader", lambda event: seen.append(event.kind))
    write("c")
    deliver_to("reader", lambda event: seen.append(event.kind))

    assert seen == ["a", "b", "c"]


def test_each_consumer_gets_its_own():
    seen = []
    write("a")

    deliver_to("one", lambda event: seen.append("one"))
    deliver_to("other", lambda event: seen.append("other"))

    assert seen == ["one", "other"]


def test_an_event_of_a_transaction_that_failed_never_was():
    def fail() -> None:
        with transaction.atomic():
            write("a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert not Event.objects.exists()


def test_the_effect_and_the_mark_are_one():
    write("a", "b")

    def take(event: Event) -> None:
        make_program(name=f"made by {event.kind}", slug=event.kind)
        if event.kind == "a":
            raise ValueError("cannot")

    deliver_to("reader", take)

    kept = Delivery.objects.get(event__kind="a")
    assert "ValueError: cannot" in kept.failure
    assert not Delivery.objects.get(event__kind="b").failure
    assert list(Event.objects.filter(kind="a")) != []


def test_an_effect_that_failed_is_undone():
    from tracker.people.models import Program

    write("a")

    def take(event: Event) -> None:
        make_program(name="half done", slug="half")
        raise ValueError("cannot")

    deliver_to("reader", take)

    assert not Program.objects.filter(slug="half").exists()


def test_one_that_commits_late_is_not_missed():
    write("a", "b", "c")
    seen = []
    late = Event.objects.get(kind="b")
    Event.objects.filter(pk=late.pk).delete()
    deliver_to("reader", lambda event: seen.append(event.kind))

    Event.objects.create(pk=late.pk, kind="b")
    deliver_to("reader", lambda event: seen.append(event.kind))

    assert seen == ["a", "c", "b"]


def test_a_consumer_at_work_elsewhere_is_left_alone():
    from uuid import uuid4

    write("a")
    consumer = Consumer.objects.create(name="reader")
    Consumer.objects.lease(consumer.pk, owner=uuid4())

    assert deliver_to("reader", lambda event: None) == 0


def test_old_news_is_settled_so_that_the_search_stays_short():
    from datetime import timedelta

    from django.utils import timezone

    write("a", "b")
    Event.objects.update(created_at=timezone.now() - timedelta(hours=1))

    deliver_to("reader", lambda event: None)

    assert Consumer.objects.get().settled_to == Event.objects.latest("pk").pk
