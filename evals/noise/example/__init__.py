"""A real cohort to try things on: judges' scores of figure skating, 2016 to 2018."""

import csv
import lzma
from pathlib import Path

from evals.noise.arrays import Label
from evals.noise.observations import Observations

FILE = Path(__file__).parent / "skating.csv.xz"
LABELS = ("output", "discipline", "segment", "persons", "judge")


def skating_rows(
    discipline: str | None = None,
) -> tuple[list[dict[str, str]], list[tuple[Label, Label, float]]]:
    """Rows (output, rater, criterion, score) and credit, equal in a pair; of one discipline or of all."""
    rows: list[dict[str, str]] = []
    teams: dict[str, list[str]] = {}
    with lzma.open(FILE, "rt", encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            if discipline is not None and line["discipline"] != discipline:
                continue
            teams[line["output"]] = line["persons"].split(";")
            rows += [
                {
                    "output": line["output"],
                    "rater": line["judge"],
                    "criterion": criterion,
                    "score": score,
                }
                for criterion, score in line.items()
                if criterion not in LABELS and score
            ]
    if not rows:
        raise ValueError(f"There is no discipline {discipline!r}: use ICE DANCE, LADIES, MEN or PAIRS.")
    credit: list[tuple[Label, Label, float]] = [
        (output, person, 1.0 / len(team)) for output, team in teams.items() for person in team
    ]
    return rows, credit


def skating(discipline: str | None = None) -> Observations:
    """The same as observations."""
    rows, credit = skating_rows(discipline)
    return Observations.from_columns(
        [float(row["score"]) for row in rows],
        output=[row["output"] for row in rows],
        rater=[row["rater"] for row in rows],
        instrument=[row["criterion"] for row in rows],
        credit=credit,
    )
