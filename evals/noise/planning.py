"""The order of elimination: which variables leave in which stage, and which stay in the dense core.

Two ways are drafted and the cheaper is taken: whole terms whose levels are no neighbours of each other,
while there are such, or always the variables of fewest neighbours. Either goes on while a stage costs less
than it saves in the core.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from evals.noise.arrays import Flags, Ints
from evals.noise.elimination import Elimination, Pattern, Stage, pairs_within
from evals.noise.memory import BYTES_PER_CORE_ENTRY, BYTES_PER_PAIR, require

SECONDS_PER_PAIR = 2.5e-8
SECONDS_PER_STAGE = 2e-4
SECONDS_PER_DENSE_CUBE = 5e-11
DOMINANT = 0.6  # a first stage that takes this share of the variables needs no second draft

IN_CORE, LAST_IN_CORE = 1, 2


def plan_elimination(
    pattern: Pattern, *, place: Ints, term: Ints, memory: float | None = None
) -> Elimination:
    """Choose the stages; ``place`` marks variables that stay in the dense core, and last in it.

    ``term`` numbers the term that each variable belongs to; ``memory`` is how many gigabytes there are.
    """
    by_term = _Planner(pattern, place, term, memory)
    by_term.run()
    if by_term.gone and by_term.gone[0].size > DOMINANT * pattern.size:
        return by_term.elimination()
    by_degree = _Planner(pattern, place, np.arange(0), memory)
    by_degree.run()
    return min(by_term, by_degree, key=lambda planner: planner.cost).elimination()


def require_pairs(start: Ints, memory: float | None) -> None:
    """Refuse runs, bounded by ``start``, of which all pairs would not fit."""
    counts = np.diff(start).astype(float)
    pairs = float((counts * (counts - 1.0)).sum()) / 2.0
    require(
        BYTES_PER_PAIR * pairs, memory, f"The graph of {pairs:,.0f} pairs of people, raters and other levels"
    )


class _Planner:
    """One draft of an order, as far as it has come."""

    def __init__(self, pattern: Pattern, place: Ints, term: Ints, memory: float | None) -> None:
        self.memory = memory
        self.size = pattern.size
        self.remaining = np.arange(pattern.size)
        self.first, self.second = pattern.first, pattern.second
        self.place = place
        self.term = term
        self.keep = place > 0
        self.luck = np.random.default_rng(20).permutation(pattern.size)
        self.gone: list[Ints] = []
        self.drafts: list[Callable[[Ints, int], Stage]] = []
        self.spent = 0.0

    @property
    def cost(self) -> float:
        """Seconds of one factorisation, by estimate."""
        return self.spent + SECONDS_PER_DENSE_CUBE * float(self.remaining.size) ** 3

    def run(self) -> None:
        while True:
            degrees = self._degrees()
            leaving = self._whole_term(degrees)
            if leaving is None:
                leaving = self._independent(degrees)
            if not leaving.any() or self._price(leaving, degrees) >= self._saving(leaving):
                return
            self.spent += self._price(leaving, degrees)
            self._eliminate(leaving)

    def elimination(self) -> Elimination:
        size = self.remaining.size
        require(BYTES_PER_CORE_ENTRY * size**2, self.memory, f"The dense part of {size:,} levels")
        core_order = np.argsort(self.place[self.remaining] == LAST_IN_CORE, kind="stable")
        order = np.concatenate([*self.gone, self.remaining[core_order]])
        position = np.empty(self.size, dtype=np.intp)
        position[order] = np.arange(self.size)
        starts = np.cumsum([0, *[gone.size for gone in self.gone]])
        stages = tuple(
            draft(position, int(start))
            for draft, (start, _) in zip(self.drafts, pairwise(starts), strict=True)
        )
        edges = position[self.first], position[self.second]
        return Elimination.from_stages(stages, order, slice(int(starts[-1]), self.size), edges)

    def _degrees(self) -> Ints:
        ends = np.concatenate([self.first, self.second])
        return np.bincount(ends, minlength=self.size)

    def _whole_term(self, degrees: Ints) -> Flags | None:
        """The cheapest term whose levels are no neighbours of each other, if taking it is worth it."""
        if not self.term.size:
            return None
        inside = np.unique(self.term[self.first][self.term[self.first] == self.term[self.second]])
        free = np.zeros(self.size, dtype=bool)
        free[self.remaining] = True
        free &= ~self.keep
        options = []
        for term in np.setdiff1d(np.unique(self.term[free]), inside):
            leaving = free & (self.term == term)
            price = self._price(leaving, degrees)
            if price < self._saving(leaving):
                options.append((price / float(leaving.sum()), leaving))
        return min(options, key=lambda option: option[0])[1] if options else None

    def _independent(self, degrees: Ints) -> Flags:
        """Variables with fewer neighbours than each of their neighbours; chance settles ties."""
        rank = degrees.astype(np.int64) * self.size + self.luck
        rank[self.keep] = np.iinfo(np.int64).max
        smallest = np.full(self.size, np.iinfo(np.int64).max)
        np.minimum.at(smallest, self.first, rank[self.second])
        np.minimum.at(smallest, self.second, rank[self.first])
        chosen = np.zeros(self.size, dtype=bool)
        chosen[self.remaining] = True
        return np.asarray(chosen & ~self.keep & (rank < smallest))

    def _price(self, leaving: Flags, degrees: Ints) -> float:
        pairs = float(np.square(degrees[leaving].astype(float)).sum()) / 2.0
        return SECONDS_PER_STAGE + SECONDS_PER_PAIR * pairs

    def _saving(self, leaving: Flags) -> float:
        now, then = float(self.remaining.size), float(self.remaining.size - leaving.sum())
        return SECONDS_PER_DENSE_CUBE * (now**3 - then**3)

    def _eliminate(self, leaving: np.ndarray) -> None:
        """Record the stage and move to the graph that it leaves behind."""
        touches = leaving[self.first] | leaving[self.second]
        kept_edges, own = np.flatnonzero(~touches), np.flatnonzero(touches)
        goes_first = leaving[self.first[own]]
        leaver = np.where(goes_first, self.first[own], self.second[own])
        stayer = np.where(goes_first, self.second[own], self.first[own])
        by_leaver = np.argsort(leaver, kind="stable")
        own, leaver, stayer = own[by_leaver], leaver[by_leaver], stayer[by_leaver]
        gone = np.flatnonzero(leaving)
        start = np.searchsorted(leaver, np.append(gone, self.size))
        require_pairs(start, self.memory)
        left, right = pairs_within(start)
        remaining = self.remaining[~leaving[self.remaining]]
        local = np.empty(self.size, dtype=np.intp)
        local[remaining] = np.arange(remaining.size)
        pattern, place = Pattern.from_pairs(
            remaining.size,
            np.concatenate([local[self.first[kept_edges]], local[stayer[left]]]),
            np.concatenate([local[self.second[kept_edges]], local[stayer[right]]]),
        )

        def draft(position: Ints, offset: int) -> Stage:
            middle = offset + gone.size
            return Stage(
                leaving=slice(offset, middle),
                staying=slice(middle, self.size),
                own_edges=own,
                start=start,
                leaver=np.searchsorted(gone, leaver),
                stayer=position[stayer] - middle,
                kept_edges=kept_edges,
                kept_target=place[: kept_edges.size],
                pair_left=left,
                pair_right=right,
                pair_target=place[kept_edges.size :],
                edges_after=pattern.first.size,
            )

        self.gone.append(gone)
        self.drafts.append(draft)
        self.remaining = remaining
        self.first, self.second = remaining[pattern.first], remaining[pattern.second]
