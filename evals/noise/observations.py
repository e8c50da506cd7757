"""The one table that the engine reads: scores, what they are about and who gave them, checked once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy import sparse

from evals.noise.arrays import Floats, Label
from evals.noise.labels import Column, is_missing
from evals.noise.validation import (
    LABEL_COLUMNS,
    Credit,
    check_benchmarks,
    check_columns,
    check_limits,
    check_repeats,
    numbers,
    ownership,
)

ONE_INSTRUMENT = "score"
MOST_CATEGORIES = 11  # more distinct scores than this are no scale of categories


@dataclass(frozen=True)
class Observations:
    """Scores with their labels, validated; make it with ``from_columns`` or ``from_rows``.

    ``person`` names the owner of each row where there is no credit; with credit, rows belong to
    outputs and outputs to teams. A measurement has no rater and, in ``se``, a known standard error.
    """

    score: Floats
    columns: Mapping[str, Column]
    time: Floats | None
    se: Floats
    people: tuple[Label, ...]
    shares: sparse.csr_matrix  # (owners, people); owners are outputs, or people where rows name them
    owner: Column
    covariates: Mapping[str, Floats]
    limits: Mapping[Label, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]], **options: Any) -> Self:
        """The table of these rows, dictionaries with the columns' names as keys."""
        listed = list(rows)
        names = {name for row in listed for name in row}
        columns: dict[str, Any] = {name: [row.get(name) for row in listed] for name in sorted(names)}
        if "score" not in columns:
            raise ValueError("There is no observation with a score: give at least one row that has one.")
        return cls.from_columns(columns.pop("score"), **columns, **options)

    @classmethod
    def from_columns(
        cls,
        score: Sequence[Any] | Floats,
        *,
        person: Sequence[Label] | None = None,
        credit: Credit | None = None,
        people: Iterable[Label] = (),
        instruments: Iterable[Label] | None = None,
        limits: Mapping[Label, tuple[float, float]] | None = None,
        covariates: Mapping[str, Sequence[float] | Floats] | None = None,
        **columns: Sequence[Any] | None,
    ) -> Self:
        """The table of these columns.

        ``credit`` lists (output, person, share); ``people`` names people without evidence, who rest at
        the prior; ``instruments`` and ``limits`` say what instruments there are and what they can score.
        """
        check_columns(score, {"person": person, **columns})
        scores = numbers("score", score, needed=True)
        labels = {
            name: Column.of(_plain(values))
            for name in LABEL_COLUMNS
            if (values := columns.get(name)) is not None and not all(map(is_missing, _plain(values)))
        }
        if "instrument" not in labels:
            labels["instrument"] = Column.of([ONE_INSTRUMENT] * scores.size)
        if not labels["instrument"].known.all():
            row = int(np.argmin(labels["instrument"].known)) + 1
            raise ValueError(
                f"Row {row} has no instrument: name the criterion or benchmark that gave its score."
            )
        check_limits(scores, labels["instrument"], instruments=instruments, limits=limits)
        check_repeats(labels)
        check_benchmarks(labels)
        owner, everybody, shares = ownership(labels, person=person, credit=credit, people=people)
        time = columns.get("time")
        return cls(
            score=scores,
            columns=labels,
            time=None if time is None else numbers("time", time, needed=True),
            se=numbers("se", columns.get("se"), size=scores.size, lowest=0.0),
            people=everybody,
            shares=shares,
            owner=owner,
            covariates={
                name: numbers(name, values, needed=True)
                for name, values in sorted((covariates or {}).items())
            },
            limits=dict(limits or {}),
        )

    def __len__(self) -> int:
        return self.score.size

    @property
    def instrument(self) -> Column:
        return self.columns["instrument"]

    def column(self, name: str) -> Column | None:
        return self.columns.get(name)

    @property
    def credit(self) -> sparse.csr_matrix:
        """Each row's shares: (rows, people)."""
        return self.shares[self.owner.codes]

    @cached_property
    def start(self) -> float:
        """Where growth counts from: 0, or the first time where all lie farther from 0 than apart, as dates do."""
        if self.time is None or not self.time.size:
            return 0.0
        first, last = float(self.time.min()), float(self.time.max())
        return first if max(first, -last) > last - first else 0.0

    @cached_property
    def measured_instruments(self) -> tuple[Label, ...]:
        """Instruments that are graders': no rater, a known standard error, beside others that have raters."""
        rater = self.column("rater")
        if rater is None or not rater.known.any():
            return ()
        blind = np.isnan(self.se) | rater.known
        with_people = np.bincount(self.instrument.codes, weights=blind, minlength=len(self.instrument.levels))
        return tuple(
            level for level, count in zip(self.instrument.levels, with_people, strict=True) if count == 0
        )

    @cached_property
    def metrics(self) -> Mapping[Label, tuple[Label, ...]]:
        """The metrics of every benchmark; without a column that says so, each one is its own benchmark."""
        column, instrument = self.column("benchmark"), self.instrument
        found: dict[Label, tuple[Label, ...]] = {}
        for code, level in enumerate(instrument.levels):
            if level in self.measured_instruments:
                at = -1 if column is None else int(column.codes[int(np.argmax(instrument.codes == code))])
                name = level if column is None or at < 0 else column.levels[at]
                found[name] = (*found.get(name, ()), level)
        return found

    def take(self, rows: Any) -> "Observations":
        """The same table with only these rows; everybody stays in it."""
        chosen = np.arange(len(self))[rows]
        columns = {name: Column(column.codes[chosen], column.levels) for name, column in self.columns.items()}
        columns["instrument"] = columns["instrument"].used()
        return replace(
            self,
            score=self.score[chosen],
            columns=columns,
            time=None if self.time is None else self.time[chosen],
            se=self.se[chosen],
            owner=Column(self.owner.codes[chosen], self.owner.levels),
            covariates={name: values[chosen] for name, values in self.covariates.items()},
        )

    def share_at_the_top(self) -> float:
        """The largest share, over the criteria, of scores in the top category."""
        shares = [0.0]
        for code, level in enumerate(self.instrument.levels):
            if level not in self.measured_instruments:
                scores = self.score[self.instrument.codes == code]
                shares.append(_share_at_top(scores, self.limits.get(level)))
        return max(shares)


def _plain(values: Sequence[Any]) -> list[Label]:
    """Python's own values: NumPy's integers and texts hash alike, but read badly in messages."""
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def _share_at_top(scores: Floats, limits: tuple[float, float] | None) -> float:
    if limits is None and np.unique(scores).size > MOST_CATEGORIES:
        return 0.0
    top = scores.max(initial=-np.inf) if limits is None else limits[1]
    return float((scores >= top).mean()) if scores.size else 0.0
