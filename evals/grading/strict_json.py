"""JSON without the parts on which parsers disagree: doubled keys, NaN, deep nesting, giant numbers."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import numpy as np

from evals.grading.refusals import Refused

MAXIMUM_DEPTH = 32
MAXIMUM_DIGITS = 40
# A text, or the rest of the document where it is never closed; possessive, so that no document is read twice.
STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+', re.DOTALL)
STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def parse_json(text: str | bytes, *, code: str, max_depth: int = MAXIMUM_DEPTH) -> Any:
    """The value of a strict JSON text; anything else is refused with ``code``.

    >>> parse_json('{"a": [1, 2]}', code="bad-config")
    {'a': [1, 2]}
    """
    decoded = decode(text, code=code)
    if depth(decoded) > max_depth:
        raise Refused(code)
    try:
        return decoder(code).decode(decoded)
    except (ValueError, RecursionError) as error:
        raise Refused(code) from error


@cache
def decoder(code: str) -> json.JSONDecoder:
    """The strict parser that refuses with ``code``, made once: a table has a document a line."""
    return json.JSONDecoder(
        object_pairs_hook=distinct_keys,
        parse_constant=lambda _: refuse_constant(code),
        parse_int=lambda digits: whole(digits, code=code),
        parse_float=lambda digits: real(digits, code=code),
    )


def decode(text: str | bytes, *, code: str) -> str:
    """UTF-8 text, without a byte-order mark."""
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(code) from error


def depth(text: str) -> int:
    """The deepest nesting, counted outside strings before any parser recurses."""
    opened = text.count("[") + text.count("{")
    if opened <= 1:
        return opened
    brackets = STRING.sub("", text).encode("ascii", "ignore").translate(STEPS, delete=NO_BRACKETS)
    return int(np.frombuffer(brackets, np.int8).cumsum(dtype=np.int32).max(initial=0))


def distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose every key occurs once."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("duplicate-key")
    return found


def refuse_constant(code: str) -> None:
    """NaN and Infinity are not JSON."""
    raise Refused(code)


def whole(digits: str, *, code: str) -> int:
    """An integer of a sane length."""
    if len(digits) > MAXIMUM_DIGITS:
        raise Refused(code)
    return int(digits)


def real(digits: str, *, code: str) -> float:
    """A finite float."""
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise Refused("non-finite" if code != "bad-config" else code)
    return value
