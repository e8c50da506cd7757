"""The embedded broker: Celery's filesystem transport, with every message appearing whole or not at all.

The stock transport opens a message's file before it writes it, and empties a table of queues before it fills it; a
worker that reads in between ends with an error. Here a message is renamed into place, claimed by a rename, and
skipped when it cannot be read (the sweeps find its row). A queue is bound to the exchange of its own name, as all of
ours are, so that no table is kept.
"""

import json
import os
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    def get_table(self, exchange: str) -> list[Any]:
        return [filesystem.exchange_queue_t(exchange, "", exchange)]

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        if exchange != queue:
            raise ChannelError(f"Queue {queue!r} can only be bound to the exchange of its own name.")

    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]
        place = Path(self.data_folder_out)
        name = f"{filesystem.monotonic() * 1000:018.3f}_{filesystem.uuid.uuid4()}".replace(".", "-")
        draft = place / f".{name}"
        draft.write_text(dumps(payload))
        os.replace(draft, place / f"{name}.{queue}.msg")

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        folder = Path(self.data_folder_in)
        for name in sorted(
            entry for entry in os.listdir(folder) if entry.partition(".")[2] == f"{queue}.msg"
        ):
            content = self._claim(folder / name, folder / f".taken-{name}")
            if content is not None:
                return content
        raise Empty

    def _claim(self, message: Path, mine: Path) -> Any | None:
        """The content of a message that no other worker has taken, or None."""
        try:
            os.rename(message, mine)
        except FileNotFoundError:
            return None
        text = mine.read_text()
        mine.unlink()
        try:
            return loads(text)
        except json.JSONDecodeError:
            return None


class Transport(filesystem.Transport):
    Channel = Channel


def install() -> None:
    """Let the scheme filesystem:// mean this transport."""
    TRANSPORT_ALIASES["filesystem"] = "tracker.events.folder:Transport"
