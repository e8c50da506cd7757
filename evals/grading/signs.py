"""Signs of tampering and leaks: evidence for a person to look at, never a verdict; no score changes by them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

WORD = re.compile(r"[a-z0-9]+")
COVERAGE_WORDS = 8
HALF = 0.5


def binomial_tail(hits: int, trials: int, chance: float) -> float:
    """P(at least ``hits`` of ``trials``), each with ``chance``, summed in logarithms.

    >>> round(binomial_tail(2, 2, 0.5), 6)
    0.25
    """
    if hits <= 0 or chance >= 1:
        return 1.0
    if chance <= 0:
        return 0.0
    terms = [log_binomial(k, trials, chance) for k in range(hits, trials + 1)]
    top = max(terms)
    return min(1.0, math.exp(top) * sum(math.exp(term - top) for term in terms))


def log_binomial(hits: int, trials: int, chance: float) -> float:
    """The log of one binomial probability."""
    ways = math.lgamma(trials + 1) - math.lgamma(hits + 1) - math.lgamma(trials - hits + 1)
    return ways + hits * math.log(chance) + (trials - hits) * math.log1p(-chance)


@dataclass(frozen=True)
class Coverage:
    """How much of the test's texts stands in declared training data."""

    texts: int
    any_overlap: int
    half_covered: int
    words: int


def contamination(texts: Iterable[str], training: Iterable[str], *, words: int = COVERAGE_WORDS) -> Coverage:
    """Texts that share a run of ``words`` words with the training data, and those covered by half or more."""
    tested = [tokens(text) for text in texts]
    looked_for = {run for text in tested for run in runs(text, words)}
    # Training data may be large: only what the test holds is kept of them.
    known = {run for text in training for run in runs(tokens(text), words) if run in looked_for}
    shares = [covered(text, known, words) for text in tested]
    return Coverage(
        texts=len(shares),
        any_overlap=sum(share > 0 for share in shares),
        half_covered=sum(share >= HALF for share in shares),
        words=words,
    )


def tokens(text: str) -> list[str]:
    """Lower-case words of letters and digits."""
    return WORD.findall(text.lower())


def runs(text: Sequence[str], words: int) -> Iterator[tuple[str, ...]]:
    """All runs of so many words."""
    return (tuple(text[start : start + words]) for start in range(len(text) - words + 1))


def covered(text: Sequence[str], known: set[tuple[str, ...]], words: int) -> float:
    """The share of a text's words that lie in a known run."""
    hit = np.zeros(len(text), bool)
    for start, run in enumerate(runs(text, words)):
        if run in known:
            hit[start : start + words] = True
    return float(hit.mean()) if len(text) else 0.0


def chance_p_value(value: float, permuted: NDArray[Any], *, higher_is_better: bool) -> float:
    """How often labels in random order would do as well, by the normal law of the permuted values."""
    spread = float(permuted.std(ddof=1))
    gain = (value - float(permuted.mean())) * (1 if higher_is_better else -1)
    if spread == 0:
        return 1.0 if gain <= 0 else 0.0
    return NormalDist().cdf(-gain / spread)
