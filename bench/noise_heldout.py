"""Held-out ratings of real data: mean log predictive density beside simpler predictions.

A tenth of each file's rows is held out at random; every prediction is a normal whose sd is fitted on the
rest. Peers: the person's raw mean, the same with raters centred, and plug-in REML. Exits 1 where
another is better by more than two standard errors of the difference.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from scipy import sparse

from evals.noise import Observations, fit
from evals.noise.labels import Column

DATA = Path(__file__).parents[2] / "shared" / "data" / "noise"
HELD_OUT = 0.1
MOST_ROWS = 20_000


def read(name):
    with (DATA / name).open() as file:
        rows = list(csv.DictReader(file))
    return rows[:MOST_ROWS]


def cases():
    rows = read("InstEval.csv")
    yield "InstEval", ("person", "rater"), table(rows, score="y", person="d", rater="s")
    rows = read("skating_components.csv")
    yield (
        "skating",
        ("person", "rater", "halo", "habit", "aspect"),
        table(
            rows,
            score="score",
            person="performance",
            rater="judge_id",
            instrument="criterion",
            output="performance",
        ),
    )
    rows = read("uto_rubric.csv")
    yield (
        "rubric",
        ("person", "rater", "habit", "aspect"),
        table(rows, score="score", person="examinee", rater="rater", instrument="item"),
    )
    rows = read("uto_drift.csv")
    yield "drift", ("person", "rater"), table(rows, score="Score", person="ExamineeID", rater="RaterID")
    rows = read("cohort_a_ratings.csv")
    credit = [(r["output"], r["person"], float(r["credit"])) for r in read("cohort_a_credit.csv")]
    yield (
        "cohort_a",
        ("person", "rater", "output"),
        table(rows, score="score", output="output", rater="rater", instrument="criterion", credit=credit),
    )


def table(rows, *, score, credit=None, **names) -> Observations:
    columns = {ours: [row[theirs] for row in rows] for ours, theirs in names.items()}
    return Observations.from_columns([float(row[score]) for row in rows], credit=credit, **columns)


def predictive(posterior, whole: Observations, rows) -> tuple[np.ndarray, np.ndarray]:
    """Means and sds of new rows: known levels by their posterior, new ones by their prior."""
    means, variances = [], []
    for point in posterior.points[:: max(1, len(posterior.points) // 32)]:
        gaussian = point.gaussian(posterior.model)
        matrix, unknown = rows_of(posterior, whole, rows, point.hyper)
        means.append(matrix @ gaussian.mean)
        sds = (
            gaussian.covariance(matrix, matrix).diagonal()
            if matrix.shape[0] <= 2500
            else blocks(gaussian, matrix)
        )
        variances.append(sds + unknown + point.hyper.noise[0] ** 2)
    weight = np.array([point.weight for point in posterior.points[:: max(1, len(posterior.points) // 32)]])
    weight = weight / weight.sum()
    mean = weight @ np.stack(means)
    return mean, np.sqrt(weight @ (np.stack(variances) + (np.stack(means) - mean) ** 2))


def blocks(gaussian, matrix) -> np.ndarray:
    parts = [matrix[at : at + 1000] for at in range(0, matrix.shape[0], 1000)]
    return np.concatenate([gaussian.covariance(part, part).diagonal() for part in parts])


def rows_of(posterior, whole, rows, hyper):
    """Each new row as a function of the variables, and the variance of levels that the fit has not seen."""
    design = posterior.model.design
    entries, unknown = [], np.zeros(len(rows))
    labels = dict(whole.columns.items())
    for at, term in enumerate(design.terms):
        place = {level: number for number, level in enumerate(term.levels)}
        start = design.slices[term.name].start
        for number, row in enumerate(rows):
            for level, weight in level_of(term.name, labels, whole, row):
                if level in place:
                    entries.append((number, start + place[level], weight))
                else:
                    unknown[number] += (weight * hyper.sd[at]) ** 2
    for number, row in enumerate(rows):
        code = posterior.observations.instrument.levels.index(
            whole.instrument.levels[whole.instrument.codes[row]]
        )
        entries.append((number, design.random_size + code, 1.0))
    row, column, value = zip(*entries, strict=True)
    return sparse.csr_matrix((value, (row, column)), shape=(len(rows), design.size)), unknown


def level_of(name, labels, whole, row):
    label = {key: column.levels[column.codes[row]] for key, column in labels.items()}
    team = whole.shares[[whole.owner.codes[row]]]
    people = [(whole.people[i], share) for i, share in zip(team.indices, team.data, strict=True)]
    if name == "person":
        return people
    if name == "aspect":
        return [((person, label["instrument"]), share) for person, share in people]
    if name == "affinity":
        return [((person, label["rater"]), share) for person, share in people]
    keys = {
        "rater": ("rater",),
        "output": ("output",),
        "habit": ("rater", "instrument"),
        "halo": ("output", "rater"),
    }[name]
    return [(label[keys[0]] if len(keys) == 1 else tuple(label[key] for key in keys), 1.0)]


def simple(train: Observations, whole: Observations, rows, *, centred: bool):
    """The person's raw mean, with raters' means taken out or not."""
    rater: Column = whole.columns["rater"]
    seen, code = train.score.copy(), train.columns["rater"].codes
    count = np.bincount(code, minlength=len(rater.levels))
    lenient = (
        np.bincount(code, seen - seen.mean(), len(rater.levels)) / np.maximum(count, 1)
        if centred
        else np.zeros(count.size)
    )
    seen = seen - lenient[code]
    credit = train.credit
    weight = np.asarray(credit.sum(axis=0)).ravel()
    mean = np.where(weight > 0, np.asarray(credit.T @ seen).ravel() / np.maximum(weight, 1e-9), seen.mean())
    sd = np.std(train.score - lenient[code] - credit @ mean)
    return whole.credit[rows] @ mean + lenient[rater.codes[rows]], np.full(len(rows), max(sd, 1e-3))


def log_density(score, mean, sd):
    return -0.5 * ((score - mean) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi)


def main() -> int:
    if not DATA.is_dir():
        sys.exit("The reference data are missing: put them under ../shared/data/noise.")
    good = True
    for name, terms, whole in cases():
        rng = np.random.default_rng(1)
        held = rng.random(len(whole)) < HELD_OUT
        rows, train = np.flatnonzero(held)[:2000], whole.take(~held)
        score = whole.score[rows]
        found = {
            "ours, integrated": predictive(
                fit(train, terms=terms, hyper="integrated", points=128), whole, rows
            ),
            "plug-in REML": predictive(fit(train, terms=terms, prior="flat"), whole, rows),
            "raw mean": simple(train, whole, rows, centred=False),
            "rater-centred mean": simple(train, whole, rows, centred=True),
        }
        densities = {label: log_density(score, *moments) for label, moments in found.items()}
        ours = densities["ours, integrated"]
        print(f"{name}: {len(rows)} held-out ratings of {len(whole)}")
        for label, density in densities.items():
            gap = density - ours
            error = gap.std() / np.sqrt(gap.size)
            print(f"  {label:<20} {density.mean():8.4f}   minus ours {gap.mean():+.4f} (error {error:.4f})")
            good &= gap.mean() <= 2 * error + 1e-4
    print("nothing predicts better" if good else "something predicts better")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
