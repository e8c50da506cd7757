"""Linear functions of the levels that results are about: a person's level, a reader's shift, an output's quality."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from evals.noise.arrays import Label
from evals.noise.labels import Column
from evals.noise.observations import Observations
from evals.noise.terms import Term

QUALITY_TERMS = ("person", "growth", "form", "aspect", "project", "output")


@dataclass(frozen=True)
class Moment:
    """When a person's level is meant: a time for growth and a period for form."""

    time: float | None = None
    period: Label = None
    walked: tuple[Label, ...] = ()  # periods whose increments add up to this one's form

    @classmethod
    def of(cls, observations: Observations, at: float | None, *, walk: bool = False) -> "Moment":
        """The given time, or the last; the period that the last row up to then lies in."""
        moment = cls._plain(observations, at)
        period = observations.column("period")
        if not walk or period is None or moment.period is None:
            return replace(moment, walked=(moment.period,))
        return replace(moment, walked=period.levels[: period.levels.index(moment.period) + 1])

    @classmethod
    def _plain(cls, observations: Observations, at: float | None) -> "Moment":
        times, period = observations.time, observations.column("period")
        last = None if times is None else float(times.max()) if at is None else at
        if period is None or not period.levels:
            return cls(last)
        if times is None or last is None or not (times <= last).any():
            return cls(last, period.levels[-1])
        rows = np.flatnonzero((times <= last) & period.known)
        newest = rows[np.argmax(times[rows])] if rows.size else 0
        return cls(last, period.levels[period.codes[newest]])


def person_report(
    observations: Observations, terms: Sequence[Term], moment: Moment
) -> list[sparse.csr_matrix]:
    """For each term, its part in every person's level: (people, levels)."""
    people = observations.people
    place = {person: at for at, person in enumerate(people)}
    elapsed = 0.0 if moment.time is None else moment.time - observations.start
    return [
        _only_project(observations, term)
        if term.name == "project"
        else _part_in_level(term, place, elapsed, moment.walked)
        for term in terms
    ]


def _only_project(observations: Observations, term: Term) -> sparse.csr_matrix:
    """A project's part in the level of those all of whose outputs lie in it."""
    column = observations.column("project")
    shape = (len(observations.people), len(term.levels))
    if column is None:
        return sparse.csr_matrix(shape)
    entries = observations.credit.tocoo()
    code = column.codes[entries.row]
    known = (code >= 0) & (entries.data > 0)
    cells = np.unique(np.stack([entries.col[known], code[known]], axis=1), axis=0)
    alone = np.bincount(cells[:, 0], minlength=shape[0])[cells[:, 0]] == 1
    rows, columns = cells[alone].T
    return sparse.csr_matrix((np.ones(rows.size), (rows, columns)), shape=shape)


def _part_in_level(
    term: Term, place: dict[Label, int], elapsed: float, walked: tuple[Label, ...]
) -> sparse.csr_matrix:
    shape = (len(place), len(term.levels))
    if term.name == "person":
        return sparse.identity(len(place), format="csr")
    if term.name == "growth":
        return sparse.csr_matrix(sparse.identity(len(place)) * elapsed)
    if term.name in ("aspect", "form"):
        cells = [(at, *level) for at, level in enumerate(term.levels) if isinstance(level, tuple)]
        wanted = [
            (at, place[person]) for at, person, other in cells if term.name == "aspect" or other in walked
        ]
        criteria = len({other for _, _, other in cells}) if term.name == "aspect" else 1
        columns, rows = np.array(wanted, dtype=np.intp).reshape(-1, 2).T
        return sparse.csr_matrix((np.full(rows.size, 1.0 / criteria), (rows, columns)), shape=shape)
    return sparse.csr_matrix(shape)


def output_report(
    terms: Sequence[Term], output: Column, levels: Sequence[sparse.csr_matrix]
) -> list[sparse.csr_matrix]:
    """For each term, its part in every output's quality: (outputs, levels)."""
    rows = np.flatnonzero(output.known)
    counts = output.counts()[output.codes[rows]]
    average = sparse.csr_matrix(
        (1.0 / counts, (output.codes[rows], rows)), shape=(len(output.levels), output.codes.size)
    )
    person = next((term for term in terms if term.name == "person"), None)
    parts = []
    for term, level in zip(terms, levels, strict=True):
        if term.name == "aspect" and person is not None:
            parts.append(sparse.csr_matrix(average @ person.weights @ level))
        elif term.kind in QUALITY_TERMS and term.is_scaled:
            parts.append(sparse.csr_matrix(average @ term.weights))
        else:
            parts.append(sparse.csr_matrix((len(output.levels), len(term.levels))))
    return parts


def identity_report(terms: Sequence[Term], name: str) -> list[sparse.csr_matrix]:
    """For each term, its part in the levels of the one term of this name."""
    size = next(len(term.levels) for term in terms if term.name == name)
    return [
        sparse.identity(size, format="csr")
        if term.name == name
        else sparse.csr_matrix((size, len(term.levels)))
        for term in terms
    ]


def joined(parts: Sequence[sparse.csr_matrix], fixed: int) -> sparse.csr_matrix:
    """One matrix over all variables, fixed effects with no part."""
    rows = parts[0].shape[0]
    matrix = sparse.csr_matrix(sparse.hstack([*parts, sparse.csr_matrix((rows, fixed))]))
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix
