"""Refusals of the observations table: one sentence each, naming the row and what would do."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from evals.noise.arrays import Floats, Label, combine_codes
from evals.noise.labels import Column, in_order, is_missing

LABEL_COLUMNS = ("output", "rater", "instrument", "benchmark", "project", "panel", "occasion", "period")
NUMBER_COLUMNS = ("time", "se")
LARGEST_SCORE = 1e12
CREDIT_TOLERANCE = 1e-6
ROUNDING = 1e-12  # of a sum of shares: three of .333333 are within the tolerance

Credit = Iterable[tuple[Label, Label, float]]

REPEAT_COLUMNS = ("output", "rater", "instrument", "occasion")


def check_columns(score: Sequence[Any] | Floats, columns: Mapping[str, Sequence[Any] | None]) -> None:
    """Known names, equal lengths, at least one row."""
    if len(score) == 0:
        raise ValueError("There is no observation: give at least one row with a score.")
    known = {"person", *LABEL_COLUMNS, *NUMBER_COLUMNS}
    for name, values in columns.items():
        if name not in known:
            raise ValueError(
                f"Column {name!r} is unknown: use {', '.join(sorted(known))}, or make it a covariate."
            )
        if values is not None and len(values) != len(score):
            raise ValueError(
                f"Column {name!r} has {len(values)} values for {len(score)} scores: give one a row."
            )


def numbers(
    name: str,
    values: Sequence[Any] | Floats | None,
    *,
    needed: bool = False,
    size: int = 0,
    lowest: float = -np.inf,
) -> Floats:
    """A column of finite numbers; missing ones are NaN unless they are needed."""
    if values is None:
        return np.full(size, np.nan)
    column = np.array([_number(name, row, value) for row, value in enumerate(values, start=1)])
    with np.errstate(invalid="ignore"):
        bad = (np.abs(column) > LARGEST_SCORE) | (column < lowest) | (needed & np.isnan(column))
    if bad.any():
        row = int(np.argmax(bad))
        wanted = "a number" if lowest == -np.inf else f"a number of at least {lowest:g}"
        raise ValueError(
            f"Row {row + 1} has {name} {_shown(values[row])}: give {wanted}, at most {LARGEST_SCORE:g} in size."
        )
    return column


def _shown(value: Any) -> str:
    """As it was written: NumPy's numbers without their type."""
    return repr(value.item() if isinstance(value, np.generic) else value)


def _number(name: str, row: int, value: Any) -> float:
    if is_missing(value):
        return np.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"Row {row} has {name} {value!r}: give a number.") from None


def check_limits(
    score: Floats,
    instrument: Column,
    *,
    instruments: Iterable[Label] | None,
    limits: Mapping[Label, tuple[float, float]] | None,
) -> None:
    """Only instruments that exist, and scores that they can give."""
    if instruments is not None:
        allowed = set(instruments)
        for code, level in enumerate(instrument.levels):
            if level not in allowed:
                row = int(np.argmax(instrument.codes == code)) + 1
                names = ", ".join(map(str, in_order(allowed)))
                raise ValueError(f"Row {row} has the unknown instrument {level!r}: use one of {names}.")
    for level, (low, high) in (limits or {}).items():
        code = instrument.levels.index(level) if level in instrument.levels else -2
        off = (instrument.codes == code) & ((score < low) | (score > high))
        if off.any():
            row = int(np.argmax(off))
            raise ValueError(
                f"Row {row + 1} scores {score[row]:g} on {level!r}: scores there go from {low:g} to {high:g}."
            )


def check_repeats(labels: Mapping[str, Column]) -> None:
    """No second score of one output by one rater on one instrument and occasion."""
    if "output" not in labels or "rater" not in labels:
        return
    named = labels["output"].known & labels["rater"].known
    rows = np.flatnonzero(named)
    if not rows.size:
        return
    place, first = combine_codes(*(labels[name].codes[rows] for name in REPEAT_COLUMNS if name in labels))
    repeat = rows[first[place]] != rows
    if repeat.any():
        at = int(np.argmax(repeat))
        row, earlier = rows[at] + 1, rows[first[place[at]]] + 1
        raise ValueError(
            f"Row {row} repeats row {earlier} (same output, rater, instrument and occasion): "
            "keep one of them, or tell the occasions apart."
        )


def check_benchmarks(labels: Mapping[str, Column]) -> None:
    """A benchmark names whose metric a row's instrument is: always the same, and no rater's."""
    benchmark, rater, instrument = labels.get("benchmark"), labels.get("rater"), labels["instrument"]
    if benchmark is None:
        return
    rows = np.flatnonzero(benchmark.known)
    rated = rows[rater.known[rows]] if rater is not None else rows[:0]
    if rated.size:
        raise ValueError(f"Row {rated[0] + 1} has a rater and a benchmark: a score comes from one of them.")
    owner = dict(zip(instrument.codes[rows].tolist(), benchmark.codes[rows].tolist(), strict=True))
    expected = np.array([owner.get(code, -1) for code in instrument.codes.tolist()])
    off = np.flatnonzero(expected != benchmark.codes)
    if off.size:
        name = instrument.levels[instrument.codes[off[0]]]
        raise ValueError(
            f"Row {off[0] + 1} names another benchmark for {name!r} than other rows do: a metric has one."
        )


def ownership(
    labels: Mapping[str, Column],
    *,
    person: Sequence[Label] | None,
    credit: Credit | None,
    people: Iterable[Label],
) -> tuple[Column, tuple[Label, ...], sparse.csr_matrix]:
    """Who owns each row: its output by credit, or the person it names."""
    if credit is not None:
        owner, everybody, shares = _by_credit(labels.get("output"), list(credit), list(people))
    elif person is not None:
        owner, everybody, shares = _by_person(person, list(people))
    else:
        raise ValueError("Nobody is rated: name a person in every row, or give outputs with credit.")
    if len(everybody) < 2:
        raise ValueError("Only one person is rated: comparison needs at least 2 people.")
    return owner, everybody, shares


def _by_person(
    person: Sequence[Label], people: list[Label]
) -> tuple[Column, tuple[Label, ...], sparse.csr_matrix]:
    plain = person.tolist() if isinstance(person, np.ndarray) else list(person)
    owner = Column.of(plain, also=people)
    if not owner.known.all():
        row = int(np.argmin(owner.known)) + 1
        raise ValueError(f"Row {row} names no person: say whose work its score is about.")
    return owner, owner.levels, sparse.identity(len(owner.levels), format="csr")


def _by_credit(
    output: Column | None, credit: list[tuple[Label, Label, float]], people: list[Label]
) -> tuple[Column, tuple[Label, ...], sparse.csr_matrix]:
    if output is None or not output.known.all():
        row = 1 if output is None else int(np.argmin(output.known)) + 1
        raise ValueError(f"Row {row} names no output: with credit, every row needs one.")
    place = {level: at for at, level in enumerate(output.levels)}
    everybody = in_order([*people, *(person for _, person, _ in credit)])
    at_person = {level: at for at, level in enumerate(everybody)}
    for entry, (what, who, share) in enumerate(credit, start=1):
        if what not in place:
            raise ValueError(
                f"Credit row {entry} names output {what!r}, which no observation rates: remove it."
            )
        if is_missing(who) or not np.isfinite(share) or share < 0:
            raise ValueError(
                f"Credit row {entry} gives {who!r} the share {share!r}: name a person and a share of 0 or more."
            )
    entries = [(place[what], at_person[who], share) for what, who, share in credit]
    rows, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
    shares = sparse.csr_matrix(
        (values, (rows, columns)), shape=(len(output.levels), len(everybody)), dtype=float
    )
    total = np.asarray(shares.sum(axis=1)).ravel()
    off = np.abs(total - 1.0) > CREDIT_TOLERANCE + ROUNDING
    if off.any():
        at = int(np.argmax(off))
        what = f"sums to {total[at]:.6g}" if shares[at].nnz else "is missing"
        raise ValueError(
            f"Credit for output {output.levels[at]!r} {what}: give its people shares that sum to 1."
        )
    return output, everybody, shares
