"""Leave-one-out predictions by actually leaving out, and raters who don't fit."""

import numpy as np
import pytest
from noise_cohorts import make_cohort, make_rows

from evals.noise import Observations, fit, simulate
from evals.noise.gaussian import Gaussian
from evals.noise.model import Model


def test_leave_one_out_equals_leaving_one_out():
    observations = make_cohort()
    posterior = fit(observations)
    hyper = posterior.points[0].hyper
    design = posterior.model.design

    for row in (0, 7, 41):
        keep = np.arange(len(observations)) != row
        less = type(design)(
            **{
                **{name: getattr(design, name) for name in design.__dataclass_fields__},
                "y": design.y[keep],
                "terms": tuple(
                    type(term)(term.name, term.levels, term.weights[keep]) for term in design.terms
                ),
                "fixed": design.fixed[keep],
                "noise_of_row": design.noise_of_row[keep],
                "variance_of_row": design.variance_of_row[keep],
                "scale_of_row": design.scale_of_row[keep],
            }
        )
        gaussian = Gaussian(less, hyper)
        functional = design.weights[[row]]
        mean = (functional @ gaussian.mean)[0]
        variance = gaussian.covariance(functional, functional)[0, 0] + hyper.noise[0] ** 2
        assert posterior.check.mean[row] == pytest.approx(mean, abs=1e-9)
        assert posterior.check.sd[row] == pytest.approx(np.sqrt(variance), abs=1e-9)


def test_predictive_intervals_cover_as_often_as_they_say():
    check = fit(make_cohort(people=60, raters=15)).check

    assert check.coverage(0.9) == pytest.approx(0.9, abs=0.04)
    assert check.coverage(0.5) == pytest.approx(0.5, abs=0.06)


def planted(noise, seed=0):
    rows, credit = make_rows(people=40, raters=8, raters_each=3, seed=seed)
    rng = np.random.default_rng(seed)
    for row in rows:
        row["score"] += noise * rng.normal() * (row["rater"] == "r0")
    return fit(Observations.from_rows(rows, credit=credit))


def test_a_noisy_rater_is_flagged():
    fits = {found.rater: found for found in planted(1.2).rater_fit()}

    assert fits["r0"].is_flagged
    assert fits["r0"].infit.value > 1.3
    assert fits["r0"].infit.value == max(found.infit.value for found in fits.values())


def test_flags_are_false_as_rarely_as_asked():
    flags = [found.is_flagged for seed in range(4) for found in planted(0.0, seed).rater_fit(seed=seed)]

    assert np.mean(flags) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / len(flags))


def test_asymmetric_luck_predicts_better_where_it_is_true():
    template = make_cohort(people=60, raters=20, outputs_each=3, criteria=["a", "b"])
    phi = {"person": 0.5, "rater": 0.3, "output": 0.15, "luck": 0.9, "noise": 0.3}
    drawn = simulate(template, phi, np.random.default_rng(1))

    posterior = fit(drawn.observations, terms=["person", "rater", "output"], luck="asymmetric")

    assert posterior.criterion < posterior.symmetric.criterion
    assert posterior.check.comparison.difference > -posterior.check.comparison.error


def test_it_refuses_to_check_raters_where_there_are_none():
    posterior = fit(Observations.from_columns([1.0, 2.0, 3.0, 5.0], person=["a", "a", "b", "b"]))

    with pytest.raises(ValueError, match="no rater to check"):
        posterior.rater_fit()


def test_a_model_is_built_once_for_both_kinds_of_luck():
    posterior = fit(make_cohort(), luck="asymmetric")

    assert isinstance(posterior.model, Model)
    assert posterior.symmetric.model.design is posterior.model.design


def squeezed(factor, seed=0):
    """A cohort whose first rater shrinks every score towards their mean."""
    rows, credit = make_rows(people=60, raters=8, raters_each=3, seed=seed, person=0.9, noise=0.3)
    mine = [row for row in rows if row["rater"] == "r0"]
    middle = np.mean([row["score"] for row in mine])
    for row in mine:
        row["score"] = middle + factor * (row["score"] - middle)
    return {found.rater: found for found in fit(Observations.from_rows(rows, credit=credit)).rater_fit()}


def test_a_rater_who_uses_little_of_the_scale_is_told_apart():
    fits = squeezed(0.4)

    assert fits["r0"].use_of_scale.is_off
    assert fits["r0"].use_of_scale.value == pytest.approx(0.4, abs=0.25)
    assert fits["r0"].use_of_scale.value == min(found.use_of_scale.value for found in fits.values())


def test_raters_who_use_the_scale_alike_are_rarely_told_apart():
    off = [found.use_of_scale.is_off for seed in range(4) for found in squeezed(1.0, seed).values()]

    assert np.mean(off) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / len(off))


def test_agreement_is_high_where_raters_see_the_same_and_low_for_one_who_guesses():
    rows, credit = make_rows(people=40, raters=8, raters_each=4, person=0.9, noise=0.2)
    rng = np.random.default_rng(0)
    guesses = {}
    for row in rows:
        if row["rater"] == "r0":
            row["score"] = guesses.setdefault(row["output"], 3.0 + rng.normal())

    posterior = fit(Observations.from_rows(rows, credit=credit))
    fits = {found.rater: found for found in posterior.rater_fit()}

    assert fits["r0"].agreement.q95 < min(fits[f"r{at}"].agreement.q05 for at in range(1, 8))
    assert all(fits[f"r{at}"].agreement.mean > 0.8 for at in range(1, 8))


def test_of_a_rater_of_two_outputs_neither_scale_nor_agreement_is_said():
    rows, credit = make_rows(people=20, raters=6)
    mine = sorted({row["output"] for row in rows if row["rater"] == "r0"})[2:]
    fewer = [row for row in rows if not (row["rater"] == "r0" and row["output"] in mine)]

    found = next(one for one in fit(Observations.from_rows(fewer, credit=credit)).rater_fit())

    assert found.rater == "r0"
    assert found.use_of_scale is None
    assert found.agreement is None
