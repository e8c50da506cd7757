"""Names for the arrays and labels that pass through the engine."""

from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Flags = NDArray[np.bool_]
Label = Hashable


def tally(place: Ints, weight: Floats, size: int) -> Floats:
    """Sum of the weights that fall on each place."""
    return np.asarray(np.bincount(place, weight, size), dtype=np.float64)


def combine_codes(*columns: Ints | Floats) -> tuple[Ints, Ints]:
    """A code for each distinct combination, and for each code a row that has it."""
    code = np.zeros(columns[0].size, dtype=np.intp)
    for column in columns:
        if column.size and np.all(column == column[0]):
            continue
        levels, inner = np.unique(column, return_inverse=True)
        code = np.unique(code * levels.size + inner.ravel(), return_inverse=True)[1].ravel()
    first = np.zeros(int(code.max(initial=0)) + 1, dtype=np.intp)
    first[code[::-1]] = np.arange(code.size)[::-1]
    return code, first
