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
        return Observations.from_columns(
            columns.pop("score"),
            person=person if credit is None else None,
            credit=credit,
            people=() if self.people is None else _people(self.people),
            covariates=_covariates(rows, self.covariates, self.ratings),
            **columns,
        )


def read_rows(path: Path) -> Rows:
    """The file's rows as dictionaries of stripped texts."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            rows = [
                {
                    (key or "").strip(): (value or "").strip()
                    for key, value in row.items()
                    if not isinstance(value, list)
                }
                for row in reader
            ]
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is no CSV file in UTF-8: {error}.") from None
    if not rows:
        raise ValueError(f"{path} has no rows: give a header line and at least one row below it.")
    return rows


def _columns(rows: Rows, renamed: Mapping[str, str], path: Path) -> dict[str, Any]:
    present = set(rows[0])
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
    if not any(found.get("se", [])):
        found.pop("se", None)
    return found


def _credit(path: Path) -> list[tuple[Label, Label, float]]:
    rows = read_rows(path)
    share = "share" if "share" in rows[0] else "credit"
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
    """Names, one a line, with or without the header ``person``."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"{path} can't be read as UTF-8 text: give one person a line.") from None
    return [line for line in lines if line and line != "person"]


def _covariates(rows: Rows, names: Sequence[str], path: Path) -> dict[str, Floats]:
    """Numbers as they are; of texts, one column for every value but the first."""
    found: dict[str, Floats] = {}
    for name in names:
        if name not in rows[0]:
            raise ValueError(f"{path} has no column {name!r} for a covariate.")
        values = [row[name] for row in rows]
        try:
            found[name] = np.array([float(value) for value in values])
        except ValueError:
            for level in sorted(set(values))[1:]:
                found[f"{name}[{level}]"] = np.array([float(value == level) for value in values])
    return found


def write_rows(path: Path, rows: Rows) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
