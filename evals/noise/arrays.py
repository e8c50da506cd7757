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
