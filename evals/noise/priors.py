"""Priors of hyperparameters, each a function of an sd or scale: -2 log density, slope, curvature.

``program``: from published variance components; the person's sd is log-normal around half the reference
sd, others exponential. ``pc``: exponential with P(sd > reference) = 0.05. ``flat``: none (REML).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

PriorName = Literal["program", "pc", "flat"]
PRIORS: tuple[PriorName, ...] = ("program", "pc", "flat")

PERSON_MEDIAN = 0.5  # of the reference sd
PERSON_LOG_SD = 0.5
PROGRAM_RATE = 1.5  # over the reference sd
PC_RATE = 3.0  # over the reference sd
LOG_2PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class Exponential:
    rate: float

    def cost(self, sd: float) -> float:
        return float(2.0 * (self.rate * sd - np.log(self.rate)))

    def slope(self, sd: float) -> float:
        return 2.0 * self.rate

    def curvature(self, sd: float) -> float:
        return 0.0

    def draw(self, rng: np.random.Generator) -> float:
        return float(rng.exponential(1.0 / self.rate))


@dataclass(frozen=True)
class LogNormal:
    median: float
    log_sd: float

    def cost(self, sd: float) -> float:
        if sd <= 0:
            return np.inf
        away = np.log(sd / self.median) / self.log_sd
        return float(away**2 + 2.0 * np.log(sd * self.log_sd) + LOG_2PI)

    def slope(self, sd: float) -> float:
        return float(2.0 * (np.log(sd / self.median) / self.log_sd**2 + 1.0) / sd)

    def curvature(self, sd: float) -> float:
        return float(2.0 * (1.0 / self.log_sd**2 - 1.0 - np.log(sd / self.median) / self.log_sd**2) / sd**2)

    def draw(self, rng: np.random.Generator) -> float:
        return float(self.median * np.exp(self.log_sd * rng.standard_normal()))


@dataclass(frozen=True)
class HalfNormal:
    sd: float

    def cost(self, scale: float) -> float:
        return float((scale / self.sd) ** 2 + 2.0 * np.log(self.sd) - np.log(2.0 / np.pi))

    def slope(self, scale: float) -> float:
        return 2.0 * scale / self.sd**2

    def curvature(self, scale: float) -> float:
        return 2.0 / self.sd**2

    def draw(self, rng: np.random.Generator) -> float:
        return float(abs(self.sd * rng.standard_normal()))


@dataclass(frozen=True)
class Flat:
    def cost(self, sd: float) -> float:
        return 0.0

    def slope(self, sd: float) -> float:
        return 0.0

    def curvature(self, sd: float) -> float:
        return 0.0


Prior = Exponential | LogNormal | HalfNormal | Flat


def sd_prior(name: PriorName, kind: str, reference: float) -> Prior:
    """The prior of the sd of a term of this kind."""
    if name == "flat":
        return Flat()
    if name == "pc":
        return Exponential(PC_RATE / reference)
    if kind == "person":
        return LogNormal(PERSON_MEDIAN * reference, PERSON_LOG_SD)
    return Exponential(PROGRAM_RATE / reference)
