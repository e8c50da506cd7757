"""Length-prefixed frames of a JSON header and raw arrays: all that ever crosses between our processes.

    frame = MAGIC, header length (u32), body length (u64), header, body

The header lists each array's name, dtype and shape; the body is their bytes in that order. Never pickle.
"""

from __future__ import annotations

import json
import struct
import time
from dataclasses import dataclass, field
from math import prod
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

MAGIC = b"PLB1"
PREFIX = struct.Struct("<4sIQ")
MAXIMUM_HEADER_BYTES = 1 << 22
PROGRESS_SECONDS = 0.5
DTYPES = {"f4": np.float32, "f8": np.float64, "i4": np.int32, "i8": np.int64, "u1": np.uint8}
Array = NDArray[Any]


class BrokenFrame(Exception):
    """Bytes that are not one of our frames."""


@dataclass(frozen=True)
class Frame:
    """A message: plain values and named arrays."""

    header: dict[str, Any]
    arrays: dict[str, Array] = field(default_factory=dict)

    def pack(self) -> bytes:
        """The frame's bytes."""
        columns = {name: np.ascontiguousarray(array) for name, array in self.arrays.items()}
        layout = [[name, short_name(array), list(array.shape)] for name, array in columns.items()]
        header = json.dumps({"values": self.header, "arrays": layout}, allow_nan=False).encode()
        bodies = [array.tobytes() for array in columns.values()]
        return b"".join([PREFIX.pack(MAGIC, len(header), sum(map(len, bodies))), header, *bodies])


def send(frame: Frame, sink: BinaryIO) -> None:
    """Write one frame at once."""
    sink.write(frame.pack())
    sink.flush()


class Progress:
    """Tells the process at the other end how many items are done, at most twice a second."""

    def __init__(self, sink: BinaryIO) -> None:
        self.sink = sink
        self.told = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self.told >= PROGRESS_SECONDS:
            self.told = time.monotonic()
            send(Frame({"progress": [done, total]}), self.sink)


def short_name(array: Array) -> str:
    """Our name of an array's dtype."""
    for name, dtype in DTYPES.items():
        if array.dtype == dtype:
            return name
    raise ValueError(f"Frames carry {', '.join(DTYPES)}, not {array.dtype}.")


def unpack(data: bytes | bytearray | memoryview, *, max_bytes: int) -> Frame:
    """One whole frame from bytes that may come from a hostile process."""
    if len(data) < PREFIX.size or len(data) > max_bytes:
        raise BrokenFrame("A frame has an impossible size.")
    magic, header_length, body_length = PREFIX.unpack_from(data)
    if magic != MAGIC or PREFIX.size + header_length + body_length != len(data):
        raise BrokenFrame("A frame is not one of ours, or is cut short.")
    if header_length > MAXIMUM_HEADER_BYTES:
        raise BrokenFrame("A frame's header is too long.")
    header = parse_header(bytes(data[PREFIX.size : PREFIX.size + header_length]))
    return Frame(header["values"], split(header["arrays"], bytes(data[PREFIX.size + header_length :])))


def parse_header(text: bytes) -> dict[str, Any]:
    """The JSON header, checked for its two keys."""
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BrokenFrame("A frame's header is not JSON.") from error
    if not isinstance(header, dict) or set(header) != {"values", "arrays"}:
        raise BrokenFrame("A frame's header lacks its keys.")
    if not isinstance(header["values"], dict) or not isinstance(header["arrays"], list):
        raise BrokenFrame("A frame's header has the wrong kinds.")
    return header


def split(layout: list[Any], body: bytes) -> dict[str, Array]:
    """Named arrays cut from a body, which must be used up exactly."""
    arrays: dict[str, Array] = {}
    position = 0
    for entry in layout:
        name, dtype, shape = checked_entry(entry)
        size = prod(shape) * np.dtype(dtype).itemsize
        if position + size > len(body) or name in arrays:
            raise BrokenFrame("A frame's arrays do not fit its body.")
        arrays[name] = np.frombuffer(body, dtype, count=prod(shape), offset=position).reshape(shape)
        position += size
    if position != len(body):
        raise BrokenFrame("A frame's body has bytes that no array owns.")
    return arrays


def checked_entry(entry: Any) -> tuple[str, Any, tuple[int, ...]]:
    """Name, dtype and shape of one array of a layout."""
    if not isinstance(entry, list) or len(entry) != 3:
        raise BrokenFrame("A frame's layout is malformed.")
    name, dtype, shape = entry
    if not isinstance(name, str) or dtype not in DTYPES or not isinstance(shape, list) or len(shape) > 8:
        raise BrokenFrame("A frame's layout is malformed.")
    if not all(type(size) is int and 0 <= size < 1 << 40 for size in shape):
        raise BrokenFrame("A frame's shape is malformed.")
    return name, DTYPES[dtype], tuple(shape)


def read_frame(stream: BinaryIO, *, max_bytes: int) -> Frame | None:
    """The next frame of a stream, or None at its end."""
    prefix = read_exactly(stream, PREFIX.size)
    if not prefix:
        return None
    if len(prefix) < PREFIX.size:
        raise BrokenFrame("A frame is cut short.")
    magic, header_length, body_length = PREFIX.unpack(prefix)
    if magic != MAGIC or header_length > MAXIMUM_HEADER_BYTES or header_length + body_length > max_bytes:
        raise BrokenFrame("A frame is not one of ours, or is too long.")
    rest = read_exactly(stream, header_length + body_length)
    return unpack(prefix + rest, max_bytes=max_bytes + PREFIX.size)


def read_exactly(stream: BinaryIO, count: int) -> bytes:
    """``count`` bytes, or fewer where the stream ends."""
    parts: list[bytes] = []
    while count > 0 and (part := stream.read(min(count, 1 << 24))):
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
