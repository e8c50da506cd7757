"""Integration over the hyperparameters: importance-sampled scrambled Sobol points.

Points come from a t at the mode, then from t's fitted to the weighted points so far; every point is
weighted by the target over the mixture of all proposals used. Later rounds are small, because a proposal made
of what the last round found is worth more than further points of the one before; the first is not, because a
proposal made of few points can miss a part of the posterior.
"""

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import optimize, special

from evals.noise.arrays import Floats
from evals.noise.evaluation import State, evaluate, from_working, is_noise, to_vector, to_working
from evals.noise.gaussian import Hyper, Sites
from evals.noise.mode import curvature as mode_curvature
from evals.noise.model import Model
from evals.noise.propagation import TERM, TOLERANCE
from evals.noise.proposal import Proposal, fitted, pareto_k, refit

FIRST_ROUND, LATER_ROUND = 128, 64  # points
LEAST_POINTS = 256
POINTS_BESIDE = 128
MANY_POINTS = 512  # where they are cheap
CHEAP_CORE = 200  # variables in the dense core
LARGE_CORE = 800
SDS_AT_ONE_IN = 3  # points, unless the core is cheap
SDS_AT_ONE_IN_LARGE = 8
LOWEST_LOG = -3.0  # of a hyperparameter over its mean: nearer to zero nothing changes any more
LEAST_EFFECTIVE = 100.0
MOST_POINTS = 768
LARGEST_PARETO_K = 0.7
INNER_STEPS = 25
FAR_FROM_ZERO = 3.0  # in sds: with all sds there the mode itself is a good center
NEGLIGIBLE = 1e-10
WIDEST = 2.0  # sd of the first proposal along any axis, in the coordinates' units

Summary = dict[str, tuple[Floats, Floats | None, Floats | None]]  # mean, sd, third cumulant
Summarise = Callable[[State, bool], Summary]


@dataclass(frozen=True)
class Kept:
    """What stays of an evaluated state: enough to make it again, and its summary."""

    hyper: Hyper
    sites: Sites
    converged: bool
    summary: Summary

    @classmethod
    def of(cls, state: State, summarise: Summarise, *, with_sds: bool = True) -> "Kept":
        return cls(state.hyper, state.sites, state.converged, summarise(state, with_sds))


@dataclass(frozen=True)
class Integrated:
    """Weighted points, summarised as they passed."""

    vectors: Floats
    weights: Floats
    kept: tuple[Kept, ...]
    effective: float
    pareto_k: float
    evaluations: int

    @property
    def all_converged(self) -> bool:
        return all(kept.converged for kept in self.kept)


@dataclass
class Integration:
    """One run of the integration; holds the points so far."""

    model: Model
    mode: State
    summarise: Summarise
    seed: int = 0
    least_points: int = LEAST_POINTS
    workers: int = 1
    proposals: list[Proposal] = field(default_factory=list)
    points: list[Floats] = field(default_factory=list)
    densities: list[Floats] = field(default_factory=list)  # of each proposal, logarithms at all points
    log_target: list[Floats] = field(default_factory=list)
    found: list[Kept | None] = field(default_factory=list)
    evaluations: int = 0

    def run(self, proposal: Proposal) -> Integrated:
        for number in itertools.count():
            self.add(proposal, number)
            weights, log_weights = self.weigh()
            effective = 1.0 / float((weights**2).sum())
            k = pareto_k(log_weights)
            enough = effective >= LEAST_EFFECTIVE and k <= LARGEST_PARETO_K
            if self.evaluations >= MOST_POINTS or (self.evaluations >= self.least_points and enough):
                break
            proposal = refit(np.concatenate(self.points), weights, proposal.folds, proposal)
        return self.result(weights, effective, k)

    def add(self, proposal: Proposal, number: int) -> None:
        """Evaluate one more round of points."""
        count = LATER_ROUND if number else FIRST_ROUND
        points = proposal.points(count, seed=self.seed * 1000 + number)
        if self.workers == 1:
            done = list(map(self.at, points, range(count)))
        else:
            with ThreadPoolExecutor(self.workers) as pool:
                done = list(pool.map(self.at, points, range(count)))
        self.evaluations += count
        self.densities = [
            np.append(known, before.log_density(points))
            for before, known in zip(self.proposals, self.densities, strict=True)
        ]
        self.proposals.append(proposal)
        self.points.append(points)
        self.densities.append(proposal.log_density(np.concatenate(self.points)))
        self.found += [found for _, found in done]
        self.log_target.append(np.array([target for target, _ in done]))

    def at(self, working: Floats, number: int) -> tuple[float, Kept | None]:
        """Log target density in working coordinates, and the summary of the state there."""
        vector = from_working(self.model, working)
        start = self.mode.luck.sites if self.mode.luck is not None else None
        try:
            state = evaluate(self.model, vector, start=start, tolerance=TOLERANCE)
            target = -0.5 * state.objective + float(working[is_noise(self.model)].sum())
        except np.linalg.LinAlgError:
            return -np.inf, None
        if not np.isfinite(target):
            return -np.inf, None
        return target, Kept.of(state, self.summarise, with_sds=number % self.stride == 0)

    @property
    def stride(self) -> int:
        """Unless the core is cheap, sds are computed at some points, and interpolated between."""
        core = self.model.design.elimination.core
        if core.stop - core.start > LARGE_CORE and self.mode.luck is None:
            return SDS_AT_ONE_IN_LARGE
        return SDS_AT_ONE_IN if core.stop - core.start > CHEAP_CORE else 1

    def weigh(self) -> tuple[Floats, Floats]:
        log_weights = np.concatenate(self.log_target) - special.logsumexp(np.stack(self.densities), axis=0)
        return np.asarray(special.softmax(log_weights)), log_weights

    def result(self, weights: Floats, effective: float, k: float) -> Integrated:
        points = np.concatenate(self.points)
        pairs = [
            (at, kept) for at, kept in enumerate(self.found) if kept is not None and weights[at] > NEGLIGIBLE
        ]
        where = [at for at, _ in pairs]
        vectors = np.stack([from_working(self.model, points[at]) for at in where])
        return Integrated(
            vectors=vectors,
            weights=weights[where] / weights[where].sum(),
            kept=_with_all_sds([kept for _, kept in pairs], vectors),
            effective=effective,
            pareto_k=k,
            evaluations=self.evaluations,
        )


def _with_all_sds(kept: list[Kept], vectors: Floats) -> tuple[Kept, ...]:
    """Missing sds and third cumulants by linear regression on the hyperparameters, sds as logarithms."""
    known = [at for at, one in enumerate(kept) if one.summary["fixed"][1] is not None]
    if len(known) == len(kept):
        return tuple(kept)
    basis = _basis(vectors, len(known))
    filled: list[Summary] = [dict(one.summary) for one in kept]
    for name in kept[0].summary:
        _, sds, skews = zip(*(kept[at].summary[name] for at in known), strict=True)
        logs = [np.log(np.maximum(sd, np.finfo(float).tiny)) for sd in sds]
        guess = np.exp(_regressed(basis, known, logs))
        bent = None if skews[0] is None else _regressed(basis, known, skews)
        for at, one in enumerate(kept):
            mean, sd, skew = one.summary[name]
            if sd is None:
                filled[at][name] = (mean, guess[at], None if bent is None else bent[at])
            else:
                filled[at][name] = (mean, sd, skew)
    return tuple(replace(one, summary=summary) for one, summary in zip(kept, filled, strict=True))


def _basis(vectors: Floats, known: int) -> Floats:
    """Logarithms of the hyperparameters, and where enough points are known themselves too."""
    scaled = vectors / vectors.mean(axis=0)
    logs = np.log(np.maximum(scaled, np.exp(LOWEST_LOG)))
    wide = np.column_stack([np.ones(scaled.shape[0]), logs, scaled])
    return wide if known >= 2 * wide.shape[1] else wide[:, : 1 + logs.shape[1]]


def _regressed(basis: Floats, known: list[int], values: Sequence[Floats]) -> Floats:
    slopes = np.linalg.lstsq(basis[known], np.stack(values), rcond=None)[0]
    return np.asarray(basis @ slopes)


def least_points(model: Model) -> int:
    core = model.design.elimination.core
    return MANY_POINTS if core.stop - core.start <= CHEAP_CORE else LEAST_POINTS


def beside_points(model: Model) -> int:
    """For the symmetric posterior that stands beside: fewer, unless points are cheap."""
    many = least_points(model)
    return many if many == MANY_POINTS else POINTS_BESIDE


def first_proposal(model: Model, mode: State) -> Proposal:
    """A t where sds times the target is highest, with the curvature there.

    That point is inside even where the mode has sds at zero, and near the mode where they are well known.
    """
    folds = ~is_noise(model)
    if mode.luck is None and mode.scores is None:
        center, bend = to_working(model, to_vector(model, mode.hyper)), mode_curvature(mode)
        if np.all(center[folds] > FAR_FROM_ZERO * np.sqrt(2.0 * np.linalg.inv(bend).diagonal()[folds])):
            return Proposal(center, np.asarray(2.0 * np.linalg.inv(bend), dtype=np.float64), folds)
    center, state = _inner_mode(model, mode)
    curvature = _curvature(model, state, center)
    curvature[np.diag_indices_from(curvature)] += np.where(folds, 2.0 / center**2, 0.0)
    units = np.outer(_units(model), _units(model))
    value, vector = np.linalg.eigh(0.5 * curvature * units)
    value = np.maximum(value, 1.0 / WIDEST**2)
    return Proposal(center, np.asarray((vector / value) @ vector.T * units), folds)


def _units(model: Model) -> Floats:
    """How large each working coordinate can be: sds go with the scores, logarithms and scales with nothing."""
    design = model.design
    terms = [model.reference if term.is_scaled else 1.0 for term in design.terms]
    free = [1.0] * (len(design.noise_names) + len(design.scale_names))
    return np.array([*terms, *free, *([model.reference] * model.is_asymmetric)])


def proposal_beside(even: Model, vectors: Floats, weights: Floats) -> Proposal | None:
    """For symmetric luck a t with the moments of the asymmetric posterior, both parts of luck as one sd."""
    moved = vectors[:, :-1].copy()
    output = [term.name for term in even.design.terms].index(TERM)
    moved[:, output] = np.hypot(vectors[:, output], vectors[:, -1])
    return fitted(to_working(even, moved), weights, ~is_noise(even))


def _inner_mode(model: Model, mode: State) -> tuple[Floats, State]:
    """The mode of the density of logarithms, by BFGS from the mode."""
    vector = to_vector(model, mode.hyper)
    start = np.log(np.maximum(vector, np.where(is_noise(model), 0.0, 0.1 * model.reference)))
    latest = {"state": mode}

    def objective(logs: Floats) -> tuple[float, Floats]:
        state = _nearby(model, np.exp(logs), latest["state"])
        if state is None:
            return 1e12, np.zeros(logs.size)
        latest["state"] = state
        return state.objective - 2.0 * float(logs.sum()), state.slope * np.exp(logs) - 2.0

    found = optimize.minimize(
        objective, start, jac=True, method="L-BFGS-B", options={"maxiter": INNER_STEPS, "gtol": 0.05}
    )
    vector = np.exp(found.x)
    return to_working(model, vector), _nearby(model, vector, latest["state"]) or mode


def _nearby(model: Model, vector: Floats, before: State) -> State | None:
    start = before.luck.sites if before.luck is not None else None
    try:
        return evaluate(model, vector, start=start)
    except np.linalg.LinAlgError:
        return None


def _curvature(model: Model, mode: State, center: Floats) -> Floats:
    """Finite differences of the gradient, each step a small part of the coordinate."""
    size = center.size
    step = np.where(is_noise(model), 0.02, 0.02 * np.abs(center))
    columns = np.zeros((size, size))
    for at in range(size):
        there = center + np.where(np.arange(size) == at, step, 0.0)
        state = _nearby(model, from_working(model, there), mode)
        if state is not None:
            columns[at] = (state.working_slope - mode.working_slope) / step[at]
    return np.asarray(0.5 * (columns + columns.T))
