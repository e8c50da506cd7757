"""The most likely hyperparameters.

With symmetric luck by Newton's method with average information, projected at a small floor: an sd that
wants to be negative rests there while the others move, and is set to zero at the end where that is
better. With asymmetric luck by a quasi-Newton search that starts from the symmetric mode.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from evals.noise.arrays import Flags, Floats
from evals.noise.evaluation import State, evaluate, from_working, is_noise, to_vector, to_working
from evals.noise.gaussian import Hyper
from evals.noise.gradient import average_information
from evals.noise.model import Model
from evals.noise.propagation import LuckSites

FLOOR = 1e-4  # of the reference sd
LUCK_FLOOR = 5e-3  # the same beside asymmetric luck, whose sites need a little room
ENOUGH = 1e-9  # expected decrease of the criterion at which the search stops
MOST_STEPS = 60
MOST_HALVINGS = 30
MOST_QUASI_STEPS = 100


@dataclass(frozen=True)
class Mode:
    """Where the search ended, and whether it converged."""

    state: State
    evaluations: int
    converged: bool
    even: "Mode | None" = None  # with symmetric luck, where the search began

    @property
    def hyper(self) -> Hyper:
        return self.state.hyper


def find_mode(model: Model) -> Mode:
    """Minimise the penalised criterion."""
    if model.settings.link == "ordinal":
        return _ordinal_mode(model)
    if not model.is_asymmetric:
        return _Newton(model).run(to_vector(model, model.start))
    even = _Newton(model.symmetric).run(to_vector(model.symmetric, model.symmetric.start))
    return _QuasiNewton(model).run(even)


def _ordinal_mode(model: Model) -> Mode:
    """With thresholds already at the joint mode, the sds that go with them."""
    if model.thresholds is None or model.best_sds is None:
        raise ValueError("The ordinal link needs its thresholds first.")
    state = evaluate(model, model.best_sds)
    return Mode(state, 1, state.converged)


def curvature(state: State) -> Floats:
    """Average information in working coordinates, with the bend of the coordinates and priors."""
    model, vector = state.model, to_vector(state.model, state.hyper)
    logs = is_noise(model)
    bend = np.array([prior.curvature(float(at)) for prior, at in zip(model.priors, vector, strict=True)])
    prior_slope = np.array([prior.slope(float(at)) for prior, at in zip(model.priors, vector, strict=True)])
    terms = len(model.design.terms)
    inner = np.maximum(vector[:terms], np.finfo(float).tiny)
    bend[:terms] += (state.slope - prior_slope)[:terms] / inner
    by_log = np.where(logs, vector, 1.0)
    bend = bend * by_log**2 + np.where(logs, state.slope * vector, 0.0)
    return _positive(average_information(state.gaussian) * np.outer(by_log, by_log), bend)


def _positive(information: Floats, bend: Floats) -> Floats:
    """Information with the bend added, as far as it stays positive definite."""
    full = information + np.diag(bend)
    size = np.sqrt(np.maximum(full.diagonal(), np.finfo(float).tiny))
    if np.all(full.diagonal() > 0) and np.linalg.eigvalsh(full / np.outer(size, size))[0] > 1e-3:
        return np.asarray(full)
    safe = information + np.diag(np.maximum(bend, 0.0))
    least = 1e-6 * safe.diagonal().max() + 1e-12
    return np.asarray(safe + np.diag(1e-6 * np.maximum(safe.diagonal(), least)))


class _Newton:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.floor = FLOOR * model.reference
        self.evaluations = 0

    def evaluate(self, vector: Floats) -> State | None:
        self.evaluations += 1
        try:
            state = evaluate(self.model, vector)
            return state if np.isfinite(state.objective) else None
        except np.linalg.LinAlgError:
            return None

    def run(self, start: Floats) -> Mode:
        state, converged = self.evaluate(start), False
        if state is None:
            raise ValueError("The model can't be evaluated where its search begins: rescale the scores.")
        for _ in range(MOST_STEPS):
            step, promised = self.step(state)
            if promised < ENOUGH:
                converged = True
                break
            better = self.along(state, step, promised)
            if better is None:
                converged = promised < 1e-6
                break
            state = better
        return Mode(self.with_zeros(state), self.evaluations, converged)

    def step(self, state: State) -> tuple[Floats, float]:
        """Newton's step among what is free to move, and the decrease that it promises."""
        slope, bend = state.working_slope, curvature(state)
        free = self.free(to_vector(self.model, state.hyper), slope)
        step = np.zeros(slope.size)
        step[free] = -np.linalg.solve(bend[np.ix_(free, free)], slope[free])
        return step, float(-slope @ step)

    def free(self, vector: Floats, slope: Floats) -> Flags:
        """All but what rests at its floor and would go lower."""
        floor = np.where(is_noise(self.model), self.model.least_noise, self.floor)
        return np.asarray((vector > floor) | (slope <= 0))

    def along(self, state: State, step: Floats, promised: float) -> State | None:
        """The first of ever shorter steps that keeps a part of what was promised."""
        vector, length = to_vector(self.model, state.hyper), 1.0
        for _ in range(MOST_HALVINGS):
            there = self.evaluate(self.moved(vector, length * step))
            if there is not None and there.objective <= state.objective - 1e-4 * length * promised:
                return there
            length /= 2.0
        return None

    def moved(self, vector: Floats, step: Floats) -> Floats:
        low, high = np.maximum(self.floor, 0.05 * vector), 10.0 * vector + self.model.reference
        inside = np.clip(vector + step, low, high)
        noise = np.maximum(vector * np.exp(np.clip(step, -1.5, 1.5)), self.model.least_noise)
        return np.where(is_noise(self.model), noise, inside)

    def with_zeros(self, state: State) -> State:
        """Set to zero what rests at the floor, where that is no worse."""
        vector = to_vector(self.model, state.hyper)
        low = (vector <= 1.01 * self.floor) & ~is_noise(self.model)
        if not low.any():
            return state
        there = self.evaluate(np.where(low, 0.0, vector))
        return there if there is not None and there.objective <= state.objective + 1e-9 else state


class _QuasiNewton:
    """The search with asymmetric luck: bounded BFGS on coordinates scaled by the symmetric curvature."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.floor = LUCK_FLOOR * model.reference
        self.sites: LuckSites | None = None
        self.evaluations = 0

    def run(self, even: Mode) -> Mode:
        self.evaluations = even.evaluations
        sharp = curvature(even.state).diagonal()
        start = np.append(to_vector(even.state.model, even.hyper), self._first_luck(even.hyper))
        self.unit = np.append(1.0 / np.sqrt(sharp), 0.2 * self.model.reference)
        self.unit = np.minimum(self.unit, np.where(is_noise(self.model), 1.0, 0.5 * self.model.reference))
        at = to_working(self.model, np.maximum(start, self.floor)) / self.unit
        low = np.where(is_noise(self.model), np.log(self.model.least_noise), self.floor) / self.unit
        found = optimize.minimize(
            self.objective,
            at,
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(low, np.full(at.size, np.inf), strict=True)),
            options={"maxiter": MOST_QUASI_STEPS, "ftol": 1e-12, "gtol": 1e-4},
        )
        state = self.state(found.x)
        return Mode(state, self.evaluations, bool(found.success) and state.converged, even)

    def _first_luck(self, hyper: Hyper) -> float:
        """Half of the symmetric output sd, or a tenth of the reference where that is nothing."""
        names = [term.name for term in self.model.design.terms]
        return max(0.5 * float(hyper.sd[names.index("output")]), 0.1 * self.model.reference)

    def state(self, scaled: Floats) -> State:
        return evaluate(self.model, from_working(self.model, scaled * self.unit), start=self.sites)

    def objective(self, scaled: Floats) -> tuple[float, Floats]:
        self.evaluations += 1
        try:
            state = self.state(scaled)
        except np.linalg.LinAlgError:
            return 1e12, np.zeros(scaled.size)
        if not np.isfinite(state.objective):
            return 1e12, np.zeros(scaled.size)
        if state.luck is not None and state.converged:
            self.sites = state.luck.sites
        return state.objective, state.working_slope * self.unit
