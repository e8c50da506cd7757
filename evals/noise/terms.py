"""Terms of the model as data: a name, levels, and the weight of each level in each row.

The catalogue builds them from the observations; a fit is any list of them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from scipy import sparse

from evals.noise.arrays import Floats, Ints, Label
from evals.noise.labels import Column
from evals.noise.observations import Observations

DEFAULT_TERMS = ("person", "aspect", "rater", "habit", "affinity", "halo", "output")
OPTIONAL_TERMS = ("growth", "form", "project", "panel")  # join where the design can tell them apart
PERSON_SIDE = ("person", "growth", "form", "aspect", "project")


@dataclass(frozen=True)
class Term:
    """One source of variation: every level is drawn from N(0, sd²), and ``weights`` says where it counts."""

    name: str
    levels: tuple[Label, ...]
    weights: sparse.csr_matrix  # (rows, levels)
    is_scaled: bool = True  # by the instrument's scale
    holds: tuple[str, ...] = ()  # names of the terms that were merged into it

    @property
    def kind(self) -> str:
        return self.name.partition("[")[0]

    @property
    def pairs(self) -> tuple[tuple[Label, Label], ...]:
        """Levels that are cells of two labels."""
        return cast(tuple[tuple[Label, Label], ...], self.levels)

    @classmethod
    def cells(cls, name: str, column: Column, *, is_scaled: bool = True) -> "Term":
        """One level for each label of this column."""
        return cls(name, column.levels, indicator(column), is_scaled)


def indicator(column: Column) -> sparse.csr_matrix:
    """A one where a row has a level: (rows, levels)."""
    rows = np.flatnonzero(column.known)
    return sparse.csr_matrix(
        (np.ones(rows.size), (rows, column.codes[rows])), shape=(column.codes.size, len(column.levels))
    )


def credit_weights(
    shares: sparse.csr_matrix, *, exponent: float = 1.0, norm: str = "sum"
) -> sparse.csr_matrix:
    """Weights of people in what they own: shares to a power, divided by their sum or Euclidean norm."""
    if norm not in ("sum", "euclidean"):
        raise ValueError(f"The credit norm {norm!r} is unknown: use sum or euclidean.")
    weights = sparse.csr_matrix(shares, copy=True)
    weights.eliminate_zeros()
    weights.data = weights.data**exponent
    size = weights.sum(axis=1) if norm == "sum" else np.sqrt(weights.multiply(weights).sum(axis=1))
    scale = 1.0 / np.asarray(size).ravel().clip(min=np.finfo(float).tiny)
    return sparse.csr_matrix(sparse.diags(scale) @ weights)


@dataclass(frozen=True)
class Catalogue:
    """Builds terms by name; ``weights`` are the people's weights in each row."""

    observations: Observations
    weights: sparse.csr_matrix
    walk: bool = False  # whether form is a sum of increments

    def build(self, name: str) -> list[Term]:
        """The terms of this name that the observations have columns for."""
        if name not in BUILDERS:
            raise ValueError(f"Term {name!r} is unknown: use {', '.join(BUILDERS)}.")
        return BUILDERS[name](self)

    def column(self, name: str) -> Column | None:
        return self.observations.column(name)

    @property
    def rated(self) -> Column:
        """The instrument of each row, but for graders' instruments."""
        instrument = self.observations.instrument
        measured = [level in self.observations.measured_instruments for level in instrument.levels]
        return _without(instrument, np.array(measured))

    def person(self) -> list[Term]:
        return [Term("person", self.observations.people, self.weights)]

    def aspect(self) -> list[Term]:
        """By person and criterion, everybody and every criterion; a benchmark's metrics share their own."""
        rated = self.rated
        terms = [self._by_person("aspect", rated, everybody=True)] if len(rated.levels) > 1 else []
        for name in self.observations.metrics:
            terms.append(
                replace(self._by_person(f"aspect[{name}]", self._measured_by(name)), is_scaled=False)
            )
        return terms

    def _measured_by(self, benchmark: Label) -> Column:
        """One level, in the rows of this benchmark's metrics."""
        instrument, metrics = self.observations.instrument, self.observations.metrics[benchmark]
        mine = np.array([level in metrics for level in instrument.levels])[instrument.codes]
        return Column(np.where(mine, 0, -1), (benchmark,))

    def growth(self) -> list[Term]:
        """Change per unit of time since the start."""
        seen = self.observations
        if seen.time is None or not np.any(seen.time != seen.start):
            return []
        elapsed = sparse.diags(seen.time - seen.start)
        return [Term("growth", seen.people, sparse.csr_matrix(elapsed @ self.weights))]

    def form(self) -> list[Term]:
        """By person and period; as a walk, by person and increment from one period to the next."""
        period = self.column("period")
        if period is None or len(period.levels) < 2:
            return []
        if not self.walk:
            return [self._by_person("form", period, everybody=True)]
        steps = [
            self._by_person("form", Column(np.where(period.codes >= at, 0, -1), (level,)), everybody=True)
            for at, level in enumerate(period.levels)
            if at > 0
        ]
        levels = tuple(level for step in steps for level in step.levels)
        return [Term("form", levels, sparse.csr_matrix(sparse.hstack([step.weights for step in steps])))]

    def affinity(self) -> list[Term]:
        return self._with(self.column("rater"), lambda rater: self._by_person("affinity", rater))

    def project(self) -> list[Term]:
        return self._plain("project", "project")

    def output(self) -> list[Term]:
        return self._plain("output", "output")

    def rater(self) -> list[Term]:
        return self._plain("rater", "rater")

    def habit(self) -> list[Term]:
        rated = self.rated
        return self._plain("habit", "rater", also=rated) if len(rated.levels) > 1 else []

    def halo(self) -> list[Term]:
        """By output and rater; a benchmark of several metrics takes the rater's place, outside its scale."""
        terms = self._plain("halo", "output", also=self.column("rater"))
        output, occasion = self.column("output"), self.column("occasion")
        for name, metrics in self.observations.metrics.items():
            if output is not None and len(metrics) > 1:
                named = [
                    column for column in (output, occasion, self._measured_by(name)) if column is not None
                ]
                terms.append(Term.cells(f"halo[{name}]", Column.combine(*named), is_scaled=False))
        return terms

    def panel(self) -> list[Term]:
        return self._plain("panel", "output", also=self.column("panel"))

    def _plain(self, name: str, column: str, also: Column | str | None = "") -> list[Term]:
        first = self.column(column)
        if first is None or also is None:
            return []
        cells = first if isinstance(also, str) else Column.combine(first, also)
        return [Term.cells(name, cells)] if cells.levels else []

    def _with(self, column: Column | None, build: Callable[[Column], Term]) -> list[Term]:
        return [] if column is None or not column.known.any() else [build(column)]

    def _by_person(self, name: str, column: Column, *, everybody: bool = False) -> Term:
        """Cells of person and label, weighted by credit."""
        entries = self.weights.tocoo()
        code = column.codes[entries.row]
        known = code >= 0
        width = len(column.levels)
        cell = entries.col[known] * width + code[known]
        used: Ints = np.arange(len(self.observations.people) * width) if everybody else np.unique(cell)
        people = self.observations.people
        levels = tuple((people[at // width], column.levels[at % width]) for at in used.tolist())
        where = (entries.row[known], np.searchsorted(used, cell))
        shape = (self.weights.shape[0], used.size)
        return Term(name, levels, sparse.csr_matrix((entries.data[known], where), shape=shape))


BUILDERS: dict[str, Callable[[Catalogue], list[Term]]] = {
    name: getattr(Catalogue, name)
    for name in (
        "person",
        "growth",
        "form",
        "aspect",
        "project",
        "output",
        "affinity",
        "rater",
        "habit",
        "halo",
        "panel",
    )
}


def _without(column: Column, dropped: np.ndarray) -> Column:
    """The column with these levels gone from it."""
    keep = np.flatnonzero(~dropped)
    new = np.full(len(column.levels) + 1, -1, dtype=np.intp)
    new[keep] = np.arange(keep.size)
    return Column(new[column.codes], tuple(column.levels[at] for at in keep))


def merge_equal(terms: Iterable[Term], *, asymmetric: bool) -> tuple[list[Term], list[str]]:
    """Terms of one side with equal columns become one, and what has a level per row joins the noise; with notes."""
    kept: list[Term] = []
    notes: list[str] = []
    for term in sorted(terms, key=_merge_rank):
        is_luck = term.name == "output" and asymmetric
        twin = next((at for at, other in enumerate(kept) if _are_twins(other, term)), None)
        if twin is not None:
            other = kept[twin]
            kept[twin] = replace(other, holds=(*other.holds, term.name))
            notes.append(
                f"{term.name} can't be told apart from {other.name} here: {other.name} stands for both."
            )
        elif term.kind in NOISE_SIDE and not is_luck and _is_one_per_row(term):
            notes.append(f"{term.name} can't be told apart from noise here: noise stands for both.")
        else:
            notes += _confounded(term, kept)
            kept.append(term)
    order = list(BUILDERS)
    return sorted(kept, key=lambda term: order.index(term.kind)), notes


def _confounded(term: Term, kept: Sequence[Term]) -> list[str]:
    """That the scores don't say how a term and one of the other side, or noise, divide what they explain."""
    others = [other.name for other in kept if _have_equal_columns(other, term)]
    if term.kind in PERSON_SIDE and _is_one_per_row(term):
        others.append("noise")
    return [
        f"{term.name} can't be told apart from {other} here: how they divide the variation rests on the prior alone."
        for other in others
    ]


NOISE_SIDE = ("output", "affinity", "halo", "panel", "habit")
MERGE_ORDER = ("person", "output", "rater", "project", "aspect", "affinity", "habit", "halo", "panel")


def _merge_rank(term: Term) -> int:
    return MERGE_ORDER.index(term.kind) if term.kind in MERGE_ORDER else len(MERGE_ORDER)


def _is_one_per_row(term: Term) -> bool:
    counts = np.asarray((term.weights != 0).sum(axis=0)).ravel()
    return bool(
        (counts <= 1).all() and term.weights.nnz == term.weights.shape[0] and (term.weights.data == 1).all()
    )


def _are_twins(one: Term, other: Term) -> bool:
    """Whether the two are of one side and have the same used columns."""
    return (one.kind in PERSON_SIDE) == (other.kind in PERSON_SIDE) and _have_equal_columns(one, other)


def _have_equal_columns(one: Term, other: Term) -> bool:
    """Whether the two have the same used columns, in whatever order."""
    if one.is_scaled != other.is_scaled or one.weights.nnz != other.weights.nnz:
        return False
    return bool(np.array_equal(_fingerprint(one), _fingerprint(other)))


def _fingerprint(term: Term) -> Floats:
    """Random projections of the columns, sorted: equal where the columns are."""
    probe = np.random.default_rng(11).standard_normal((2, term.weights.shape[0]))
    used = np.asarray((term.weights != 0).sum(axis=0)).ravel() > 0
    marks = np.asarray(probe @ term.weights)[:, used]
    return np.asarray(marks[:, np.lexsort(marks)])
