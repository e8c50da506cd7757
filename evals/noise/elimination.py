"""Elimination of a sparse symmetric positive definite matrix, stage by stage, down to a dense core.

Each stage removes a set of variables no two of which are neighbours, so that their block is diagonal:

    S_RR  <-  S_RR - S_RE D^-1 S_ER,      D = diag(S_EE),

and the transpose of the same map carries the inverse back:

    C_ER = -D^-1 S_ER C_RR,     C_EE = D^-1 - D^-1 S_ER C_RE.

The order is found once for a pattern; numbers pass through it as often as wanted.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from evals.noise.arrays import Floats, Ints, tally
from evals.noise.dense import DenseCore, factor_core

LARGEST_TABLE = 30_000_000  # entries of a table that spares the sorting of keys


def distinct(keys: Ints, limit: int) -> tuple[Ints, Ints]:
    """The sorted distinct keys below a limit, and each key's place among them."""
    if limit > LARGEST_TABLE:
        found, place = np.unique(keys, return_inverse=True)
        return found, place.ravel()
    present = np.zeros(limit, dtype=bool)
    present[keys] = True
    found = np.flatnonzero(present)
    rank = np.empty(limit, dtype=np.int32)
    rank[found] = np.arange(found.size, dtype=np.int32)
    return found, rank[keys].astype(np.intp)


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
        keys, place = distinct(low.astype(np.int64) * size + high, size**2)
        return cls(size, keys // size, keys % size), place


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

    @cached_property
    def pairs_of_left(self) -> Ints:
        """How many pairs each own edge is the left of; they stand in order."""
        return np.bincount(self.pair_left, minlength=self.own_edges.size)

    def forward(self, diagonal: Floats, values: Floats) -> "tuple[Floats, Floats, StageNumbers]":
        """Take the leaving variables out; what stays, and what is needed to come back."""
        count = self.leaving.stop - self.leaving.start
        pivots = diagonal[:count]
        coupling = values[self.own_edges]
        ratio = coupling / pivots[self.leaver]
        rest = diagonal[count:] - tally(self.stayer, coupling * ratio, diagonal.size - count)
        products = np.repeat(coupling, self.pairs_of_left)
        products *= np.take(ratio, self.pair_right)
        after = tally(self.pair_target, products, self.edges_after)
        np.negative(after, out=after)
        after[self.kept_target] += values[self.kept_edges]
        return rest, after, StageNumbers(pivots, ratio)

    def down(self, x: Floats, numbers: "StageNumbers") -> None:
        """Take the leaving variables' part out of a right-hand side, in place."""
        pushed = numbers.ratio * x[self.leaving][self.leaver]
        x[self.staying] -= tally(self.stayer, pushed, x.size - self.staying.start)

    def up(self, x: Floats, numbers: "StageNumbers") -> None:
        """Bring what the staying variables mean for the leaving ones into a solution, in place."""
        pulled = numbers.ratio * x[self.staying][self.stayer]
        x[self.leaving] -= tally(self.leaver, pulled, numbers.pivots.size)

    def backward(self, numbers: "StageNumbers", diagonal: Floats, values: Floats) -> tuple[Floats, Floats]:
        """From the inverse's entries among those that stay, its entries among all of this stage."""
        ratio, edges = numbers.ratio, self.own_edges.size
        met = np.take(values, self.pair_target)
        cross = ratio * diagonal[self.stayer]
        cross += tally(self.pair_left, np.take(ratio, self.pair_right) * met, edges)
        met *= np.repeat(ratio, self.pairs_of_left)
        cross += tally(self.pair_right, met, edges)
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
    def from_stages(
        cls, stages: "tuple[Stage, ...]", order: Ints, core: slice, edges: tuple[Ints, Ints]
    ) -> "Elimination":
        """The elimination that leaves these edges (places in the order) in its core."""
        first, second = edges[0] - core.start, edges[1] - core.start
        return cls(order.size, order, stages, core, np.minimum(first, second), np.maximum(first, second))

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
        x = np.asarray(right, dtype=float)[self.order]
        for stage, kept in zip(self.stages, numbers, strict=True):
            stage.down(x, kept)
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
        if right.ndim == 1:
            return self._solve_one(right)
        x = np.asarray(right, dtype=float)[self.plan.order]
        for stage, kept, ratio in zip(self.plan.stages, self.numbers, self._maps, strict=True):
            if x[stage.leaving].any():
                x[stage.staying] -= ratio.T @ x[stage.leaving]
                x[stage.leaving] /= kept.pivots[:, None]
        x[self.plan.core] = self.core.solve(x[self.plan.core])
        return self._back(x)

    def _solve_one(self, right: Floats) -> Floats:
        x = np.asarray(right, dtype=float)[self.plan.order]
        for stage, kept in zip(self.plan.stages, self.numbers, strict=True):
            stage.down(x, kept)
            x[stage.leaving] /= kept.pivots
        x[self.plan.core] = self.core.solve(x[self.plan.core])
        for stage, kept in zip(reversed(self.plan.stages), reversed(self.numbers), strict=True):
            stage.up(x, kept)
        return x[self.plan.position]

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


def pairs_within(start: Ints) -> tuple[Ints, Ints]:
    """All pairs (left before right) of places within each of the runs that ``start`` bounds."""
    counts = np.diff(start)
    right_of = np.repeat(start[1:], counts) - np.arange(start[0], start[-1]) - 1
    left = np.repeat(np.arange(start[0], start[-1]), right_of)
    first_of_left = np.repeat(np.cumsum(right_of) - right_of, right_of)
    return left, left + 1 + np.arange(left.size) - first_of_left
