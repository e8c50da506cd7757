"""Safetensors by our own parser: the header is checked whole before a single number is touched.

file = header length (u64), JSON header, tensors end to end in the order of their offsets
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from evals.grading.limits import MEBIBYTE, Limits
from evals.grading.refusals import Refused
from evals.grading.strict_json import parse_json

DTYPE_BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip
EXPONENTS: dict[str, tuple[Any, int]] = {
    "F64": (np.uint64, 0x7FF0000000000000),
    "F32": (np.uint32, 0x7F800000),
    "F16": (np.uint16, 0x7C00),
    "BF16": (np.uint16, 0x7F80),
}
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,255}")
MAXIMUM_DIMENSIONS = 8
BLOCK_BYTES = 8 * MEBIBYTE


@dataclass(frozen=True)
class Tensor:
    """Where one tensor lies in its file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int

    @property
    def count(self) -> int:
        return prod(self.shape)


def parse_safetensors(stream: BinaryIO, size: int, limits: Limits) -> dict[str, Tensor]:
    """The tensors of an open file of ``size`` bytes."""
    prefix = stream.read(8)
    length = int.from_bytes(prefix, "little")
    if len(prefix) < 8 or not 2 <= length <= min(limits.max_header_bytes, size - 8):
        raise Refused("bad-header")
    header = parse_json(stream.read(length), code="bad-header", max_depth=4)
    if not isinstance(header, dict):
        raise Refused("bad-header")
    check_metadata(header.pop("__metadata__", {}))
    if len(header) > limits.max_tensors:
        raise Refused("too-many-parameters", tensors=len(header), limit=limits.max_tensors)
    tensors = [parse_tensor(name, entry, 8 + length) for name, entry in header.items()]
    check_offsets(tensors, 8 + length, size)
    check_parameters(tensors, limits)
    return {tensor.name: tensor for tensor in tensors}


def check_metadata(metadata: Any) -> None:
    """Text values under text keys, nothing else."""
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise Refused("bad-header")


def parse_tensor(name: str, entry: Any, base: int) -> Tensor:
    """One entry of the header, its numbers checked one by one."""
    if not PLAIN_NAME.fullmatch(name) or ".." in name:
        raise Refused("bad-name")
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise Refused("bad-header")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or not are_whole(shape) or not are_whole(offsets) or len(offsets) != 2:
        raise Refused("bad-header")
    if dtype not in DTYPE_BYTES:
        raise Refused("bad-dtype")
    start, end = offsets
    check_shape(shape, end - start, DTYPE_BYTES[dtype])
    return Tensor(name, dtype, tuple(shape), base + start, base + end)


def are_whole(numbers: Any) -> bool:
    """Whether this is a short list of whole numbers from 0 up."""
    return (
        isinstance(numbers, list)
        and len(numbers) <= MAXIMUM_DIMENSIONS
        and all(type(number) is int and number >= 0 for number in numbers)
    )


def check_shape(shape: list[int], size: int, item: int) -> None:
    """A shape without zeros whose product is what the offsets hold."""
    if 0 in shape:
        raise Refused("suspicious-shape")
    if size < 0 or prod(shape) * item != size:
        raise Refused("bad-offsets")


def check_offsets(tensors: list[Tensor], start: int, end: int) -> None:
    """Tensors lie end to end and fill the file: no overlap, no hole, nothing after the last."""
    if not tensors:
        raise Refused("empty")
    position = start
    for tensor in sorted(tensors, key=lambda tensor: tensor.start):
        if tensor.start != position:
            raise Refused("bad-offsets")
        position = tensor.end
    if position != end:
        raise Refused("bad-offsets")


def check_parameters(tensors: list[Tensor], limits: Limits) -> None:
    """No more numbers than the benchmark allows."""
    count = sum(tensor.count for tensor in tensors)
    if count > limits.max_parameters:
        raise Refused("too-many-parameters", parameters=count, limit=limits.max_parameters)


def check_finite(stream: BinaryIO, tensors: Mapping[str, Tensor]) -> None:
    """No NaN and no infinity, looked for block by block so that memory stays flat."""
    for tensor in sorted(tensors.values(), key=lambda tensor: tensor.start):
        if tensor.dtype in EXPONENTS:
            check_blocks(stream, tensor)


def check_blocks(stream: BinaryIO, tensor: Tensor) -> None:
    """The exponent bits of every number of one tensor."""
    unsigned, mask = EXPONENTS[tensor.dtype]
    stream.seek(tensor.start)
    left = tensor.end - tensor.start
    while left > 0:
        block = stream.read(min(left, BLOCK_BYTES))
        if not block:
            raise Refused("size-mismatch")
        bits: NDArray[Any] = np.frombuffer(block, unsigned)
        if ((bits & unsigned(mask)) == mask).any():
            raise Refused("non-finite")
        left -= len(block)


def check_names_and_shapes(tensors: Mapping[str, Tensor], wanted: Mapping[str, tuple[int, ...]]) -> None:
    """Exactly the wanted names, each in its exact shape; the names told are the benchmark's."""
    missing = sorted(set(wanted) - set(tensors))
    if missing:
        raise Refused("missing-tensors", names=tuple(missing), count=len(missing))
    unexpected = len(set(tensors) - set(wanted))
    if unexpected:
        raise Refused("unexpected-tensors", count=unexpected)
    for name, shape in wanted.items():
        if tensors[name].shape != tuple(shape):
            raise Refused("wrong-shape", names=(f"{name} must be {' x '.join(map(str, shape))}",))
