"""Lists of text as two arrays, the form in which they cross between processes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def pack_texts(texts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """UTF-8 bytes laid end to end, and the end of each text."""
    encoded = [text.encode("utf-8") for text in texts]
    ends = np.cumsum([len(text) for text in encoded], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), np.uint8), ends


def unpack_texts(characters: NDArray[Any], ends: NDArray[Any]) -> list[str]:
    """The texts again; a ValueError where the ends do not fit or the bytes are no UTF-8."""
    places = [0, *(int(end) for end in ends)]
    if places != sorted(places) or places[-1] != characters.size:
        raise ValueError("The ends of the texts do not fit their characters.")
    data = characters.tobytes()
    return [data[start:end].decode("utf-8") for start, end in itertools.pairwise(places)]
