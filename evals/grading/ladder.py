"""The public board's rule: a new best shows only when its paired gain is beyond luck (the Ladder).

Without it, many entries fitted to the board's answers climb by chance alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from numpy.typing import NDArray

from evals.grading.comparisons import standard_error

SURE = 2.0


def is_new_best(entry: NDArray[Any], best: NDArray[Any] | None, *, higher_is_better: bool = True) -> bool:
    """Whether an entry's per-item numbers beat the shown best's by more than two paired standard errors."""
    if best is None:
        return True
    gain = (entry - best) if higher_is_better else (best - entry)
    return bool(gain.mean() > SURE * standard_error(gain, None))


def ladder(entries: Iterable[NDArray[Any]], *, higher_is_better: bool = True) -> list[float]:
    """What the board shows after each entry."""
    shown: list[float] = []
    best: NDArray[Any] | None = None
    for entry in entries:
        if is_new_best(entry, best, higher_is_better=higher_is_better):
            best = entry
        shown.append(float(best.mean()) if best is not None else float("nan"))
    return shown
