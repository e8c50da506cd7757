"""Real ratings as observations, with the terms that each file's design has."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evals.noise import Observations

DATA = Path(__file__).parents[3] / "shared" / "data" / "noise"
MOST_ROWS = 20_000


@dataclass(frozen=True)
class Case:
    """A file as observations, and the terms that its design has."""

    terms: tuple[str, ...]
    read: Callable[[], Observations]
    asymmetric: bool = False  # whether asymmetric luck is shown too: outputs with several ratings each
    people: bool = True  # whether what is compared are people, or things that may not differ at all


def rows_of(name: str) -> list[dict[str, str]]:
    with (DATA / name).open() as file:
        return list(csv.DictReader(file))[:MOST_ROWS]


def labels(row: dict[str, str], names: str) -> str:
    return ":".join(row[name] for name in names.split(":"))


def table(file: str, *, score: str, credit=None, keep=lambda row: True, scores=float, **names: str):
    """A function that reads the file, its columns by our names; ``a:b`` names the cells of two columns."""

    def read() -> Observations:
        rows = [row for row in rows_of(file) if keep(row)]
        columns = {ours: [labels(row, theirs) for row in rows] for ours, theirs in names.items()}
        if "time" in columns:
            columns["time"] = [float(value) for value in columns["time"]]
        return Observations.from_columns(
            [scores(row[score]) for row in rows], credit=credit and credit(rows), **columns
        )

    return read


def credit_of_cohort(rows):
    return [(r["output"], r["person"], float(r["credit"])) for r in rows_of("cohort_a_credit.csv")]


def credit_of_teams(rows):
    teams = {row["performance"]: row["persons"].split(";") for row in rows}
    return [(p, person, 1 / len(team)) for p, team in teams.items() for person in team]


def credit_of_authors(rows):
    rated = {row["paper"] for row in rows}
    with (DATA / "iclr2017_2020_authors.csv").open() as file:
        authors = [row for row in csv.DictReader(file) if row["paper"] in rated]
    return [(row["paper"], row["author"], float(row["weight"])) for row in authors]


BOTH = ("person", "rater")
CASES = {
    "Dyestuff": Case(("person",), table("Dyestuff.csv", score="Yield", person="Batch"), people=False),
    "Dyestuff2": Case(("person",), table("Dyestuff2.csv", score="Yield", person="Batch"), people=False),
    "Pastes": Case(
        ("person", "output"), table("Pastes.csv", score="strength", person="batch", output="sample"), True, False
    ),
    "Penicillin": Case(BOTH, table("Penicillin.csv", score="diameter", person="plate", rater="sample"), people=False),
    "cake": Case(
        BOTH, table("cake.csv", score="angle", person="replicate:recipe", rater="temperature"), people=False
    ),
    "sleepstudy": Case(
        ("person", "growth", "rater"),
        table("sleepstudy.csv", score="Reaction", person="Subject", rater="Days", time="Days"),
    ),
    "brennan": Case(
        ("person", "project", "output", "rater"),
        table(
            "brennan_3_2.csv", score="Score", person="Person", project="Task", output="Person:Task", rater="Rater:Task"
        ),
    ),
    "InstEval": Case(
        ("person", "rater", "project"),
        table("InstEval.csv", score="y", person="d", rater="s", project="dept:service"),
    ),
    "VerbAgg": Case(
        BOTH,
        table("VerbAgg.csv", score="r2", scores=lambda answer: float(answer == "Y"), person="id", rater="item"),
    ),
    "wine": Case(BOTH, table("wine_ordinal.csv", score="rating", person="bottle", rater="judge"), people=False),
    "uto drift": Case(
        ("person", "rater", "habit"),
        table("uto_drift.csv", score="Score", person="ExamineeID", rater="RaterID", instrument="TimeID"),
    ),
    "uto rubric": Case(
        ("person", "aspect", "rater", "habit", "affinity"),
        table("uto_rubric.csv", score="score", person="examinee", rater="rater", instrument="item"),
    ),
    "esa2018": Case(
        ("person", "aspect", "output", "rater"),
        table(
            "esa2018.csv",
            score="score",
            keep=lambda row: row["slot"] != "0",
            person="submission",
            output="submission:committee",
            rater="submission:committee:slot",
            instrument="phase",
        ),
        True,
    ),
    "iclr": Case(
        ("person", "output"),
        table(
            "iclr2017_2020_ratings.csv",
            score="rating",
            credit=credit_of_authors,
            output="paper",
            instrument="year",
        ),
    ),
    "skating, teams": Case(
        ("person", "aspect", "rater", "habit", "halo", "output"),
        table(
            "skating_components.csv",
            score="score",
            credit=credit_of_teams,
            output="performance",
            rater="judge_id",
            instrument="criterion",
        ),
    ),
    "skating, men": Case(
        BOTH, table("skating_men_free_mean.csv", score="score", person="performance", rater="judge_id")
    ),
    "cohort_a": Case(
        ("person", "rater", "output"),
        table(
            "cohort_a_ratings.csv",
            score="score",
            credit=credit_of_cohort,
            output="output",
            rater="rater",
            instrument="criterion",
        ),
        True,
    ),
}  # fmt: skip
