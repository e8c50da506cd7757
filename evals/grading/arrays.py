"""NumPy arrays from .npz members, by our own header parser: numbers and short text, never objects."""

from __future__ import annotations

import re
from math import prod
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from evals.grading.archives import Member, read_member, zip_members
from evals.grading.limits import Limits
from evals.grading.refusals import Refused

MAGIC = b"\x93NUMPY"
MAXIMUM_HEADER = 4096
MAXIMUM_DIMENSIONS = 8
MAXIMUM_TEXT = 256
FIRST_SURROGATE, LAST_SURROGATE, LAST_CHARACTER = 0xD800, 0xDFFF, 0x10FFFF
HEADER = re.compile(
    rb"\{'descr': (?P<descr>'[^'\\]{1,12}'|\[.*\]), 'fortran_order': (?P<order>True|False), "
    rb"'shape': \((?P<shape>[0-9, ]{0,160})\), ?\} *\n?"
)
SHAPE = re.compile(rb"(?:(?:\d{1,18}, ?)+(?:\d{1,18})?)?")
NUMBER = re.compile(r"[<>|=][fiub][1248]")
TEXT = re.compile(r"[<>|][US](\d{1,3})")


def read_npz(stream: BinaryIO, limits: Limits) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file by name."""
    arrays: dict[str, NDArray[Any]] = {}
    for member in array_members(zip_members(stream, limits)):
        arrays[member.name.removesuffix(".npy")] = parse_npy(read_member(stream, member))
    if not arrays:
        raise Refused("empty")
    return arrays


def npz_layout(stream: BinaryIO, limits: Limits) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Name → (dtype, shape) of the arrays of an .npz file, from the headers alone."""
    layout = {}
    for member in array_members(zip_members(stream, limits)):
        dtype, shape, _, start = parse_npy_header(read_member(stream, member, limit=MAXIMUM_HEADER + 12))
        check_body(member.size - start, dtype, shape)
        layout[member.name.removesuffix(".npy")] = (str(dtype), shape)
    return layout


def array_members(members: list[Member]) -> list[Member]:
    """Members that are arrays; anything else in the archive is refused."""
    if any(not re.fullmatch(r"\w{1,64}\.npy", member.name, re.ASCII) for member in members):
        raise Refused("bad-name")
    return members


def parse_npy(data: bytes) -> NDArray[Any]:
    """One array from the bytes of a .npy file."""
    dtype, shape, fortran, start = parse_npy_header(data)
    check_body(len(data) - start, dtype, shape)
    if dtype.kind == "U":
        check_characters(np.frombuffer(data, np.dtype(np.uint32).newbyteorder(dtype.byteorder), offset=start))
    flat = np.frombuffer(data, dtype, offset=start)
    return flat.astype(dtype.newbyteorder("="), copy=False).reshape(shape, order="F" if fortran else "C")


def parse_npy_header(data: bytes) -> tuple[np.dtype[Any], tuple[int, ...], bool, int]:
    """dtype, shape, whether in Fortran's order, and where the numbers start."""
    if data[:6] != MAGIC or len(data) < 12 or data[6] not in (1, 2, 3):
        raise Refused("bad-header")
    width = 2 if data[6] == 1 else 4
    length = int.from_bytes(data[8 : 8 + width], "little")
    start = 8 + width + length
    if length > MAXIMUM_HEADER or start > len(data):
        raise Refused("bad-header")
    match = HEADER.fullmatch(data[8 + width : start])
    if not match:
        raise Refused("bad-header")
    return (
        plain_dtype(match["descr"].decode("latin1")),
        shape_of(match["shape"]),
        match["order"] == b"True",
        start,
    )


def plain_dtype(descr: str) -> np.dtype[Any]:
    """The dtype of a description, if it is numbers or short text."""
    name = descr.strip("'")
    if "O" in name:
        raise Refused("object-array")
    text = TEXT.fullmatch(name)
    if NUMBER.fullmatch(name) or (text and 0 < int(text[1]) <= MAXIMUM_TEXT):
        try:
            return np.dtype(name)
        except TypeError as error:
            raise Refused("bad-dtype") from error
    raise Refused("bad-dtype")


def shape_of(text: bytes) -> tuple[int, ...]:
    """The numbers of a shape."""
    if not SHAPE.fullmatch(text):
        raise Refused("bad-header")
    sizes = tuple(int(part) for part in text.split(b",") if part.strip())
    if len(sizes) > MAXIMUM_DIMENSIONS:
        raise Refused("bad-header")
    return sizes


def check_characters(codes: NDArray[np.uint32]) -> None:
    """Every number of a text array is a character that UTF-8 can write."""
    if ((codes > LAST_CHARACTER) | ((codes >= FIRST_SURROGATE) & (codes <= LAST_SURROGATE))).any():
        raise Refused("bad-encoding")


def check_body(found: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    """As many bytes as the header claims, no more and no fewer."""
    if any(size == 0 for size in shape):
        raise Refused("suspicious-shape")
    if prod(shape) * dtype.itemsize != found:
        raise Refused("size-mismatch")
