"""JSON without the parts on which parsers disagree: doubled keys, NaN, deep nesting, giant numbers."""

from __future__ import annotations

import json
import re
from typing import Any

from evals.grading.refusals import Refused

MAXIMUM_DEPTH = 32
MAXIMUM_DIGITS = 40


def parse_json(text: str | bytes, *, code: str, max_depth: int = MAXIMUM_DEPTH) -> Any:
    """The value of a strict JSON text; anything else is refused with ``code``.

    >>> parse_json('{"a": [1, 2]}', code="bad-config")
    {'a': [1, 2]}
    """
    decoded = decode(text, code=code)
    if depth(decoded) > max_depth:
        raise Refused(code)
    try:
        return json.loads(
            decoded,
            object_pairs_hook=distinct_keys,
            parse_constant=lambda _: refuse_constant(code),
            parse_int=lambda digits: whole(digits, code=code),
            parse_float=lambda digits: real(digits, code=code),
        )
    except (ValueError, RecursionError) as error:
        raise Refused(code) from error


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
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    deepest = level = 0
    for bracket in re.findall(r"[\[\]{}]", bare):
        level += 1 if bracket in "[{" else -1
        deepest = max(deepest, level)
    return deepest


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
