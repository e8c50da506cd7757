"""Derivatives of the criterion: the gradient by trace identities, curvature by average information.

The vector of hyperparameters is (sd of terms, noise sds, free scales), in that order. With P y = W r,

    d criterion / d sd_j      = 2 (q_j - tr C_jj - v_j' v_j) / sd_j          (C, v in prior units)
    d criterion / d w_g       = (leverage - rows / w + sum of squared residuals)
    information[j, k]         = (V_j P y)' P (V_k P y),   V_j = dV / d parameter j.
"""

import numpy as np

from evals.noise.arrays import Floats, tally
from evals.noise.gaussian import Gaussian


def criterion_gradient(gaussian: Gaussian) -> Floats:
    """Gradient of the criterion by every hyperparameter of the Gaussian model."""
    return np.concatenate([_by_sd(gaussian), _by_noise(gaussian), _by_scale(gaussian)])


def _by_sd(gaussian: Gaussian) -> Floats:
    design = gaussian.design
    inside, v = gaussian.factor.inverse_entries[0], gaussian.standardized
    gone = np.zeros(len(design.terms))
    for at, term in enumerate(design.terms):
        where = design.slices[term.name]
        sd = gaussian.hyper.sd[at]
        if sd > 0 and term.name != gaussian.sites.term:
            gone[at] = 2.0 * float((1.0 - inside[where] - v[where] ** 2).sum()) / sd
    return gone


def _by_noise(gaussian: Gaussian) -> Floats:
    design, hyper = gaussian.design, gaussian.hyper
    if gaussian.sites.row_precision is not None:
        return np.zeros(hyper.noise.size)
    group, of_group, _, factor = design.row_groups
    entries, precision = design.entries, gaussian.precision
    by_cell = gaussian.cell_leverage * np.append(hyper.scale, 1.0)[entries.scale] ** entries.power
    by_precision = tally(entries.group, by_cell, precision.size)
    by_precision += tally(group, gaussian.residual**2, precision.size)
    by_precision -= design.row_counts / precision
    padded = np.append(hyper.noise, 0.0)
    by_sd = -2.0 * padded[of_group] * factor * precision**2 * by_precision
    free = of_group >= 0
    return tally(of_group[free], by_sd[free], hyper.noise.size)


def _by_scale(gaussian: Gaussian) -> Floats:
    design, hyper = gaussian.design, gaussian.hyper
    if not hyper.scale.size:
        return np.zeros(0)
    entries = design.entries
    padded = np.append(hyper.scale, 1.0)[entries.scale]
    slope = entries.power * padded ** np.maximum(entries.power - 1, 0)
    by_cell = gaussian.cell_leverage * slope * gaussian.precision[entries.group]
    free = entries.scale >= 0
    total = tally(entries.scale[free], by_cell[free], hyper.scale.size)
    by_row = -2.0 * gaussian.row_precision * gaussian.residual * (design.scaled_weights @ gaussian.mean)
    rows = design.scale_of_row >= 0
    return total + tally(design.scale_of_row[rows], by_row[rows], hyper.scale.size)


def directions(gaussian: Gaussian) -> Floats:
    """(rows, hyperparameters): dV/d parameter times P y."""
    design, hyper = gaussian.design, gaussian.hyper
    weighted = gaussian.row_precision * gaussian.residual
    pulled = gaussian.weights.T @ weighted
    columns = []
    for at, term in enumerate(design.terms):
        only = np.zeros(design.size)
        only[design.slices[term.name]] = 2.0 * hyper.sd[at] * pulled[design.slices[term.name]]
        columns.append(gaussian.weights @ only)
    factor = design.row_groups[3][design.row_groups[0]]
    for at in range(hyper.noise.size):
        columns.append(np.where(design.noise_of_row == at, 2.0 * hyper.noise[at] * factor * weighted, 0.0))
    prior = gaussian.spread**2
    prior[design.fixed_slice] = 0.0
    for at in range(hyper.scale.size):
        mine = design.scale_of_row == at
        out = design.scaled_weights @ (prior * pulled)
        back = gaussian.weights @ (prior * (design.scaled_weights.T @ np.where(mine, weighted, 0.0)))
        columns.append(np.where(mine, out, 0.0) + back)
    return np.stack(columns, axis=1)


def average_information(gaussian: Gaussian) -> Floats:
    """Curvature of the criterion: half observed, half expected; positive semi-definite."""
    moved = directions(gaussian)
    projected = gaussian.project(moved)
    through = projected.T @ gaussian.factor.solve(projected)
    return np.asarray((moved.T * gaussian.row_precision) @ moved - through)
