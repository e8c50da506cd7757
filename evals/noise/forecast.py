"""Ability at a later date, and how well such forecasts have come true.

A forecast carries growth on to the date and adds the variance of a period's form that nobody has seen. Its
calibration fits the past alone and regresses later outputs' scores on the levels forecast for their teams:

    mean(y - mu - leniency)[o] = intercept[period, instruments] + slope * sum_i w[o, i] level[i] + error,

with errors clustered by the person of largest share; 1 is calibrated, less is overconfident.
"""

from dataclasses import dataclass, replace

import numpy as np

from evals.noise.arrays import Floats, Ints, Label, tally
from evals.noise.fitted import Fitted
from evals.noise.mixture import Mixture
from evals.noise.observations import Observations
from evals.noise.reports import Moment, joined, person_report
from evals.noise.tables import Interval
from evals.noise.terms import credit_weights

LEAST_CLUSTERS = 3


@dataclass(frozen=True)
class Forecast:
    """Everybody's level at a date."""

    at: float
    id: tuple[Label, ...]
    mean: Floats
    sd: Floats
    q05: Floats
    q95: Floats

    def __getitem__(self, person: Label) -> Interval:
        at = self.id.index(person)
        return Interval(float(self.mean[at]), float(self.sd[at]), float(self.q05[at]), float(self.q95[at]))


@dataclass(frozen=True)
class Calibration:
    """Slope of what came on what was forecast, with its cluster-robust standard error."""

    slope: float
    standard_error: float
    outputs: int
    clusters: int


def forecast(posterior: Fitted, at: float) -> Forecast:
    """Levels at time ``at``: growth carried on, and the variance of form that is still to come."""
    model, times = posterior.model, posterior.observations.time
    if times is None:
        raise ValueError("A forecast needs times: give the observations a time column.")
    terms, is_later = model.design.terms, at > float(times.max())
    is_walk = model.settings.form == "walk"
    moment = replace(Moment.of(posterior.observations, min(at, float(times.max())), walk=is_walk), time=at)
    if is_later and not is_walk:
        moment = replace(moment, walked=())
    matrix = joined(person_report(posterior.observations, terms, moment), len(model.design.fixed_names))
    names = [term.name for term in terms]
    means, sds = [], []
    for point in posterior.points:
        gaussian = point.gaussian(model)
        new = float(point.hyper.sd[names.index("form")]) ** 2 if is_later and "form" in names else 0.0
        means.append(matrix @ gaussian.mean)
        sds.append(np.sqrt(gaussian.covariance(matrix, matrix).diagonal() + new))
    weights = np.array([point.weight for point in posterior.points])
    mixture = Mixture(weights, np.stack(means), np.stack(sds))
    low, high = mixture.quantile(0.05), mixture.quantile(0.95)
    return Forecast(at, model.labels("person"), mixture.mean, mixture.sd, low, high)


def forecast_calibration(past: Fitted, later: Observations) -> Calibration:
    """How outputs of ``later`` came out against the levels that ``past``, fitted without them, forecast."""
    output = later.column("output")
    if output is None:
        raise ValueError("Calibration is by output: give the later observations an output column.")
    outcome = later.score / _unit(past, later) - _expected(past, later)
    count = output.counts()
    used = np.flatnonzero(count)
    mean = tally(output.codes[output.known], outcome[output.known], count.size)[used] / count[used]
    first = np.array([int(np.argmax(output.codes == at)) for at in used])
    weights = credit_weights(later.shares)[later.owner.codes[first]]
    place = past.persons.place
    levels = np.array(
        [past.persons.mean[place[person]] if person in place else 0.0 for person in later.people]
    )
    groups = _groups(later, first)
    leader = np.asarray(weights.argmax(axis=1)).ravel()
    return _clustered_slope(mean, np.asarray(weights @ levels), groups=groups, cluster=leader)


def _unit(past: Fitted, later: Observations) -> Floats:
    """What the past divided each later row's score by."""
    unit = dict(zip(past.observations.instrument.levels, past.model.unit, strict=True))
    return np.array([unit.get(level, 1.0) for level in later.instrument.levels])[later.instrument.codes]


def _expected(past: Fitted, later: Observations) -> Floats:
    """Grand mean and leniency of each later row, as the past knew them."""
    levels = later.instrument.levels
    means = {name: at.mean for name, at in past.fixed.items()}
    known = [means.get(f"mu[{level}]", means.get("mu", 0.0)) for level in levels]
    expected = np.array(known)[later.instrument.codes]
    rater = later.column("rater")
    if rater is not None:
        lenient = [past.raters[level].mean if level in past.raters else 0.0 for level in rater.levels]
        expected = expected + np.append(lenient, 0.0)[rater.codes]
    return np.asarray(expected)


def _groups(later: Observations, first: Ints) -> Ints:
    """Outputs of one period, by the place of their first row's instrument."""
    period = later.column("period")
    code = np.zeros(first.size, dtype=np.intp) if period is None else period.codes[first]
    cells = np.stack([code, later.instrument.codes[first]], axis=1)
    return np.asarray(np.unique(cells, axis=0, return_inverse=True)[1]).ravel()


def _clustered_slope(y: Floats, x: Floats, *, groups: Ints, cluster: Ints) -> Calibration:
    clusters = np.unique(cluster).size
    inner = x - (tally(groups, x, groups.max() + 1) / np.bincount(groups))[groups]
    outer = y - (tally(groups, y, groups.max() + 1) / np.bincount(groups))[groups]
    spread = float(inner @ inner)
    if clusters < LEAST_CLUSTERS or spread == 0:
        raise ValueError("Too few later outputs to check forecasts by: at least 3 people need one.")
    slope = float(inner @ outer) / spread
    score = tally(np.unique(cluster, return_inverse=True)[1], inner * (outer - slope * inner), clusters)
    correction = clusters / (clusters - 1.0)
    return Calibration(slope, float(np.sqrt(correction * (score @ score)) / spread), y.size, clusters)
