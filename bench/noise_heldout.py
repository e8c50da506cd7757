"""Held-out ratings of real data: log predictive density beside simpler predictions.

Rows are dealt into tenths at random; each tenth is predicted from the rest (of large files three tenths, and
at most 1,000 rows of each). Peers: the person's raw mean, the same with raters' means taken out, and plug-in
REML, what a mixed-model program gives. The means' sds come from leaving each row out of its own mean. Ours has
the program's prior where people are compared, which says that people differ, and the ``pc`` prior where
things are; the other prior is printed beside. The standard error of a difference is over people and raters,
whose held-out rows share estimates. Exits 1 where a peer is better by more than two standard errors.
"""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

# Fits have threads or processes of their own: with those of linear algebra beside them they would only wait.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import numpy as np
from scipy import sparse, special

from bench.data.ratings import CASES, DATA, Case
from evals.noise import Observations, fit
from evals.noise.fitted import Point
from evals.noise.gaussian import Gaussian
from evals.noise.posterior import Posterior
from evals.noise.terms import Catalogue, credit_weights, indicator

TENTHS = 10
TENTHS_OF_LARGE = 3
LARGE = 5_000  # rows
MOST_HELD = 1_000
POINTS = 32  # of the posterior's, drawn by weight
OURS, ASYMMETRIC, OTHER_PRIOR = "ours", "ours, asymmetric luck", "ours, the other prior"
PEERS = ("plug-in REML", "raw mean", "rater-centred mean")


@dataclass(frozen=True)
class NewRows:
    """Held-out rows as functions of the variables of a fit, and their weights on levels it has not seen."""

    matrix: sparse.csr_matrix
    unseen: np.ndarray  # (rows, terms): sums of squared weights

    @classmethod
    def of(cls, posterior: Posterior, held: Observations) -> "NewRows":
        catalogue = Catalogue(held, credit_weights(held.shares)[held.owner.codes])
        parts, unseen = [], []
        for seen in posterior.model.design.terms:
            term = next(term for term in catalogue.build(seen.name) if term.name == seen.name)
            place = {level: at for at, level in enumerate(seen.levels)}
            to = np.array([place.get(level, -1) for level in term.levels])
            old = np.flatnonzero(to >= 0)
            known = sparse.csr_matrix((np.ones(old.size), (old, to[old])), (to.size, len(place)))
            parts.append(term.weights @ known)
            unseen.append(np.asarray(term.weights.power(2)[:, to < 0].sum(axis=1)).ravel())
        parts.append(fixed_part(posterior, held))
        return cls(sparse.csr_matrix(sparse.hstack(parts)), np.stack(unseen, axis=1))


def fixed_part(posterior: Posterior, held: Observations) -> sparse.csr_matrix:
    """The held rows' fixed effects in the order of the fit's."""
    names, own = posterior.model.design.fixed_names, indicator(held.instrument)
    columns = {
        "mu" if "mu" in names else f"mu[{level}]": own[:, [at]]
        for at, level in enumerate(held.instrument.levels)
    }
    if held.time is not None:
        columns["time"] = sparse.csr_matrix(held.time[:, None])
    empty = sparse.csr_matrix((len(held), 1))
    return sparse.hstack([columns.get(name, empty) for name in names])


def log_predictive(posterior: Posterior, held: Observations) -> np.ndarray:
    """Log density of new scores: known levels by their posterior, new ones by their prior."""
    rows = NewRows.of(posterior, held)
    is_output = np.array([term.name == "output" for term in posterior.model.design.terms])
    densities = []
    for point in drawn_points(posterior):
        gaussian = point.gaussian(posterior.model)
        spread = point.hyper.sd**2 + is_output * point.hyper.luck**2
        variance = variances(gaussian, rows.matrix) + rows.unseen @ spread + point.hyper.noise[0] ** 2
        densities.append(log_normal(held.score, rows.matrix @ gaussian.mean, np.sqrt(variance)))
    return special.logsumexp(np.stack(densities), axis=0) - np.log(len(densities))


def drawn_points(posterior: Posterior) -> list[Point]:
    """Systematic draws by weight: each stands for an equal share."""
    if len(posterior.points) == 1:
        return list(posterior.points)
    reached = np.cumsum([point.weight for point in posterior.points])
    where = np.searchsorted(reached, (np.arange(POINTS) + 0.5) / POINTS * reached[-1])
    return [posterior.points[at] for at in where]


def variances(gaussian: Gaussian, matrix: sparse.csr_matrix) -> np.ndarray:
    parts = [matrix[at : at + 500] for at in range(0, matrix.shape[0], 500)]
    return np.concatenate([gaussian.covariance(part, part).diagonal() for part in parts])


def log_normal(score, mean, sd) -> np.ndarray:
    return -0.5 * ((score - mean) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi)


def mean_predictive(train: Observations, held: Observations, *, centred: bool) -> np.ndarray:
    """The person's mean, with raters' means taken out or not; its sd by leaving rows out of their own mean."""
    level = grand_means(train)
    seen, lenient = train.score - level[train.instrument.codes], np.zeros(1)
    rater, new_rater = train.column("rater"), held.column("rater")
    if centred and rater is not None:
        count = np.bincount(rater.codes, minlength=len(rater.levels))
        lenient = np.bincount(rater.codes, seen, count.size) / np.maximum(count, 1)
        own = rater.codes
        without = (lenient[own] * count[own] - seen) / np.maximum(count[own] - 1, 1)
        base, seen = without, seen - lenient[own]
    else:
        base = np.zeros(len(train))
    credit = train.credit
    weight, total = (np.asarray(credit.T @ values).ravel() for values in (np.ones(len(train)), seen))
    mean = np.where(weight > 0, total / np.maximum(weight, 1e-9), 0.0)
    left_out = without_own(credit, weight, total, seen)
    actual = train.score - level[train.instrument.codes]
    sd = np.sqrt(np.mean((actual - base - left_out) ** 2))
    place = {name: at for at, name in enumerate(train.instrument.levels)}
    new_level = level[[place[held.instrument.levels[code]] for code in held.instrument.codes]]
    shift = lenient[new_rater.codes] if centred and new_rater is not None else 0.0
    return log_normal(held.score, new_level + shift + held.credit @ mean, np.full(len(held), sd))


def grand_means(train: Observations) -> np.ndarray:
    code = train.instrument.codes
    return np.bincount(code, train.score) / np.bincount(code)


def without_own(credit, weight, total, seen) -> np.ndarray:
    """Each row's prediction from the means of its people without that row."""
    entries = credit.tocoo()
    left = weight[entries.col] - entries.data
    means = (total[entries.col] - entries.data * seen[entries.row]) / np.maximum(left, 1e-9)
    means = np.where(left > 1e-9, means, 0.0)
    return np.bincount(entries.row, entries.data * means, minlength=seen.size)


def densities(case: Case, train: Observations, held: Observations) -> dict[str, np.ndarray]:
    prior, other = ("program", "pc") if case.people else ("pc", "program")
    found = {
        OURS: log_predictive(integrated(case, train, prior=prior), held),
        "plug-in REML": log_predictive(fit(train, terms=case.terms, prior="flat"), held),
        "raw mean": mean_predictive(train, held, centred=False),
        "rater-centred mean": mean_predictive(train, held, centred=True),
    }
    if len(train) < LARGE:
        found[OTHER_PRIOR] = log_predictive(integrated(case, train, prior=other), held)
    if case.asymmetric:
        lucky = integrated(case, train, prior=prior, luck="asymmetric", beside=False)
        found[ASYMMETRIC] = log_predictive(lucky, held)
    return found


def integrated(case: Case, train: Observations, **options: object) -> Posterior:
    return fit(train, terms=case.terms, hyper="integrated", **options)


def splits(whole: Observations) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows to hold out and rows to fit."""
    rng = np.random.default_rng(1)
    tenth = rng.permutation(len(whole)) % TENTHS
    for at in range(TENTHS_OF_LARGE if len(whole) > LARGE else TENTHS):
        yield np.flatnonzero(tenth == at)[:MOST_HELD], np.flatnonzero(tenth != at)


def with_error(whole: Observations, rows: np.ndarray, gap: np.ndarray) -> tuple[float, float]:
    """The mean gap and its standard error, two ways: rows of one person, and of one rater, go together."""
    away = gap - gap.mean()
    ways = [
        np.asarray(whole.credit[rows].argmax(axis=1)).ravel()
    ]  # a team's row counts with its largest share
    rater = whole.column("rater")
    if rater is not None:
        ways.append(rater.codes[rows])
    squares = [spread_between(way, away) for way in ways]
    both = sum(squares) - (len(ways) - 1) * float(np.sum(away**2))
    return float(gap.mean()), float(np.sqrt(max(both, *squares, np.sum(away**2)))) / gap.size


def spread_between(way: np.ndarray, away: np.ndarray) -> float:
    groups = np.unique(way).size
    return groups / max(groups - 1, 1) * float(np.sum(np.bincount(way, away) ** 2))


def compare(name: str, case: Case) -> bool:
    whole, good, parts, held_rows = case.read(), True, [], []
    for held, fitted in splits(whole):
        parts.append(densities(case, whole.take(fitted), whole.take(held)))
        held_rows.append(held)
    rows = np.concatenate(held_rows)
    found = {peer: np.concatenate([part[peer] for part in parts]) for peer in parts[0]}
    print(f"{name}: {len(rows)} held-out ratings of {len(whole)}, ours {found[OURS].mean():.4f}")
    for peer, density in found.items():
        if peer != OURS:
            gap, error = with_error(whole, rows, found[OURS] - density)
            worse = peer in PEERS and gap < -2 * error
            good &= not worse
            print(f"  over {peer:<22} {gap:+.5f} (error {error:.5f})" + ("  <-- worse" if worse else ""))
    return good


def main() -> int:
    if not DATA.is_dir():
        sys.exit("The reference data are missing: put them under ../shared/data/noise.")
    asked = sys.argv[1:] or list(CASES)
    good = []
    for name in asked:
        began = time.process_time()
        good.append(compare(name, CASES[name]))
        print(f"  {time.process_time() - began:.0f} s of CPU time", flush=True)
    print("nothing predicts better" if all(good) else "something predicts better")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
