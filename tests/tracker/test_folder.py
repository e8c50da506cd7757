"""The embedded broker: messages come whole, once, in order, and a broken one stops nobody."""

import threading
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection

from tracker.events import folder


@pytest.fixture
def channel(tmp_path: Path):
    folder.install()
    options = {name: str(tmp_path) for name in ("data_folder_in", "data_folder_out", "control_folder")}
    with Connection("filesystem://localhost//", transport_options=options) as connection:
        yield connection.channel()


def test_messages_come_in_order_and_once(channel):
    for number in range(3):
        channel._put("fit", {"number": number})

    assert [channel._get("fit")["number"] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(Empty):
        channel._get("fit")


def test_queues_are_apart(channel):
    channel._put("fit", {"for": "fit"})

    with pytest.raises(Empty):
        channel._get("grade.cpu")
    assert channel._get("fit") == {"for": "fit"}


def test_a_message_that_cannot_be_read_is_skipped(channel, tmp_path):
    (tmp_path / "0_broken.fit.msg").write_text("")
    channel._put("fit", {"number": 1})

    assert channel._get("fit") == {"number": 1}


def test_half_a_message_is_not_seen(channel, tmp_path):
    (tmp_path / ".draft").write_text('{"half"')

    with pytest.raises(Empty):
        channel._get("fit")


def test_many_workers_take_each_message_once(channel):
    for number in range(60):
        channel._put("fit", {"number": number})
    taken: list[int] = []

    def take() -> None:
        while True:
            try:
                taken.append(channel._get("fit")["number"])
            except Empty:
                return

    workers = [threading.Thread(target=take) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(taken) == list(range(60))


def test_celery_rings_through_it(channel, tmp_path):
    with Connection(
        "filesystem://localhost//",
        transport_options={"data_folder_out": str(tmp_path), "data_folder_in": str(tmp_path)},
    ) as connection:
        producer = connection.Producer()
        producer.publish({"x": 1}, exchange="fit", routing_key="fit")

    assert [path.name.endswith(".fit.msg") for path in tmp_path.iterdir()] == [True]
