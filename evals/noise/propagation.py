"""Expectation propagation for luck: a normal stand-in for each output's asymmetric prior.

With the data's normal message Lambda, eta on luck (all else integrated out) and sites of precision t and
shift h, the posterior of luck is normal with precision Lambda + diag(t). Each sweep replaces all sites so
that the moments of cavity times prior are met. The evidence is

    log Z = log Z(sites) + sum_o [ log mass_o - log of the integral of cavity times site ].

Far down in the exponential tail a site is only a shift: its precision goes to zero.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import blas, lapack

from evals.noise.arrays import Floats
from evals.noise.dense import LapackCore
from evals.noise.elimination import Factor, StageNumbers
from evals.noise.gaussian import Gaussian, Hyper, Sites
from evals.noise.luck import Tilted, tilt
from evals.noise.model import Model

TERM = "output"
MOST_SWEEPS = 100
MOST_HALVINGS = 12
SMALLEST_SD = 2e-3  # of the reference sd
TOLERANCE_AT_MODE = 1e-6
TOLERANCE = 1e-4


@dataclass(frozen=True)
class LuckPrior:
    """The normal part's sd and the exponential part's mean."""

    sd: float
    luck: float

    @classmethod
    def of(cls, model: Model, hyper: Hyper) -> "LuckPrior":
        names = [term.name for term in model.design.terms]
        # Below this the sites outweigh their cavities by more than rounding leaves of the difference.
        least = SMALLEST_SD * model.reference
        return cls(max(float(hyper.sd[names.index(TERM)]), least), max(hyper.luck, least))


@dataclass(frozen=True)
class LuckSites:
    """Sites of all outputs, as precisions and shifts."""

    precision: Floats
    shift: Floats

    @classmethod
    def of_prior(cls, outputs: int, prior: "LuckPrior") -> "LuckSites":
        """The normal of the prior's own mean and variance."""
        return cls(np.full(outputs, 1.0 / (prior.sd**2 + prior.luck**2)), np.zeros(outputs))

    def moved(self, other: "LuckSites", step: float) -> "LuckSites":
        return LuckSites(
            self.precision + step * (other.precision - self.precision),
            self.shift + step * (other.shift - self.shift),
        )

    def as_normal(self) -> Sites:
        return Sites(TERM, self.precision, self.shift)


@dataclass(frozen=True)
class Marginals:
    """Means and variances of luck, and where luck is dense the factor of its precision."""

    mean: Floats
    variance: Floats
    lower: Floats | None = None


@dataclass(frozen=True)
class LuckSpace:
    """What the data say of luck, all else integrated out; luck is last in the dense core."""

    model: Model
    hyper: Hyper
    numbers: tuple[StageNumbers, ...]
    lower: Floats  # factor of the core without luck
    cross: Floats  # (core without luck, luck)
    message: Floats  # Lambda, its lower triangle
    shift: Floats  # eta

    @classmethod
    def of(cls, model: Model, hyper: Hyper) -> "LuckSpace":
        design, luck = model.design, model.design.slices[TERM]
        size = luck.stop - luck.start
        flat = Gaussian(design, hyper, Sites(TERM, np.zeros(size), np.zeros(size)))
        numbers, core = design.elimination.reduce(*flat.equations)
        rows = (flat.weights.T @ (flat.scores * flat.row_precision)) * flat.spread
        right = design.elimination.down(rows, numbers)
        first = core.shape[0] - size
        lower, failed = lapack.dpotrf(core[:first, :first], lower=1)
        if failed:
            raise np.linalg.LinAlgError("The mixed-model equations are not positive definite.")
        both = np.column_stack([core[first:, :first].T, right[:first]])
        solved, _ = lapack.dtrtrs(lower, both, lower=1)
        cross, below = solved[:, :-1], solved[:, -1]
        return cls(
            model=model,
            hyper=hyper,
            numbers=numbers,
            lower=lower,
            cross=cross,
            message=blas.dsyrk(-1.0, cross, beta=1.0, c=core[first:, first:], trans=1, lower=1),
            shift=right[first:] - cross.T @ below,
        )

    def factor(self, last: Floats) -> Factor:
        """The factor of all the equations, given that of luck's precision."""
        first, size = self.lower.shape[0], last.shape[0]
        lower = np.zeros((first + size, first + size), order="F")
        lower[:first, :first] = self.lower
        lower[first:, :first] = self.cross.T
        lower[first:, first:] = last
        return Factor(self.model.design.elimination, self.numbers, LapackCore(lower))

    def marginals(self, sites: LuckSites) -> Marginals | None:
        """Means and variances of luck under these sites; None where they are no normal."""
        precision = self.message.copy(order="F")
        precision[np.diag_indices_from(precision)] += sites.precision
        lower, failed = lapack.dpotrf(precision, lower=1, overwrite_a=1)
        if failed:
            return None
        # Half the work of the whole inverse, of which only the diagonal is wanted.
        root, _ = lapack.dtrtri(lower, lower=1)
        mean = root.T @ (root @ (self.shift + sites.shift))
        return Marginals(mean, np.einsum("ij,ij->j", root, root), lower)


@dataclass(frozen=True)
class LargeLuckSpace:
    """The same where there are too many outputs for a dense message: one elimination a sweep."""

    model: Model
    hyper: Hyper

    def marginals(self, sites: LuckSites) -> Marginals | None:
        if np.any(sites.precision < 0):
            return None
        gaussian = Gaussian(self.model.design, self.hyper, sites.as_normal())
        luck = self.model.design.slices[TERM]
        return Marginals(gaussian.mean[luck], gaussian.variance[luck])


@dataclass(frozen=True)
class LuckPosterior:
    """Converged sites with what they were converged against."""

    gaussian: Gaussian
    sites: LuckSites
    tilted: Tilted
    cavity_mean: Floats
    cavity_variance: Floats
    sweeps: int
    converged: bool

    @cached_property
    def criterion(self) -> float:
        """-2 times the log evidence."""
        mean, variance = self.cavity_mean, self.cavity_variance
        precision, shift = self.sites.precision, self.sites.shift
        shrunk = 1.0 + precision * variance
        against = (2.0 * mean * shift + shift**2 * variance - precision * mean**2) / shrunk - np.log(shrunk)
        return self.gaussian.criterion - float((2.0 * self.tilted.log_mass - against).sum())

    @property
    def slope_by_sd(self) -> float:
        return -2.0 * float(self.tilted.by_sd.sum())

    @property
    def slope_by_luck(self) -> float:
        return -2.0 * float(self.tilted.by_luck.sum())

    @cached_property
    def third_cumulants(self) -> Floats:
        """Of each output's luck, over its variance cubed: what others inherit through their covariance."""
        return np.asarray(self.tilted.third / self.tilted.variance**3)


def propagate(
    model: Model, hyper: Hyper, *, start: LuckSites | None = None, tolerance: float = TOLERANCE_AT_MODE
) -> LuckPosterior:
    """Sweep until means and variances of luck stand still, halving steps that lead nowhere."""
    space = LuckSpace.of(model, hyper) if model.design.kept else LargeLuckSpace(model, hyper)
    luck, prior = model.design.slices[TERM], LuckPrior.of(model, hyper)
    sites = start or LuckSites.of_prior(luck.stop - luck.start, prior)
    now = space.marginals(sites)
    if now is None:
        sites = LuckSites.of_prior(luck.stop - luck.start, prior)
        now = space.marginals(sites)
    if now is None:
        raise np.linalg.LinAlgError("The mixed-model equations are not positive definite.")
    for sweep in range(1, MOST_SWEEPS + 1):
        wanted, _, _, _ = _met(now, sites, prior)
        found = _step(space, sites, wanted)
        if found is None:
            return _finish(space, sites, now, sweep, converged=False)
        sites, then = found
        moved = _distance(now, then)
        now = then
        if moved < tolerance:
            return _finish(space, sites, now, sweep, converged=True)
    return _finish(space, sites, now, MOST_SWEEPS, converged=False)


def _met(now: Marginals, sites: LuckSites, prior: LuckPrior) -> tuple[LuckSites, Tilted, Floats, Floats]:
    """The sites that meet the tilted moments, given the present marginals."""
    precision = 1.0 / now.variance - sites.precision
    precision = np.maximum(precision, 1e-12 / now.variance)
    variance = 1.0 / precision
    mean = variance * (now.mean / now.variance - sites.shift)
    tilted = tilt(mean, variance, prior.sd, prior.luck)
    gain = np.maximum(tilted.precision_gain, 0.0)
    shift = tilted.mean * (precision + gain) - mean * precision
    return LuckSites(gain, shift), tilted, mean, variance


def _step(
    space: LuckSpace | LargeLuckSpace, sites: LuckSites, wanted: LuckSites
) -> tuple[LuckSites, Marginals] | None:
    """The whole step, or as much of it as leaves every cavity a normal."""
    step = 1.0
    for _ in range(MOST_HALVINGS):
        there = sites.moved(wanted, step)
        then = space.marginals(there)
        if (
            then is not None
            and np.all(np.isfinite(then.mean))
            and np.all(then.variance * there.precision < 1.0)
        ):
            return there, then
        step /= 2.0
    return None


def _distance(now: Marginals, then: Marginals) -> float:
    """The largest change in units of the posterior sd, of means and of sds."""
    sd = np.sqrt(then.variance)
    return float(
        max(np.abs((then.mean - now.mean) / sd).max(), np.abs(np.sqrt(now.variance) / sd - 1.0).max())
    )


def _finish(
    space: LuckSpace | LargeLuckSpace, sites: LuckSites, now: Marginals, sweeps: int, *, converged: bool
) -> LuckPosterior:
    model, hyper = space.model, space.hyper
    _, tilted, mean, variance = _met(now, sites, LuckPrior.of(model, hyper))
    prepared = None
    if isinstance(space, LuckSpace) and now.lower is not None and model.settings.device == "cpu":
        prepared = space.factor(now.lower)
    gaussian = Gaussian(model.design, hyper, sites.as_normal(), model.settings.device, prepared)
    return LuckPosterior(gaussian, sites, tilted, mean, variance, sweeps, converged)
