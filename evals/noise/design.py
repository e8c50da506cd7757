"""The mixed-model equations as a map from hyperparameters to matrix entries, built once.

Variables are the levels of all terms and the fixed effects. With T[n, a] the weight of variable a in
row n, w[n] the row's precision and lambda[n] its instrument's scale,

    B[a, b] = sum_n w[n] lambda[n]^(s_a + s_b) T[n, a] T[n, b],

which is linear in one number per group of rows with the same precision and scale.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from evals.noise.arrays import Flags, Floats, Ints, Label, combine_codes
from evals.noise.elimination import Elimination, Needed, Pattern, pairs_within
from evals.noise.planning import IN_CORE, LAST_IN_CORE, plan_elimination, require_pairs
from evals.noise.terms import Term


@dataclass(frozen=True)
class Design:
    """Everything about a fit that doesn't change with its hyperparameters."""

    y: Floats
    terms: tuple[Term, ...]
    fixed: sparse.csr_matrix  # (rows, fixed effects)
    fixed_names: tuple[str, ...]
    noise_of_row: Ints  # which noise sd; -1 where the standard error says it all
    noise_names: tuple[str, ...]
    variance_of_row: Floats  # known, from standard errors
    scale_of_row: Ints  # which free scale; -1 where it is 1
    scale_names: tuple[str, ...]
    reports: Mapping[str, sparse.csr_matrix]  # (levels reported, variables): linear functions of interest
    kept: tuple[str, ...] = ()  # terms whose levels stay in the dense core
    noise_factor: Floats | None = None  # what each row's noise sd is multiplied by
    own_weights: bool = False  # whether every row has its own precision
    memory: float | None = None  # gigabytes that may be taken; without it, what is free

    @cached_property
    def slices(self) -> dict[str, slice]:
        ends = np.cumsum([term.weights.shape[1] for term in self.terms])
        return {
            term.name: slice(int(end) - term.weights.shape[1], int(end))
            for term, end in zip(self.terms, ends, strict=True)
        }

    @cached_property
    def random_size(self) -> int:
        return sum(len(term.levels) for term in self.terms)

    @property
    def fixed_slice(self) -> slice:
        return slice(self.random_size, self.size)

    @cached_property
    def size(self) -> int:
        return self.random_size + int(self.fixed.shape[1])

    @cached_property
    def term_of_variable(self) -> Ints:
        return np.repeat(np.arange(len(self.terms)), [term.weights.shape[1] for term in self.terms])

    @cached_property
    def weights(self) -> sparse.csr_matrix:
        """T: (rows, variables)."""
        matrix = sparse.csr_matrix(sparse.hstack([*(term.weights for term in self.terms), self.fixed]))
        matrix.sort_indices()
        return matrix

    @cached_property
    def is_scaled(self) -> Flags:
        scaled = [np.full(term.weights.shape[1], term.is_scaled) for term in self.terms]
        return np.concatenate([*scaled, np.zeros(self.fixed.shape[1], dtype=bool)])

    @cached_property
    def scaled_weights(self) -> sparse.csr_matrix:
        return sparse.csr_matrix(self.weights @ sparse.diags(self.is_scaled.astype(float)))

    @cached_property
    def row_groups(self) -> tuple[Ints, Ints, Floats, Floats]:
        """Each row's group of one precision; each group's noise, known variance and squared noise factor."""
        factor = np.ones(self.y.size) if self.noise_factor is None else self.noise_factor**2
        if self.own_weights:
            return np.arange(self.y.size), self.noise_of_row, self.variance_of_row, factor
        group, first = combine_codes(self.noise_of_row, self.variance_of_row, factor)
        return group, self.noise_of_row[first], self.variance_of_row[first], factor[first]

    @cached_property
    def row_counts(self) -> Ints:
        return np.bincount(self.row_groups[0], minlength=self.row_groups[1].size)

    def precisions(self, noise: Floats) -> Floats:
        """Each row group's precision."""
        _, of_group, known, factor = self.row_groups
        padded = np.append(noise, 0.0)
        return np.asarray(1.0 / (padded[of_group] ** 2 * factor + known))

    def report_pairs(self, name: str) -> tuple[Ints, Ints, Floats]:
        """For a report's cross terms: its level, the pair's place in the pattern, and the coefficient."""
        return self._report_pairs[name]

    @cached_property
    def _report_pairs(self) -> dict[str, tuple[Ints, Ints, Floats]]:
        pattern, found = self.entries.pattern, {}
        keys = pattern.first.astype(np.int64) * self.size + pattern.second
        for name, matrix in self.reports.items():
            left, right = pairs_within(matrix.indptr.astype(np.intp))
            level = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))[left]
            ends = np.sort(np.stack([matrix.indices[left], matrix.indices[right]]).astype(np.int64), axis=0)
            place = np.searchsorted(keys, ends[0] * self.size + ends[1])
            found[name] = (level, place, matrix.data[left] * matrix.data[right])
        return found

    @cached_property
    def squared_reports(self) -> dict[str, sparse.csr_matrix]:
        """The reports with every coefficient squared."""
        return {name: matrix.multiply(matrix).tocsr() for name, matrix in self.reports.items()}

    @cached_property
    def row_pairs(self) -> tuple[Ints, Ints, Ints]:
        """Pairs of variables within rows, as places in T's data, and their place in the pattern."""
        weights, pattern = self.weights, self.entries.pattern
        left, right = pairs_within(weights.indptr.astype(np.intp))
        ends = np.sort(np.stack([weights.indices[left], weights.indices[right]]).astype(np.int64), axis=0)
        keys = pattern.first.astype(np.int64) * self.size + pattern.second
        return left, right, np.searchsorted(keys, ends[0] * self.size + ends[1])

    @cached_property
    def reported(self) -> Needed:
        """What elimination must come back to for the reports."""
        wanted = np.unique(np.concatenate([matrix.indices for matrix in self.reports.values()]))
        return Needed.of(self.elimination, wanted)

    @cached_property
    def entries(self) -> "Entries":
        return Entries.of(self)

    @cached_property
    def elimination(self) -> Elimination:
        place = np.zeros(self.size, dtype=np.intp)
        place[self.fixed_slice] = IN_CORE
        for name in self.kept:
            place[self.slices[name]] = LAST_IN_CORE
        term = np.append(self.term_of_variable, np.full(self.fixed.shape[1], len(self.terms)))
        return plan_elimination(self.entries.pattern, place=place, term=term, memory=self.memory)


@dataclass(frozen=True)
class Entries:
    """The linear map from the groups' numbers to the entries of B."""

    pattern: Pattern
    on_diagonal: sparse.csr_matrix  # (variables, cells)
    off_diagonal: sparse.csr_matrix  # (pairs, cells)
    group: Ints  # of each cell: rows of one precision
    scale: Ints  # of each cell: which free scale
    power: Ints  # of each cell: how often the scale enters

    @classmethod
    def of(cls, design: Design) -> "Entries":
        weights = design.weights
        require_pairs(weights.indptr, design.memory)
        left, right = pairs_within(weights.indptr.astype(np.intp))
        first, second = weights.indices[left], weights.indices[right]
        extra = _report_pairs(design)
        pattern, place = Pattern.from_pairs(
            design.size, np.concatenate([first, extra[0]]), np.concatenate([second, extra[1]])
        )
        row = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
        scaled = design.is_scaled[weights.indices].astype(np.intp)
        cells, cell_of = _cells(design)
        diagonal_cell = cell_of(row, 2 * scaled)
        pair_cell = cell_of(row[left], scaled[left] + scaled[right])
        width = cells.shape[0]
        return cls(
            pattern=pattern,
            on_diagonal=sparse.csr_matrix(
                (weights.data**2, (weights.indices, diagonal_cell)), shape=(design.size, width)
            ),
            off_diagonal=sparse.csr_matrix(
                (weights.data[left] * weights.data[right], (place[: left.size], pair_cell)),
                shape=(pattern.first.size, width),
            ),
            group=cells[:, 0],
            scale=cells[:, 1],
            power=cells[:, 2],
        )

    def factors(self, precision: Floats, scale: Floats) -> Floats:
        """Each cell's number."""
        return np.asarray(precision[self.group] * np.append(scale, 1.0)[self.scale] ** self.power)


def _cells(design: Design) -> tuple[Ints, "CellOf"]:
    """All combinations of row group, free scale and power, and a function to their index."""
    group = design.row_groups[0]
    of_row, first = combine_codes(group, design.scale_of_row)
    distinct = np.stack([group[first], design.scale_of_row[first]], axis=1)
    powers = 3 if design.scale_names else 1
    cells = np.column_stack(
        [np.repeat(distinct, powers, axis=0), np.tile(np.arange(powers), distinct.shape[0])]
    )
    return cells, CellOf(of_row, powers)


@dataclass(frozen=True)
class CellOf:
    of_row: Ints
    powers: int

    def __call__(self, row: Ints, power: Ints) -> Ints:
        return self.of_row[row] * self.powers + (power if self.powers > 1 else 0)


def _report_pairs(design: Design) -> tuple[Ints, Ints]:
    """Pairs of variables whose covariance a reported function needs."""
    firsts, seconds = [np.empty(0, dtype=np.intp)], [np.empty(0, dtype=np.intp)]
    for matrix in design.reports.values():
        left, right = pairs_within(matrix.indptr.astype(np.intp))
        firsts.append(matrix.indices[left])
        seconds.append(matrix.indices[right])
    return np.concatenate(firsts), np.concatenate(seconds)


def fixed_effects(
    columns: Sequence[tuple[str, Floats]],
    means: sparse.csr_matrix,
    levels: Sequence[Label],
    *,
    time: Floats | None = None,
) -> tuple[sparse.csr_matrix, tuple[str, ...]]:
    """A mean for each instrument and a slope for each covariate; refuses what can't be told apart."""
    names: list[str] = ["mu"] if len(levels) == 1 else [f"mu[{level}]" for level in levels]
    matrix = sparse.csr_matrix(means)
    for name, values in columns:
        if name in names:
            raise ValueError(f"Covariate {name!r} has the name of a grand mean: give its column another.")
        wider = sparse.csr_matrix(sparse.hstack([matrix, sparse.csr_matrix(values[:, None])]))
        if _follows(wider):
            raise ValueError(f"Covariate {name!r} follows from the other fixed effects: leave it out.")
        matrix = wider
        names.append(name)
    if time is not None:
        wider = sparse.csr_matrix(sparse.hstack([matrix, sparse.csr_matrix(time[:, None])]))
        if not _follows(wider):
            matrix, names = wider, [*names, "time"]
    rows, size = matrix.shape
    if 0 < rows <= size:
        raise ValueError(
            f"{rows} scores leave nothing to learn of people beside {size} means and slopes: "
            "leave out covariates, or put rare instruments together."
        )
    return matrix, tuple(names)


def _follows(matrix: sparse.csr_matrix) -> bool:
    """Whether the last column is a combination of the others."""
    gram = np.asarray((matrix.T @ matrix).todense())
    size = np.sqrt(gram.diagonal())
    return bool(not size[-1] or np.linalg.eigvalsh(gram / np.outer(size, size))[0] < 1e-10)
