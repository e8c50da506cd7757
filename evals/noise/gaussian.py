"""The Gaussian posterior given the hyperparameters, and the criterion that they are chosen by.

With u = S v (S the sd of each level), D the prior precision of v (1, or 0 for fixed effects) and B of
``design``,

    A = S B S + D,      A v = S T' W y,
    criterion = (n - p) log 2 pi - sum log w + log det A + r' W r + v' D v,

which is -2 times the restricted log-likelihood. At sd = 0 nothing is singular. Where a site
exp(h l - t l^2 / 2) stands for a prior that isn't normal, D is t, S is 1, h joins the right-hand side, and
the criterion is that of the integral over the unnormalised sites.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from evals.noise.arrays import Floats, tally
from evals.noise.design import Design
from evals.noise.elimination import Factor

LOG_2PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class Hyper:
    """One point of hyperparameters: an sd per term, noise sds, free scales, and luck's exponential part."""

    sd: Floats
    noise: Floats
    scale: Floats
    luck: float = 0.0


@dataclass(frozen=True)
class Sites:
    """Gaussian stand-ins for priors or scores that aren't Gaussian."""

    term: str = ""  # the term whose levels they replace the prior of
    precision: Floats | None = None
    shift: Floats | None = None
    row_score: Floats | None = None
    row_precision: Floats | None = None


NO_SITES = Sites()


@dataclass(frozen=True)
class Gaussian:
    """The posterior of all levels at one point of hyperparameters."""

    design: Design
    hyper: Hyper
    sites: Sites = NO_SITES
    device: str = "cpu"
    prepared: Factor | None = None  # where another computation has already factored these equations

    @cached_property
    def spread(self) -> Floats:
        """S: the prior sd of each variable, 1 for fixed effects and where sites stand for the prior."""
        spread = np.ones(self.design.size)
        spread[: self.design.random_size] = self.hyper.sd[self.design.term_of_variable]
        if self.sites.precision is not None:
            spread[self.design.slices[self.sites.term]] = 1.0
        return spread

    @cached_property
    def prior(self) -> Floats:
        """Each variable's prior precision in units of its spread: 1, 0 for fixed effects, or its site's."""
        prior = np.ones(self.design.size)
        prior[self.design.fixed_slice] = 0.0
        if self.sites.precision is not None:
            prior[self.design.slices[self.sites.term]] = self.sites.precision
        return prior

    @cached_property
    def precision(self) -> Floats:
        """w by row group."""
        if self.sites.row_precision is not None:
            return self.sites.row_precision
        return self.design.precisions(self.hyper.noise)

    @cached_property
    def row_precision(self) -> Floats:
        return self.precision[self.design.row_groups[0]]

    @cached_property
    def weights(self) -> sparse.csr_matrix:
        """T with the instruments' scales in it."""
        if not self.design.scale_names:
            return self.design.weights
        factor = np.append(self.hyper.scale, 1.0)[self.design.scale_of_row] - 1.0
        return sparse.csr_matrix(self.design.weights + sparse.diags(factor) @ self.design.scaled_weights)

    @cached_property
    def entries(self) -> tuple[Floats, Floats]:
        """B's diagonal and its entries on the pattern."""
        cells = self.design.entries.factors(self.precision, self.hyper.scale)
        entries = self.design.entries
        return np.asarray(entries.on_diagonal @ cells), np.asarray(entries.off_diagonal @ cells)

    @cached_property
    def equations(self) -> tuple[Floats, Floats]:
        """A's diagonal and its entries on the pattern."""
        pattern, spread = self.design.entries.pattern, self.spread
        diagonal, values = self.entries
        return diagonal * spread**2 + self.prior, values * spread[pattern.first] * spread[pattern.second]

    @cached_property
    def factor(self) -> Factor:
        if self.prepared is not None:
            return self.prepared
        return self.design.elimination.factor(*self.equations, device=self.device)

    @cached_property
    def scores(self) -> Floats:
        return self.design.y if self.sites.row_score is None else self.sites.row_score

    @cached_property
    def shift(self) -> Floats:
        """h: what sites add to the right-hand side."""
        shift = np.zeros(self.design.size)
        if self.sites.shift is not None:
            shift[self.design.slices[self.sites.term]] = self.sites.shift
        return shift

    def project(self, rows: Floats) -> Floats:
        """S T' W rows."""
        weighted = (rows.T * self.row_precision).T
        return np.asarray(((self.weights.T @ weighted).T * self.spread).T)

    @cached_property
    def standardized(self) -> Floats:
        """v: the levels' posterior means in units of their spread."""
        return self.factor.solve(self.project(self.scores) + self.shift)

    @cached_property
    def mean(self) -> Floats:
        return self.spread * self.standardized

    @cached_property
    def residual(self) -> Floats:
        return np.asarray(self.scores - self.weights @ self.mean)

    @cached_property
    def criterion(self) -> float:
        free = self.scores.size - self.design.fixed.shape[1]
        if self.sites.precision is not None:
            free -= self.sites.precision.size
        v = self.standardized
        fit = float(self.row_precision @ self.residual**2 + self.prior @ v**2 - 2.0 * self.shift @ v)
        noise = float(np.log(self.precision) @ self.design.row_counts)
        return float(free * LOG_2PI - noise + self.factor.log_determinant + fit)

    @cached_property
    def inverse_entries(self) -> tuple[Floats, Floats]:
        """The posterior covariance, fixed effects' uncertainty included: diagonal, and on the pattern."""
        pattern, spread = self.design.entries.pattern, self.spread
        diagonal, values = self.factor.inverse_entries
        return diagonal * spread**2, values * spread[pattern.first] * spread[pattern.second]

    @cached_property
    def variance(self) -> Floats:
        return self.inverse_entries[0]

    @cached_property
    def cell_leverage(self) -> Floats:
        """Derivative of log det A by each cell of the design's entries."""
        diagonal, values = self.inverse_entries
        entries = self.design.entries
        return np.asarray(entries.on_diagonal.T @ diagonal + 2.0 * (entries.off_diagonal.T @ values))

    @cached_property
    def leverage(self) -> Floats:
        """h: the posterior variance of each row's fitted score."""
        left, right, place = self.design.row_pairs
        weights = self.weights
        diagonal, values = self.inverse_entries
        row = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
        own = tally(row, weights.data**2 * diagonal[weights.indices], weights.shape[0])
        cross = weights.data[left] * weights.data[right] * values[place]
        return own + 2.0 * tally(row[left], cross, weights.shape[0])

    def report(self, name: str) -> tuple[Floats, Floats]:
        """Mean and sd of the reported linear functions of this name."""
        matrix = self.design.reports[name]
        return matrix @ self.mean, np.sqrt(self.report_variance(name))

    def report_variance(self, name: str) -> Floats:
        """Variances of reported functions, from the inverse's entries on the pattern alone."""
        matrix = self.design.reports[name]
        total = np.asarray(self.design.squared_reports[name] @ self.variance)
        if matrix.nnz == matrix.shape[0]:
            return total
        from_pairs, place, coefficient = self.design.report_pairs(name)
        cross = tally(from_pairs, coefficient * self.inverse_entries[1][place], matrix.shape[0])
        return np.maximum(total + 2.0 * cross, 0.0)

    def covariance(self, left: sparse.csr_matrix, right: sparse.csr_matrix) -> Floats:
        """Posterior covariance between two sets of linear functions of the variables."""
        columns = np.asarray((right @ sparse.diags(self.spread)).T.todense())
        return np.asarray((left @ sparse.diags(self.spread)) @ self.factor.solve(columns))

    def draw(self, name: str, draws: int, rng: np.random.Generator) -> Floats:
        """Joint draws (draws, levels) of reported functions."""
        levels = self.spread[:, None] * self.factor.draw(rng, draws)
        return np.asarray((self.design.reports[name] @ (levels + self.mean[:, None])).T)
