"""Small cohorts for tests of the noise engine, and the dense formulas that they are checked against."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from evals.noise import Observations
from evals.noise.gaussian import Gaussian
from evals.noise.model import Model

CRITERIA = ("craft", "rigour", "impact")


def make_rows(
    *,
    people: int = 12,
    raters: int = 5,
    outputs_each: int = 2,
    raters_each: int = 2,
    criteria: Sequence[str] = CRITERIA,
    seed: int = 1,
    **sds: float,
) -> tuple[list[dict[str, Any]], list[tuple[str, str, float]]]:
    """Rows and credit: every person has outputs, every third with a partner; raters by turns."""
    rng = np.random.default_rng(seed)
    size = {"person": 0.6, "rater": 0.4, "output": 0.3, "noise": 0.5} | sds
    ability, leniency = rng.normal(0, size["person"], people), rng.normal(0, size["rater"], raters)
    rows, credit = [], []
    for output in range(people * outputs_each):
        who, partner = output % people, (output * 5 + 3) % people
        shares = {who: 0.7, partner: 0.3} if output % 3 == 0 and partner != who else {who: 1.0}
        credit += [(f"o{output}", f"p{person}", share) for person, share in shares.items()]
        quality = sum(share * ability[person] for person, share in shares.items()) + rng.normal(
            0, size["output"]
        )
        for rater in rng.choice(raters, raters_each, replace=False):
            rows += [
                {
                    "output": f"o{output}",
                    "rater": f"r{rater}",
                    "instrument": criterion,
                    "score": 3.0 + quality + leniency[rater] + rng.normal(0, size["noise"]),
                }
                for criterion in criteria
            ]
    return rows, credit


def make_cohort(**values: Any) -> Observations:
    rows, credit = make_rows(**values)
    return Observations.from_rows(rows, credit=credit, people=["rests"])


def make_measured_cohort(**values: Any) -> Observations:
    """The same with a benchmark that measures every output, with known standard errors."""
    rows, credit = make_rows(**values)
    rng = np.random.default_rng(7)
    measured = [
        {"output": output, "instrument": "accuracy", "score": 70 + rng.normal(0, 5), "se": 0.5 + rng.random()}
        for output in dict.fromkeys(row["output"] for row in rows)
    ]
    return Observations.from_rows([*rows, *measured], credit=credit)


class Dense:
    """The marginal covariance V and what follows from it, by brute force."""

    def __init__(self, model: Model, gaussian: Gaussian) -> None:
        design = model.design
        q = design.random_size
        weights = gaussian.weights.toarray()
        self.z, self.x = weights[:, :q], weights[:, q:]
        self.prior = np.diag(gaussian.spread[:q] ** 2)
        self.v = self.z @ self.prior @ self.z.T + np.diag(1.0 / gaussian.row_precision)
        self.y = gaussian.scores
        inverse = np.linalg.inv(self.v)
        information = self.x.T @ inverse @ self.x
        self.fixed_covariance = np.linalg.inv(information)
        self.fixed = self.fixed_covariance @ self.x.T @ inverse @ self.y
        self.p = inverse - inverse @ self.x @ self.fixed_covariance @ self.x.T @ inverse
        self.gain = self.prior @ self.z.T
        free = self.y.size - self.x.shape[1]
        self.criterion = (
            free * np.log(2 * np.pi)
            + np.linalg.slogdet(self.v)[1]
            + np.linalg.slogdet(information)[1]
            + self.y @ self.p @ self.y
        )
        self.mean = self.gain @ self.p @ self.y
        self.covariance = self.prior - self.gain @ self.p @ self.gain.T
