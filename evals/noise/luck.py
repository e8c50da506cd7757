"""Asymmetric luck at one output: normal minus exponential, and its moments beside a normal.

    luck = v - (a - l),     v ~ N(0, sd^2),     a ~ Exponential(mean l),

seen through N(m, s^2): with S^2 = sd^2 + s^2 and x = m - l, a is a normal with mean -x - S^2 / l and sd S
cut off at zero, and luck given a is normal. Everything follows from z = -x / S - S / l.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from evals.noise.arrays import Floats

FAR = -30.0  # below this z the asymptotic series is exact to rounding
LOG_2PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class Tilted:
    """Moments of luck's prior times a normal cavity, and derivatives of the log of its integral."""

    log_mass: Floats
    mean: Floats
    variance: Floats
    third: Floats  # third cumulant
    precision_gain: Floats  # 1 / variance - 1 / cavity variance
    by_sd: Floats
    by_luck: Floats


def hazard(z: Floats) -> Floats:
    """phi(z) / Phi(z), without cancellation in either tail."""
    return np.asarray(np.sqrt(2.0 / np.pi) / special.erfcx(-z / np.sqrt(2.0)))


def tilt(mean: Floats, variance: Floats, sd: float, luck: float) -> Tilted:
    """Luck's prior times N(mean, variance), elementwise."""
    total = sd**2 + variance
    root = np.sqrt(total)
    x = mean - luck
    z = -x / root - root / luck
    ratio = hazard(z)
    first, second, third = cut_normal(z, ratio)
    share = variance / total
    a_mean, a_variance = root * first, total * second
    new_variance = share * sd**2 + share**2 * a_variance
    gap = total * np.where(z < FAR, 1.0 - second, ratio * (z + ratio))
    log_mass = -np.log(luck) - 0.5 * x**2 / total + _log_half_erfcx(z)
    off = x + a_mean
    return Tilted(
        log_mass=log_mass,
        mean=share * (luck - a_mean) + (1.0 - share) * mean,
        variance=new_variance,
        third=-(share**3) * root**3 * third,
        precision_gain=share**2 * gap / (new_variance * variance),
        by_sd=sd * ((off**2 + a_variance) / total**2 - 1.0 / total),
        by_luck=(a_mean / luck - 1.0) / luck + off / total,
    )


def _log_half_erfcx(z: Floats) -> Floats:
    """log of Phi(z) / exp(-z^2 / 2); for large z, where erfcx overflows, by log Phi."""
    low = np.minimum(z, 5.0)
    small = np.log(0.5 * special.erfcx(-low / np.sqrt(2.0)))
    return np.asarray(np.where(z < 5.0, small, special.log_ndtr(z) + 0.5 * z**2))


def cut_normal(z: Floats, ratio: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean, variance and third cumulant of N(z, 1) cut off below zero."""
    far = np.minimum(z, FAR)
    inverse = 1.0 / far**2
    first = np.where(z < FAR, -(1.0 - 2.0 * inverse + 10.0 * inverse**2) / far, z + ratio)
    second = np.where(z < FAR, inverse * (1.0 - 6.0 * inverse + 50.0 * inverse**2), 1.0 - ratio * (z + ratio))
    third = np.where(
        z < FAR,
        -2.0 * inverse / far * (1.0 - 12.0 * inverse),
        ratio * (2.0 * ratio**2 + 3.0 * z * ratio + z**2 - 1.0),
    )
    return first, second, third
