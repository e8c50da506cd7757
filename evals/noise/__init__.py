"""Bayesian shrinkage of noisy ratings: what scores say about people, and how sure that is.

    score = mu[instrument] + quality[output] + leniency[rater] + ... + noise,
    quality[output] = sum of the team's credit times ability + luck[output].

A table of scores goes in, a frozen posterior comes out:

>>> from evals.noise import Observations, fit
>>> observations = Observations.from_rows(
...     [
...         {"output": "post", "rater": "ada", "score": 4.0},
...         {"output": "post", "rater": "bob", "score": 3.5},
...         {"output": "paper", "rater": "ada", "score": 2.0},
...         {"output": "paper", "rater": "cid", "score": 2.5},
...         {"output": "tool", "rater": "bob", "score": 3.0},
...         {"output": "tool", "rater": "cid", "score": 4.5},
...     ],
...     credit=[("post", "kim", 1.0), ("paper", "lee", 1.0), ("tool", "kim", 0.5), ("tool", "max", 0.5)],
...     people=["noa"],
... )
>>> posterior = fit(observations)
>>> kim = posterior.persons["kim"]
>>> kim.q05 < kim.mean < kim.q95, kim.observations, kim.raters, kim.outputs
(True, 4, 3, 2)
>>> posterior.persons["noa"].mean
0.0
>>> abs(posterior.contributions("kim").total - kim.mean) < 1e-8
True
>>> posterior.probability_above(0.0)["kim"].value > posterior.probability_above(0.0)["lee"].value
True
"""

from evals.noise.asking import Ask, Bar, Top
from evals.noise.checks import Check
from evals.noise.contributions import Contributions, OutputContribution
from evals.noise.fitted import Engine
from evals.noise.fitting import fit
from evals.noise.forecast import Calibration, Forecast
from evals.noise.observations import Observations
from evals.noise.posterior import Posterior
from evals.noise.ranking import Chance, Chances, LotteryBand
from evals.noise.raters import RaterFit, Statistic
from evals.noise.reliability import Plan, Reliability
from evals.noise.simulation import Shape, Simulation, design_cohort, simulate
from evals.noise.tables import Interval, Summary, SummaryTable
from evals.noise.terms import DEFAULT_TERMS

__version__ = "1"  # of the model: another one may say something else of the same data

__all__ = [
    "DEFAULT_TERMS",
    "Ask",
    "Bar",
    "Calibration",
    "Chance",
    "Chances",
    "Check",
    "Contributions",
    "Engine",
    "Forecast",
    "Interval",
    "LotteryBand",
    "Observations",
    "OutputContribution",
    "Plan",
    "Posterior",
    "RaterFit",
    "Reliability",
    "Shape",
    "Simulation",
    "Statistic",
    "Summary",
    "SummaryTable",
    "Top",
    "design_cohort",
    "fit",
    "simulate",
]
