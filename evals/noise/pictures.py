"""The pictures of docs/model.md: shrinkage of a real cohort, one bad result, how many raters are enough."""

from pathlib import Path
from typing import Any

import numpy as np

from evals.noise.arrays import Floats
from evals.noise.evaluation import State
from evals.noise.example import skating
from evals.noise.fitting import fit
from evals.noise.gaussian import Gaussian, Hyper
from evals.noise.model import Model, Settings
from evals.noise.observations import Observations
from evals.noise.propagation import propagate
from evals.noise.simulation import Shape, design_cohort, simulate

DARK, MIDDLE, LIGHT, WARM = "#1f4e8c", "#5580b5", "#86a5cc", "#b4552d"
PUBLISHED = {
    "person": 0.55,
    "aspect": 0.2,
    "rater": 0.3,
    "habit": 0.15,
    "affinity": 0.45,
    "halo": 0.2,
    "output": 0.3,
    "luck": 0.3,
    "noise": 0.45,
    "mu": 3.0,
}


def save_pictures(folder: Path) -> list[Path]:
    """All pictures as SVG files; the same bytes each time."""
    drawn = {"shrinkage": shrinkage, "bad_result": bad_result, "enough_raters": enough_raters}
    paths = []
    for name, draw in drawn.items():
        figure, axes = _figure()
        draw(axes)
        paths.append(folder / f"model_{name}.svg")
        figure.savefig(paths[-1], metadata={"Date": None})
    return paths


def _figure() -> tuple[Any, Any]:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "plumbline"
    figure = Figure(figsize=(6.5, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def shrinkage(axes: Any) -> None:
    """Plain averages beside estimates: judges of skating agree, readers of a first cohort's work less."""
    rng = np.random.default_rng(3)
    template, _ = design_cohort(Shape(40, 20, 2, 1, 4, teams=0.3), rng)
    readers = simulate(template, PUBLISHED, rng).observations
    skaters = _one_judge_each(skating("ICE DANCE"))
    for left, who, observations in (
        (0.0, "skaters, one judge each", skaters),
        (1.6, "mentees, one reader each", readers),
    ):
        plain, estimate = _plain_and_estimate(observations)
        for before, after in zip(plain, estimate, strict=True):
            axes.plot([left, left + 1], [before, after], color=DARK, alpha=0.45, linewidth=0.9)
        axes.text(left + 0.5, 1.0, who, transform=axes.get_xaxis_transform(), ha="center", va="bottom")
    axes.set_xticks([0, 1, 1.6, 2.6], ["plain average", "estimate", "plain average", "estimate"])
    axes.set_ylabel(
        "each line a person: above or below the average one\n(1 = the averages' typical distance)"
    )


def _plain_and_estimate(observations: Observations) -> tuple[Floats, Floats]:
    """Both around the average person, in sds of the plain averages."""
    credit = observations.credit
    plain = np.asarray(credit.T @ observations.score).ravel() / np.asarray(credit.sum(axis=0)).ravel()
    estimate = fit(observations).persons.mean
    return (plain - plain.mean()) / plain.std(), (estimate - estimate.mean()) / plain.std()


def _one_judge_each(observations: Observations) -> Observations:
    """One score of every performance: the little that a program often has."""
    _, first = np.unique(observations.columns["output"].codes, return_index=True)
    return observations.take(np.sort(first))


def bad_result(axes: Any) -> None:
    """One of a person's four results gets ever worse, or better: what the estimate does."""
    shifts = np.linspace(-4, 4, 33)
    for luck, color, label, at in (
        (0.5, DARK, "asymmetric luck:\na bad result counts only so far", (-3.9, 0.0)),
        (0.0, MIDDLE, "symmetric luck:\nas bad as it is", (-2.4, -0.62)),
    ):
        axes.plot(shifts, [_level(float(shift), luck) for shift in shifts], color=color)
        axes.text(*at, label, color=color)
    axes.axvline(0, color="#bbbbbb", linewidth=0.8)
    axes.set_xlabel("one of four results: points below or above the person's others")
    axes.set_ylabel("estimate of the person, in points")


def _level(shift: float, luck: float) -> float:
    rng = np.random.default_rng(4)
    people = 24
    score = np.repeat(rng.normal(0, 0.5, people), 4) + rng.normal(0, 0.3, 4 * people)
    score[:4] = 0.0
    score[0] = shift
    observations = Observations.from_columns(
        score, person=[at // 4 for at in range(4 * people)], output=list(range(4 * people))
    )
    model = Model.build(observations, Settings(terms=("person", "output"), luck="asymmetric"))
    noise, none = np.array([0.3]), np.zeros(0)
    if luck:
        state = State(model, propagate(model, Hyper(np.array([0.5, 0.25]), noise, none, luck)).gaussian, None)
        return float(state.gaussian.report("person")[0][0])
    even = Hyper(np.array([0.5, np.hypot(0.25, 0.5)]), noise, none)
    return float(Gaussian(model.design, even).report("person")[0][0])


def enough_raters(axes: Any) -> None:
    """Reliability by number of raters and outputs, for sds as published."""
    rng = np.random.default_rng(9)
    template, _ = design_cohort(Shape(120, 60, 2, 3, 4, teams=0.3), rng)
    posterior = fit(simulate(template, PUBLISHED, rng).observations)
    raters = np.arange(1, 13)
    for outputs, color in ((1, LIGHT), (2, MIDDLE), (4, DARK)):
        values: Floats = np.array(
            [posterior.reliability(int(count), outputs).relative.mean for count in raters]
        )
        axes.plot(raters, values, "o-", color=color, markersize=4)
        axes.text(12.3, values[-1], f"{outputs} output{'s' * (outputs > 1)}", color=color, va="center")
    axes.plot([0.5, 12], [0.8, 0.8], color=WARM, linewidth=0.9, linestyle="--")
    axes.text(1, 0.815, "often asked for: 0.8", color=WARM)
    axes.set_xlabel("different readers of a person, each reads one output")
    axes.set_ylabel("reliability: how alike other readers\nand outputs would order people")
    axes.set_xlim(0.5, 14.2)
    axes.set_xticks(range(1, 13))
    axes.set_ylim(0, 1)
