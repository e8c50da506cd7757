"""Reading observations from CSV files, with refusals that name the file, the row and the column."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from evals.noise.arrays import Floats, Label
from evals.noise.observations import Observations
from evals.noise.validation import LABEL_COLUMNS, NUMBER_COLUMNS

KNOWN = ("score", "person", *LABEL_COLUMNS, *NUMBER_COLUMNS)
MEANT = frozenset((*KNOWN, "criterion", "share", "credit"))
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Files:
    """The files of one cohort, and which other columns to use."""

    ratings: Path
    credit: Path | None = None
    people: Path | None = None
    covariates: Sequence[str] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)  # our name -> the file's

    def observations(self) -> Observations:
        rows = read_rows(self.ratings)
        columns = _columns(rows, self.renamed, self.ratings)
        credit = None if self.credit is None else _credit(self.credit)
        person = columns.pop("person", None)
        observations = Observations.from_columns(
            columns.pop("score"),
            person=person if credit is None else None,
            credit=credit,
            people=() if self.people is None else _people(self.people),
            covariates=_covariates(rows, self.covariates, self.ratings),
            **columns,
        )
        _check_raters(observations)
        return observations


def read_rows(path: Path) -> Rows:
    """The file's rows as dictionaries of stripped texts, without those that are empty."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [[text.strip() for text in line] for line in csv.reader(file, strict=True)]
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is no CSV file in UTF-8: {error}.") from None
    written, *filled = [line for line in lines if any(line)] or [[]]
    header = _header(written, path)
    if not filled:
        raise ValueError(f"{path} has no rows: give a header line and at least one row below it.")
    return [_row(header, texts, number, path) for number, texts in enumerate(filled, start=1)]


def _header(written: Sequence[str], path: Path) -> list[str]:
    """The columns' names; those that mean something here may be written in capitals."""
    for mark, name in SEPARATORS.items():
        if len(written) == 1 and mark in written[0]:
            raise ValueError(f"{path} is separated by {name}: save it with commas and points in numbers.")
    header = [
        name.lower() if name.lower() in MEANT and name.lower() not in written else name for name in written
    ]
    twice = next((name for name in header if name and header.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{path} has two columns {twice}: keep one of them.")
    return header


def _row(header: Sequence[str], texts: list[str], number: int, path: Path) -> dict[str, str]:
    if any(texts[len(header) :]):
        raise ValueError(f"Row {number} of {path} has more fields than the header: quote texts with commas.")
    return dict(zip(header, [*texts, *[""] * len(header)], strict=False))


def _present(name: str, row: Mapping[str, str]) -> str:
    """A column as its header has it."""
    return name if name in row else name.lower()


def _columns(rows: Rows, renamed: Mapping[str, str], path: Path) -> dict[str, Any]:
    present = set(rows[0])
    renamed = {ours: _present(theirs, rows[0]) for ours, theirs in renamed.items()}
    for ours, theirs in renamed.items():
        if ours not in KNOWN or theirs not in present:
            raise ValueError(f"--column {ours}={theirs} names a column that {path} or the model lacks.")
    if "criterion" in present and "instrument" in present and "instrument" not in renamed:
        raise ValueError(f"{path} has both criterion and instrument: keep one of the two columns.")
    found: dict[str, Any] = {}
    for name in KNOWN:
        theirs = renamed.get(name, "criterion" if name == "instrument" and "criterion" in present else name)
        if theirs in present:
            found[name] = [row[theirs] for row in rows]
    if "score" not in found:
        raise ValueError(f"{path} has no column score: name one, or point to it with --column score=NAME.")
    return {name: texts for name, texts in found.items() if name not in NUMBER_COLUMNS or any(texts)}


def _check_raters(observations: Observations) -> None:
    """Of one rater alone, leniency can't be told from the grand mean, nor taste from people."""
    rater = observations.column("rater")
    if rater is not None and len(rater.levels) == 1 and rater.known.all():
        raise ValueError(
            f"All scores are by one rater, {rater.levels[0]!r}: add another's, or leave out the column rater "
            "and read the levels as that rater's view."
        )


def _credit(path: Path) -> list[tuple[Label, Label, float]]:
    rows = read_rows(path)
    share = "credit" if "credit" in rows[0] and "share" not in rows[0] else "share"
    for name in ("output", "person", share):
        if name not in rows[0]:
            raise ValueError(f"{path} has no column {name}: give output, person and share.")
    credit: list[tuple[Label, Label, float]] = []
    for number, row in enumerate(rows, start=1):
        try:
            credit.append((row["output"], row["person"], float(row[share])))
        except ValueError:
            raise ValueError(f"Row {number} of {path} has {share} {row[share]!r}: give a number.") from None
    return credit


def _people(path: Path) -> list[Label]:
    """Names, one a line, with or without the header ``person``; or those in that column of a CSV file."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"{path} can't be read as UTF-8 text: give one person a line.") from None
    titles = [title.strip().lower() for title in lines[0].split(",")] if lines else []
    if len(titles) > 1 and "person" in titles:
        return [row["person"] for row in read_rows(path) if row["person"]]
    names = lines[1:] if titles == ["person"] else lines
    return [_unquoted(name) for name in names]


def _unquoted(line: str) -> str:
    """The name in a line, which may stand in quotes as a spreadsheet saves one with a comma."""
    fields = next(csv.reader([line]))
    return fields[0] if len(fields) == 1 else line


def _covariates(rows: Rows, names: Sequence[str], path: Path) -> dict[str, Floats]:
    """Numbers as they are; of texts, one column for every value but the first."""
    found: dict[str, Floats] = {}
    for asked in names:
        name = _present(asked, rows[0])
        if name not in rows[0]:
            raise ValueError(f"{path} has no column {asked!r} for a covariate: name one that it has.")
        if name == "score":
            raise ValueError("The score can't be a covariate of itself: name another column.")
        found |= _covariate(name, [row[name] for row in rows])
    return found


def _covariate(name: str, values: Sequence[str]) -> dict[str, Floats]:
    if "" in values:
        raise ValueError(f"Row {values.index('') + 1} has no {name}: a covariate needs a value in every row.")
    is_number = [_is_number(value) for value in values]
    if all(is_number):
        return {name: np.array([float(value) for value in values])}
    if any(is_number):
        row = is_number.index(False)
        raise ValueError(
            f"Row {row + 1} has {name} {values[row]!r} where others have numbers: "
            "give numbers in every row, or texts in every row."
        )
    first, *others = sorted(set(values))
    if not others:
        raise ValueError(f"Covariate {name!r} is {first!r} in every row: leave it out.")
    return {f"{name}[{level}]": np.array([float(value == level) for value in values]) for level in others}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def write_rows(path: Path, rows: Rows) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
