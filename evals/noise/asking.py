"""Whose rating to ask for next: candidate pairs by the expected gain of a decision.

A new pair (output, rater) gives a score on each criterion. Given it, the levels' means will move by a
normal with covariance C_py V^-1 C_yp, from the joint covariance of the levels p and the new scores y.

At a bar b the gain is      sum_i s_i phi(d_i) - |m_i - b| Phi(-d_i),     d_i = |m_i - b| / s_i;
for the best k it is        E[sum of the k largest m + s Z] - sum of the k largest m,
with s along the first principal direction of the movement.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse, special

from evals.noise.arrays import Flags, Floats, Ints, Label
from evals.noise.fitted import Fitted
from evals.noise.gaussian import Gaussian
from evals.noise.terms import credit_weights

POINTS = 16  # of hyperparameters that stand for all
END = 12.0  # sds beyond which nothing is expected
MOST_CROSSINGS = 10_000


@dataclass(frozen=True)
class Bar:
    """The decision whether each person is above ``level``."""

    level: float

    def __post_init__(self) -> None:
        if not np.isfinite(self.level):
            raise ValueError(f"The bar is {self.level!r}: give a finite number.")

    def check(self, people: int) -> None:
        """A bar makes sense for any number of people."""

    def gain(self, mean: Floats, root: Floats) -> float:
        """From a root (people, new scores) of the covariance of the movement of the means."""
        s = np.sqrt(np.maximum((root * root).sum(axis=1), np.finfo(float).tiny))
        away = np.abs(mean - self.level)
        d = away / s
        density = np.exp(-0.5 * np.minimum(d**2, 1400.0)) / np.sqrt(2.0 * np.pi)
        return float((s * density - away * special.ndtr(-d)).sum())


@dataclass(frozen=True)
class Top:
    """The decision who are the best ``k``."""

    k: int

    def check(self, people: int) -> None:
        """Refuse to choose everybody or nobody."""
        if not 0 < self.k < people:
            raise ValueError(f"The best {self.k} of {people} people are no choice: give 1 to {people - 1}.")

    def gain(self, mean: Floats, root: Floats) -> float:
        """From a root (people, new scores) of the covariance of the movement of the means."""
        along = np.linalg.eigh(root.T @ root)[1][:, -1]
        return expected_gain_of_best(mean, root @ along, self.k)


@dataclass(frozen=True)
class Ask:
    """A rating worth asking for, and what it is expected to gain."""

    output: Label
    rater: Label
    gain: float


def expected_gain_of_best(mean: Floats, s: Floats, k: int) -> float:
    """E[sum of the k largest m + s Z] minus the sum of the k largest m.

    Walks Z upwards from one crossing of a chosen and an unchosen line to the next.
    """
    if not 0 < k < mean.size:
        return 0.0
    z = -END
    chosen = np.zeros(mean.size, dtype=bool)
    chosen[np.lexsort((s, mean + s * z))[-k:]] = True
    total = 0.0
    for _ in range(MOST_CROSSINGS):
        upto, leaves, enters = _next_crossing(mean, s, chosen, z)
        total += _linear_part(float(mean[chosen].sum()), float(s[chosen].sum()), z, upto)
        if upto >= END:
            break
        chosen[leaves], chosen[enters] = False, True
        z = upto
    return max(total - float(np.sort(mean)[-k:].sum()), 0.0)


def _next_crossing(mean: Floats, s: Floats, chosen: Flags, z: float) -> tuple[float, int, int]:
    """Where an unchosen line next overtakes a chosen one, and which two."""
    inside, outside = np.flatnonzero(chosen), np.flatnonzero(~chosen)
    faster = s[outside][None, :] - s[inside][:, None]
    ahead = mean[inside][:, None] - mean[outside][None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = np.where(faster > 1e-14, ahead / faster, np.inf)
    at = np.unravel_index(int(np.argmin(crossing)), crossing.shape)
    return max(float(min(crossing[at], END)), z), int(inside[at[0]]), int(outside[at[1]])


def _linear_part(level: float, slope: float, low: float, high: float) -> float:
    """Integral of (level + slope z) under the normal density from low to high; the ends take the tails."""
    low = -np.inf if low <= -END else low
    high = np.inf if high >= END else high
    mass = special.ndtr(high) - special.ndtr(low)
    density = [0.0 if np.isinf(at) else np.exp(-0.5 * at**2) / np.sqrt(2.0 * np.pi) for at in (low, high)]
    return float(level * mass + slope * (density[0] - density[1]))


def next_ratings(
    posterior: Fitted,
    decision: Bar | Top,
    *,
    pairs: Iterable[tuple[Label, Label]] | None = None,
    n: int = 1,
) -> tuple[Ask, ...]:
    """The ``n`` pairs (output, rater) of largest expected gain, one after the other.

    ``pairs`` are the candidates; without them, every output with every rater who hasn't rated it. Each
    further pair is judged given the movement that the earlier ones will bring.
    """
    decision.check(len(posterior.observations.people))
    if n < 1:
        raise ValueError(f"The number of ratings to ask for is {n}: give at least 1.")
    outlook = _Outlook.of(posterior, list(pairs) if pairs is not None else None)
    asks: list[Ask] = []
    while len(asks) < n and outlook.candidates:
        gains = [decision.gain(outlook.mean, outlook.movement(at)) for at in range(len(outlook.candidates))]
        best = int(np.argmax(gains))
        output, rater = outlook.candidates[best]
        asks.append(Ask(output, rater, float(gains[best])))
        outlook = outlook.given(best)
    return tuple(asks)


@dataclass(frozen=True)
class _Outlook:
    """Joint covariance of the people's levels and of the parts that new scores are made of."""

    mean: Floats  # (people,)
    joint: Floats  # (people + parts,) squared
    people: int
    parts: sparse.csr_matrix  # (candidates x criteria, parts)
    own: Floats  # (candidates, criteria, criteria): variance that only the new scores have
    candidates: tuple[tuple[Label, Label], ...]

    @classmethod
    def of(cls, posterior: Fitted, pairs: Sequence[tuple[Label, Label]] | None) -> "_Outlook":
        return _Preparation(posterior, pairs).outlook()

    def _rows(self, at: int) -> sparse.csr_matrix:
        criteria = self.own.shape[1]
        return self.parts[at * criteria : (at + 1) * criteria]

    def _news(self, at: int) -> tuple[Floats, Floats]:
        """Covariance of everything with the new scores, and theirs among each other."""
        rows = self._rows(at)
        used = np.unique(rows.indices)
        small = np.asarray(rows[:, used].todense())
        cross = self.joint[:, self.people + used] @ small.T
        return cross, small @ cross[self.people + used] + self.own[at]

    def movement(self, at: int) -> Floats:
        """A root of the covariance of the movement of the people's means: (people, criteria)."""
        cross, variance = self._news(at)
        return np.asarray(np.linalg.solve(np.linalg.cholesky(variance), cross[: self.people].T).T)

    def given(self, at: int) -> "_Outlook":
        """After asking for this pair: what remains unknown, and who is left to ask."""
        cross, variance = self._news(at)
        criteria = self.own.shape[1]
        keep = np.arange(len(self.candidates)) != at
        return _Outlook(
            mean=self.mean,
            joint=self.joint - cross @ np.linalg.solve(variance, cross.T),
            people=self.people,
            parts=self.parts[np.repeat(keep, criteria)],
            own=self.own[keep],
            candidates=tuple(pair for pair, kept in zip(self.candidates, keep, strict=True) if kept),
        )


class _Preparation:
    """Builds the outlook: parts are (output, criterion), (rater, criterion) and known affinities."""

    def __init__(self, posterior: Fitted, pairs: Sequence[tuple[Label, Label]] | None) -> None:
        seen = posterior.observations
        output, rater = seen.column("output"), seen.column("rater")
        if output is None or rater is None:
            raise ValueError(
                "Asking for ratings needs outputs and raters: give the observations both columns."
            )
        if posterior.model.thresholds is not None:
            raise ValueError("Asking for ratings needs the numeric link: fit without the ordinal one.")
        self.posterior, self.seen = posterior, seen
        self.outputs, self.raters = output, rater
        self.terms = {term.name: term for term in posterior.model.design.terms}
        self.criteria = [level for level in seen.instrument.levels if level not in seen.measured_instruments]
        self.place = {level: at for at, level in enumerate(output.levels)}
        self.rater_place = {level: at for at, level in enumerate(rater.levels)}
        done = {
            (output.levels[o], rater.levels[r])
            for o, r in zip(output.codes, rater.codes, strict=True)
            if o >= 0 and r >= 0
        }
        everything = ((o, r) for o in output.levels for r in rater.levels)
        wanted = list(pairs) if pairs is not None else [pair for pair in everything if pair not in done]
        for o, r in wanted:
            if o not in self.place or r not in self.rater_place:
                raise ValueError(
                    f"The pair {(o, r)!r} is unknown: name an output and a rater that have scores."
                )
        if not wanted:
            raise ValueError("No pair is left to ask: every rater has rated every output.")
        self.pairs = wanted

    def outlook(self) -> _Outlook:
        posterior = self.posterior
        matrix, known = self.functions()
        points = _thinned(posterior)
        means, covariances, own = [], [], []
        for weight, at in points:
            gaussian = posterior.points[at].gaussian(posterior.model)
            means.append(matrix @ gaussian.mean)
            covariances.append(weight * gaussian.covariance(matrix, matrix))
            own.append(weight * self.own_variance(gaussian, known))
        weights = np.array([weight for weight, _ in points])
        around = np.stack(means) - weights @ np.stack(means)
        people = len(self.seen.people)
        return _Outlook(
            mean=posterior.mixtures["person"].mean,
            joint=np.sum(covariances, axis=0) + (around.T * weights) @ around,
            people=people,
            parts=self.parts(known),
            own=np.sum(own, axis=0),
            candidates=tuple(self.pairs),
        )

    def functions(self) -> tuple[sparse.csr_matrix, dict[tuple[int, int], int]]:
        """Levels, then the parts, as functions of the variables; and where known affinities stand."""
        design = self.posterior.model.design
        blocks = [design.reports["person"]]
        for criterion in range(len(self.criteria)):
            blocks.append(self.output_part(criterion))
        for criterion in range(len(self.criteria)):
            blocks.append(self.rater_part(criterion))
        affinity, known = self.terms.get("affinity"), {}
        if affinity is not None:
            person = {label: at for at, label in enumerate(self.seen.people)}
            known = {(person[i], self.rater_place[r]): at for at, (i, r) in enumerate(affinity.pairs)}
            start = design.slices["affinity"].start
            blocks.append(_picks(np.arange(len(affinity.levels)) + start, design.size))
        return sparse.csr_matrix(sparse.vstack(blocks)), known

    def output_part(self, criterion: int) -> sparse.csr_matrix:
        """Quality of each output on this criterion, its mean included."""
        design = self.posterior.model.design
        quality = sparse.lil_matrix(design.reports["output"])
        seen = self.seen
        if "aspect" in self.terms:
            width = len(self.criteria)
            columns = np.arange(design.slices["aspect"].start, design.slices["aspect"].stop)
            mine = (np.arange(columns.size) % width) == criterion
            block = quality[:, columns].toarray()
            quality[:, columns] = np.where(mine, block * width, 0.0)
        mean = seen.instrument.levels.index(self.criteria[criterion])
        quality[:, design.random_size + mean] = 1.0
        return sparse.csr_matrix(quality)

    def rater_part(self, criterion: int) -> sparse.csr_matrix:
        design, size = self.posterior.model.design, len(self.raters.levels)
        part = sparse.lil_matrix((size, design.size))
        if "rater" in self.terms:
            part[np.arange(size), design.slices["rater"].start + np.arange(size)] = 1.0
        if "habit" in self.terms:
            for at, (rater, level) in enumerate(self.terms["habit"].pairs):
                if level == self.criteria[criterion]:
                    part[self.rater_place[rater], design.slices["habit"].start + at] = 1.0
        return sparse.csr_matrix(part)

    @property
    def weights(self) -> sparse.csr_matrix:
        settings = self.posterior.model.settings
        shares = self.seen.shares
        if self.seen.owner is not self.outputs:
            rows = np.array(
                [int(np.argmax(self.outputs.codes == at)) for at in range(len(self.outputs.levels))]
            )
            shares = shares[self.seen.owner.codes[rows]]
        return credit_weights(shares, exponent=settings.exponent, norm=settings.credit_norm)

    def parts(self, known: dict[tuple[int, int], int]) -> sparse.csr_matrix:
        """Which parts each candidate's score on each criterion is made of."""
        outputs, raters, criteria = len(self.outputs.levels), len(self.raters.levels), len(self.criteria)
        weights, width = self.weights, criteria * (outputs + raters)
        rows: list[int] = []
        columns: list[int] = []
        values: list[float] = []
        for at, (output, rater) in enumerate(self.pairs):
            o, r = self.place[output], self.rater_place[rater]
            team = range(weights.indptr[o], weights.indptr[o + 1])
            shared = [
                (width + known[key], weights.data[e])
                for e in team
                if (key := (int(weights.indices[e]), r)) in known
            ]
            for criterion in range(criteria):
                entries = [
                    (criterion * outputs + o, 1.0),
                    (criteria * outputs + criterion * raters + r, 1.0),
                    *shared,
                ]
                rows += [at * criteria + criterion] * len(entries)
                columns += [column for column, _ in entries]
                values += [value for _, value in entries]
        shape = (len(self.pairs) * criteria, width + len(known))
        return sparse.csr_matrix((values, (rows, columns)), shape=shape)

    def own_variance(self, gaussian: Gaussian, known: dict[tuple[int, int], int]) -> Floats:
        """Of a new pair: unknown affinities and halo shared by its scores, and noise of each."""
        hyper, design = gaussian.hyper, gaussian.design
        sds = {term.name: float(sd) for term, sd in zip(design.terms, hyper.sd, strict=True)}
        weights, criteria = self.weights, len(self.criteria)
        noise = dict(zip(design.noise_names, hyper.noise, strict=True))
        each = np.diag(
            [float(noise.get(f"noise[{level}]", noise.get("noise", 0.0))) ** 2 for level in self.criteria]
        )
        own = np.zeros((len(self.pairs), criteria, criteria))
        for at, (output, rater) in enumerate(self.pairs):
            o, r = self.place[output], self.rater_place[rater]
            team = range(weights.indptr[o], weights.indptr[o + 1])
            new = sum(weights.data[e] ** 2 for e in team if (int(weights.indices[e]), r) not in known)
            own[at] = each + sds.get("affinity", 0.0) ** 2 * new + sds.get("halo", 0.0) ** 2
        return own


def _picks(columns: Ints, size: int) -> sparse.csr_matrix:
    return sparse.csr_matrix(
        (np.ones(columns.size), (np.arange(columns.size), columns)), shape=(columns.size, size)
    )


def _thinned(posterior: Fitted) -> list[tuple[float, int]]:
    """A few points that stand for all: systematic resampling of the weights, without chance."""
    weights = np.array([point.weight for point in posterior.points])
    count = min(POINTS, weights.size)
    picked = np.searchsorted(np.cumsum(weights), (np.arange(count) + 0.5) / count * weights.sum())
    chosen, times = np.unique(np.minimum(picked, weights.size - 1), return_counts=True)
    return [(float(times[at]) / count, int(chosen[at])) for at in range(chosen.size)]
