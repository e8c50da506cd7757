"""A column of labels as codes: which level each row has, and -1 where it has none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from evals.noise.arrays import Flags, Ints, Label, combine_codes


def is_missing(label: Label) -> bool:
    """None, an empty text and NaN stand for no label."""
    return label is None or label == "" or label != label


def in_order(labels: Iterable[Label]) -> tuple[Label, ...]:
    """Distinct labels in an order that doesn't depend on where they stood: numbers by size, texts as texts."""

    def rank(label: Label) -> tuple[int, float, str]:
        if isinstance(label, int | float):
            return (0, float(label), "")
        return (1, 0.0, str(label))

    return tuple(sorted(set(labels), key=rank))


@dataclass(frozen=True)
class Column:
    """Labels of the rows: ``codes`` index ``levels``."""

    codes: Ints
    levels: tuple[Label, ...]

    @classmethod
    def of(cls, values: Sequence[Label], also: Iterable[Label] = ()) -> "Column":
        present = [value for value in values if not is_missing(value)]
        levels = in_order([*present, *also])
        place = {level: at for at, level in enumerate(levels)}
        codes = [-1 if is_missing(value) else place[value] for value in values]
        return cls(np.array(codes, dtype=np.intp), levels)

    @classmethod
    def combine(cls, *columns: "Column") -> "Column":
        """The cells where all of these columns have a level; labels are tuples."""
        known = np.all([column.codes >= 0 for column in columns], axis=0)
        codes, first = combine_codes(*(column.codes[known] for column in columns))
        full = np.full(known.size, -1, dtype=np.intp)
        full[known] = codes
        cells = (
            zip(*(column.codes[known][first].tolist() for column in columns), strict=True)
            if known.any()
            else ()
        )
        levels = tuple(
            tuple(column.levels[code] for column, code in zip(columns, cell, strict=True)) for cell in cells
        )
        return cls(full, levels)

    def used(self) -> "Column":
        """The column without levels that no row has."""
        return Column.of([self.levels[code] if code >= 0 else None for code in self.codes.tolist()])

    @property
    def known(self) -> Flags:
        return self.codes >= 0

    def counts(self) -> Ints:
        return np.bincount(self.codes[self.known], minlength=len(self.levels))
