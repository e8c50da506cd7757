"""Elimination of a sparse symmetric positive definite matrix, stage by stage, down to a dense core.

Each stage removes a set of variables no two of which are neighbours, so that their block is diagonal:

    S_RR  <-  S_RR - S_RE D^-1 S_ER,      D = diag(S_EE),

and the transpose of the same map carries the inverse back:

    C_ER = -D^-1 S_ER C_RR,     C_EE = D^-1 - D^-1 S_ER C_RE.

The order is found once for a pattern; numbers pass through it as often as wanted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy import sparse

from evals.noise.arrays import Floats, Ints, tally
from evals.noise.dense import DenseCore, factor_core

SECONDS_PER_PAIR = 2.5e-8
SECONDS_PER_STAGE = 2e-4
SECONDS_PER_DENSE_CUBE = 5e-11

IN_CORE, LAST_IN_CORE = 1, 2


@dataclass(frozen=True)
class Pattern:
    """The neighbours in a symmetric matrix: each pair once, first below second."""

    size: int
    first: Ints
    second: Ints

    @classmethod
    def from_pairs(cls, size: int, first: Ints, second: Ints) -> "tuple[Pattern, Ints]":
        """The pattern of these pairs, and for each pair its place in it."""
        low, high = np.minimum(first, second), np.maximum(first, second)
        keys, place = np.unique(low.astype(np.int64) * size + high, return_inverse=True)
        return cls(size, keys // size, keys % size), place.ravel()


@dataclass(frozen=True)
class Stage:
    """One set of variables that leaves: its edges to those that stay, and what their products meet."""

    leaving: slice
    staying: slice
    own_edges: Ints  # places in the stage's edges, grouped by the leaving variable
    start: Ints
    leaver: Ints  # for each own edge, counted within the leaving
    stayer: Ints  # for each own edge, counted within the staying
    kept_edges: Ints
    kept_target: Ints
    pair_left: Ints
    pair_right: Ints
    pair_target: Ints
    edges_after: int

    def forward(self, diagonal: Floats, values: Floats) -> "tuple[Floats, Floats, StageNumbers]":
        """Take the leaving variables out; what stays, and what is needed to come back."""
        count = self.leaving.stop - self.leaving.start
        pivots = diagonal[:count]
        coupling = values[self.own_edges]
        ratio = coupling / pivots[self.leaver]
        rest = diagonal[count:] - tally(self.stayer, coupling * ratio, diagonal.size - count)
        products = coupling[self.pair_left] * ratio[self.pair_right]
        after = tally(self.pair_target, products, self.edges_after)
        np.negative(after, out=after)
        after[self.kept_target] += values[self.kept_edges]
        return rest, after, StageNumbers(pivots, ratio)

    def backward(self, numbers: "StageNumbers", diagonal: Floats, values: Floats) -> tuple[Floats, Floats]:
        """From the inverse's entries among those that stay, its entries among all of this stage."""
        ratio, edges = numbers.ratio, self.own_edges.size
        met = values[self.pair_target]
        cross = ratio * diagonal[self.stayer]
        cross += tally(self.pair_left, ratio[self.pair_right] * met, edges)
        cross += tally(self.pair_right, ratio[self.pair_left] * met, edges)
        own = 1.0 / numbers.pivots + tally(self.leaver, ratio * cross, numbers.pivots.size)
        before = np.empty(edges + self.kept_edges.size)
        before[self.own_edges] = -cross
        before[self.kept_edges] = values[self.kept_target]
        return np.concatenate([own, diagonal]), before


@dataclass(frozen=True)
class StageNumbers:
    pivots: Floats
    ratio: Floats


@dataclass(frozen=True)
class Elimination:
    """An order of elimination for one pattern of neighbours."""

    size: int
    order: Ints
    stages: tuple[Stage, ...]
    core: slice
    core_first: Ints
    core_second: Ints

    @classmethod
    def plan(cls, pattern: Pattern, place: Ints) -> "Elimination":
        """Choose the stages; ``place`` marks variables that stay in the dense core, and last in it."""
        return _Planner(pattern, place).plan()

    def ratios(self, numbers: "tuple[StageNumbers, ...]") -> tuple[sparse.csr_matrix, ...]:
        """Each stage's ratios as a matrix: (leaving, staying)."""
        return tuple(
            sparse.csr_matrix(
                (kept.ratio, stage.stayer, stage.start),
                shape=(kept.pivots.size, self.size - stage.staying.start),
            )
            for stage, kept in zip(self.stages, numbers, strict=True)
        )

    def down(self, right: Floats, numbers: "tuple[StageNumbers, ...]") -> Floats:
        """The part of a right-hand side that reaches the core."""
        x = right[self.order].astype(float)
        for stage, ratio in zip(self.stages, self.ratios(numbers), strict=True):
            x[stage.staying] -= ratio.T @ x[stage.leaving]
        return np.asarray(x[self.core])

    @cached_property
    def position(self) -> Ints:
        position = np.empty(self.size, dtype=np.intp)
        position[self.order] = np.arange(self.size)
        return position

    def factor(self, diagonal: Floats, values: Floats, device: str = "cpu") -> "Factor":
        """Factor the matrix with these numbers; ``values`` are in the pattern's order."""
        numbers, core = self.reduce(diagonal, values)
        return Factor(self, numbers, factor_core(core, device))

    def reduce(self, diagonal: Floats, values: Floats) -> "tuple[tuple[StageNumbers, ...], Floats]":
        """Eliminate down to the dense core, of which the lower triangle is filled."""
        rest, numbers = diagonal[self.order], []
        for stage in self.stages:
            rest, values, kept = stage.forward(rest, values)
            numbers.append(kept)
        core = np.zeros((rest.size, rest.size), order="F")
        core[self.core_second, self.core_first] = values
        core[np.arange(rest.size), np.arange(rest.size)] = rest
        return tuple(numbers), core


@dataclass(frozen=True)
class Needed:
    """For each stage, the leaving variables that some wanted variables depend on."""

    rows: tuple[Ints, ...]

    @classmethod
    def of(cls, plan: Elimination, wanted: Ints) -> "Needed":
        marked = np.zeros(plan.size, dtype=bool)
        marked[plan.position[wanted]] = True
        rows = []
        for stage in plan.stages:
            here = marked[stage.leaving]
            rows.append(np.flatnonzero(here))
            marked[stage.staying.start + stage.stayer[here[stage.leaver]]] = True
        return cls(tuple(rows))


@dataclass(frozen=True)
class Factor:
    """A factored matrix: its determinant, solutions, entries of its inverse, draws."""

    plan: Elimination
    numbers: tuple[StageNumbers, ...]
    core: DenseCore

    @cached_property
    def log_determinant(self) -> float:
        return float(sum(np.log(kept.pivots).sum() for kept in self.numbers) + self.core.log_determinant)

    @cached_property
    def inverse_entries(self) -> tuple[Floats, Floats]:
        """The inverse's diagonal and its entries on the pattern."""
        dense = self.core.inverse
        diagonal = np.ascontiguousarray(dense.diagonal())
        values = dense[self.plan.core_second, self.plan.core_first]
        for stage, kept in zip(reversed(self.plan.stages), reversed(self.numbers), strict=True):
            diagonal, values = stage.backward(kept, diagonal, values)
        return diagonal[self.plan.position], values

    @cached_property
    def _maps(self) -> tuple[sparse.csr_matrix, ...]:
        return self.plan.ratios(self.numbers)

    def last_columns(self, count: int, needed: "Needed") -> Floats:
        """The inverse's columns of the core's last variables, in the rows that are needed (others are 0)."""
        x = np.zeros((self.plan.size, count))
        dense = self.core.inverse
        first = dense.shape[0] - count
        x[self.plan.core.start : self.plan.core.stop - count] = dense[first:, :first].T
        corner = np.tril(dense[first:, first:])
        x[self.plan.core.stop - count :] = corner + np.tril(corner, -1).T
        for stage, ratio, rows in zip(
            reversed(self.plan.stages), reversed(self._maps), reversed(needed.rows), strict=True
        ):
            x[stage.leaving.start + rows] = -(ratio[rows] @ x[stage.staying])
        return x[self.plan.position]

    def solve(self, right: Floats) -> Floats:
        """The matrix's inverse times ``right``, a vector or several columns."""
        x = right[self.plan.order].astype(float)
        for stage, kept, ratio in zip(self.plan.stages, self.numbers, self._maps, strict=True):
            x[stage.staying] -= ratio.T @ x[stage.leaving]
            x[stage.leaving] /= kept.pivots.reshape(-1, *[1] * (x.ndim - 1))
        x[self.plan.core] = self.core.solve(x[self.plan.core])
        return self._back(x)

    def draw(self, rng: np.random.Generator, draws: int) -> Floats:
        """Draws (variables, draws) from the normal with this matrix as precision and mean zero."""
        x = rng.standard_normal((self.plan.size, draws))[self.plan.order]
        for stage, kept in zip(self.plan.stages, self.numbers, strict=True):
            x[stage.leaving] /= np.sqrt(kept.pivots)[:, None]
        x[self.plan.core] = self.core.half_solve(x[self.plan.core])
        return self._back(x)

    def _back(self, x: Floats) -> Floats:
        for stage, ratio in zip(reversed(self.plan.stages), reversed(self._maps), strict=True):
            x[stage.leaving] -= ratio @ x[stage.staying]
        return x[self.plan.position]


class _Planner:
    """Finds stages greedily: independent variables of fewest neighbours, while that beats the dense core."""

    def __init__(self, pattern: Pattern, place: Ints) -> None:
        self.size = pattern.size
        self.remaining = np.arange(pattern.size)
        self.first, self.second = pattern.first, pattern.second
        self.place = place
        self.keep = place > 0
        self.luck = np.random.default_rng(20).permutation(pattern.size)
        self.gone: list[Ints] = []
        self.drafts: list[Callable[[Ints, int], Stage]] = []

    def plan(self) -> Elimination:
        while (leaving := self._independent()).any() and self._is_worth_it(leaving):
            self._eliminate(leaving)
        core_order = np.argsort(self.place[self.remaining] == LAST_IN_CORE, kind="stable")
        order = np.concatenate([*self.gone, self.remaining[core_order]])
        position = np.empty(self.size, dtype=np.intp)
        position[order] = np.arange(self.size)
        starts = np.cumsum([0, *[gone.size for gone in self.gone]])
        stages = [
            draft(position, int(start))
            for draft, (start, _) in zip(self.drafts, pairwise(starts), strict=True)
        ]
        core = slice(int(starts[-1]), self.size)
        first, second = position[self.first] - core.start, position[self.second] - core.start
        return Elimination(
            self.size, order, tuple(stages), core, np.minimum(first, second), np.maximum(first, second)
        )

    def _degrees(self) -> Ints:
        return np.bincount(self.first, minlength=self.size) + np.bincount(self.second, minlength=self.size)

    def _independent(self) -> np.ndarray:
        """Variables with fewer neighbours than each of their neighbours; chance settles ties."""
        rank = self._degrees().astype(np.int64) * self.size + self.luck
        rank[self.keep] = np.iinfo(np.int64).max
        smallest = np.full(self.size, np.iinfo(np.int64).max)
        np.minimum.at(smallest, self.first, rank[self.second])
        np.minimum.at(smallest, self.second, rank[self.first])
        chosen = np.zeros(self.size, dtype=bool)
        chosen[self.remaining] = True
        chosen &= ~self.keep & (rank < smallest)
        return chosen

    def _is_worth_it(self, leaving: np.ndarray) -> bool:
        degrees = self._degrees()[leaving].astype(float)
        now, then = float(self.remaining.size), float(self.remaining.size - leaving.sum())
        cost = SECONDS_PER_STAGE + SECONDS_PER_PAIR * float(np.square(degrees).sum()) / 2
        return cost < SECONDS_PER_DENSE_CUBE * (now**3 - then**3)

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
        left, right = pairs_within(start)
        pattern, place = Pattern.from_pairs(
            self.size,
            np.concatenate([self.first[kept_edges], stayer[left]]),
            np.concatenate([self.second[kept_edges], stayer[right]]),
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
        self.remaining = self.remaining[~leaving[self.remaining]]
        self.first, self.second = pattern.first, pattern.second


def pairs_within(start: Ints) -> tuple[Ints, Ints]:
    """All pairs (left before right) of places within each of the runs that ``start`` bounds."""
    counts = np.diff(start)
    right_of = np.repeat(start[1:], counts) - np.arange(start[0], start[-1]) - 1
    left = np.repeat(np.arange(start[0], start[-1]), right_of)
    first_of_left = np.repeat(np.cumsum(right_of) - right_of, right_of)
    return left, left + 1 + np.arange(left.size) - first_of_left
