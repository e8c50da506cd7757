"""Which terms a design can tell apart, and the rarer ones: growth, form, projects, panels, own noise."""

from dataclasses import replace

import numpy as np
import pytest
from noise_cohorts import make_cohort, make_measured_cohort, make_rows
from scipy import sparse

from evals.noise import DEFAULT_TERMS, Observations, Shape, design_cohort, fit, simulate
from evals.noise.gaussian import Gaussian, Hyper
from evals.noise.identifiability import identification
from evals.noise.labels import Column
from evals.noise.model import Model, Settings
from evals.noise.terms import credit_weights

PEOPLE = 40


def planned(projects_each=1, periods=2, spread=0.2, seed=0):
    """A cohort whose outputs lie in projects and periods."""
    template, _ = design_cohort(Shape(PEOPLE, 20, 4, 2, 2), np.random.default_rng(seed))
    output = template.columns["output"]
    number = np.array([int(level[1:]) for level in output.levels])
    person, turn = number % PEOPLE, number // PEOPLE
    project = (person // 2 if projects_each == 1 else (person * 3 + 7 * turn) % 20)[output.codes]
    period = (turn * periods // 4)[output.codes]
    columns = dict(template.columns)
    columns["project"], columns["period"] = Column.of(project.tolist()), Column.of(period.tolist())
    return replace(template, columns=columns, time=spread * turn[output.codes].astype(float))


def drawn(template, **phi):
    return simulate(template, {"noise": 0.4, **phi}, np.random.default_rng(3))


def test_the_error_of_a_variance_equals_the_dense_information():
    model = Model.build(make_cohort(people=20, raters=6), Settings(terms=("person", "rater", "output")))
    found = identification(model)
    gaussian = Gaussian(
        model.design,
        Hyper(np.sqrt([0.3, 0.12, 0.08]) * model.reference, np.sqrt([0.2]) * model.reference, np.zeros(0)),
    )
    q = model.design.random_size
    weights = gaussian.weights.toarray()
    blocks = [weights[:, model.design.slices[term.name]] for term in model.design.terms] + [
        np.eye(len(model.observations))
    ]
    variance = np.append(gaussian.hyper.sd, gaussian.hyper.noise) ** 2
    v = sum(at * block @ block.T for at, block in zip(variance, blocks, strict=True))
    x, inverse = weights[:, q:], np.linalg.inv(v)
    p = inverse - inverse @ x @ np.linalg.solve(x.T @ inverse @ x, x.T @ inverse)
    moved = [p @ block @ block.T for block in blocks]
    information = 0.5 * np.array([[np.trace(one @ other) for other in moved] for one in moved])
    expected = np.sqrt(np.diag(np.linalg.inv(information))) / variance

    for name, error in zip(model.names, expected, strict=True):
        assert found.error[name] == pytest.approx(error, rel=0.15)


def test_projects_join_only_where_people_have_several():
    truth = {"person": 0.5, "project": 0.4, "rater": 0.2}

    apart = fit(drawn(planned(projects_each=2), **truth).observations)
    alone = fit(drawn(planned(projects_each=1), **truth).observations)

    assert "project" in apart.sds
    assert "project" not in alone.sds
    assert any(note.startswith("project is left out") for note in alone.notes)


def test_growth_over_weeks_is_left_out_and_said():
    posterior = fit(drawn(planned(), person=0.5).observations)

    assert "growth" not in posterior.sds
    assert any(note.startswith("growth is left out") for note in posterior.notes)


def test_growth_is_recovered_over_long_times():
    simulated = drawn(planned(spread=2.0), person=0.4, growth=0.3)

    posterior = fit(simulated.observations, terms=("person", "growth"), prior="flat")

    assert posterior.sds["growth"].mean == pytest.approx(0.3, rel=0.35)
    assert "time" in posterior.fixed
    level = np.array([simulated.persons[person] for person in posterior.persons.id])
    assert np.corrcoef(posterior.persons.mean, level)[0, 1] > 0.95


@pytest.mark.parametrize("at", [None, 1.5])
def test_growth_is_the_same_from_whichever_day_times_are_counted(at):
    seen = drawn(planned(spread=2.0), person=0.4, growth=0.3).observations
    dated = replace(seen, time=seen.time + 2015.0)
    terms = ("person", "growth")

    plain = fit(seen, terms=terms, at=at)
    later = fit(dated, terms=terms, at=None if at is None else at + 2015.0)

    np.testing.assert_allclose(later.persons.mean, plain.persons.mean, atol=1e-7)
    np.testing.assert_allclose(later.persons.sd, plain.persons.sd, atol=1e-7)
    assert [fixed.mean for fixed in later.fixed.values()] == pytest.approx(
        [fixed.mean for fixed in plain.fixed.values()]
    )
    assert later.forecast(2020.0).mean == pytest.approx(plain.forecast(5.0).mean, abs=1e-7)


@pytest.mark.parametrize(
    ("times", "start"),
    [
        ([0.2, 1.0, 3.0], 0),
        ([-3.0, 1.0, 3.0], 0),
        ([5.0, 5.0, 5.0], 5),
        ([2015, 2016, 2018], 2015),
        ([-9, -8, -8], -9),
    ],
)
def test_only_times_that_are_dates_are_counted_from_the_first(times, start):
    seen = Observations.from_columns([1.0, 2.0, 4.0], person=["a", "b", "c"], time=times)

    assert seen.start == start


def test_without_any_time_passing_nobody_grows():
    rows, credit = make_rows(people=10, raters=4)
    dated = Observations.from_rows([{**row, "time": 2015} for row in rows], credit=credit)

    assert "growth is left out: this design can't tell it apart from other terms." in fit(dated).notes


def test_a_walk_adds_up_its_increments():
    observations = planned(periods=4)
    weights = credit_weights(observations.shares)[observations.owner.codes]
    model = Model.build(
        drawn(observations, person=0.5).observations, Settings(terms=("person", "form"), form="walk")
    )
    form = model.design.terms[[term.name for term in model.design.terms].index("form")]
    period = observations.columns["period"].codes

    per_row = np.asarray(form.weights.sum(axis=1)).ravel()

    np.testing.assert_array_equal(per_row, period * np.asarray(weights.sum(axis=1)).ravel())
    assert model.design.reports["person"].sum(axis=1).max() == 1 + 3


def test_the_level_holds_the_form_of_the_asked_time():
    simulated = drawn(planned(periods=4), person=0.3, form=0.8)

    early = fit(simulated.observations, terms=("person", "form"), at=0.0)
    late = fit(simulated.observations, terms=("person", "form"))

    assert np.corrcoef(early.persons.mean, late.persons.mean)[0, 1] < 0.8


def test_a_panel_shares_what_its_readers_saw_of_each_other():
    rows, credit = make_rows(people=30, raters=6, raters_each=4)
    rng = np.random.default_rng(0)
    shared = {(row["output"], side): rng.normal(0, 0.6) for row in rows for side in "ab"}
    for row in rows:
        row["panel"] = "ab"[int(row["rater"][1:]) % 2]
        row["score"] += shared[row["output"], row["panel"]]

    posterior = fit(Observations.from_rows(rows, credit=credit), prior="flat")

    assert posterior.sds["panel"].mean == pytest.approx(0.6, rel=0.3)


def test_a_ceiling_is_not_taken_for_bad_luck():
    rows, credit = make_rows()
    for row in rows:
        row["score"] = float(np.clip(np.round(row["score"] + 1.2), 1, 5))

    posterior = fit(Observations.from_rows(rows, credit=credit), luck="asymmetric")

    assert posterior.symmetric is None
    assert any("ceiling" in note for note in posterior.notes)


def test_a_noisy_raters_factor_is_found():
    rows, credit = make_rows(people=40, raters=8, raters_each=3)
    rng = np.random.default_rng(0)
    for row in rows:
        row["score"] += 1.0 * rng.normal() * (row["rater"] == "r0")

    raters = fit(Observations.from_rows(rows, credit=credit), rater_noise="own").raters

    assert raters["r0"].noise_factor > 1.7
    assert all(0.7 < rater.noise_factor < 1.2 for rater in raters if rater.id != "r0")


def test_the_exponent_of_credit_is_found_or_left_alone():
    rng = np.random.default_rng(0)
    template, _ = design_cohort(Shape(80, 30, 5, 4, 1, teams=1.0), rng)
    sharp = credit_weights(template.shares, exponent=3.0)[template.owner.codes]
    ability = rng.normal(0, 1, 80)
    score = sharp @ ability + rng.normal(0, 0.3, len(template))

    found = fit(replace(template, score=score), terms=("person", "output"), credit_exponent="estimate")
    alone = fit(make_cohort(people=4), terms=("person",), credit_exponent="estimate")

    assert found.model.settings.credit_exponent == pytest.approx(3.0, rel=0.2)
    assert any("exponent of credit" in note for note in alone.notes)


def test_equal_shares_are_weighted_by_one_over_the_root_with_the_euclidean_norm():
    weights = credit_weights(sparse.csr_matrix([[0.25, 0.25, 0.25, 0.25]]), norm="euclidean")

    np.testing.assert_allclose(weights.toarray(), 0.5)


def test_a_zero_share_has_no_weight_even_at_exponent_zero():
    weights = credit_weights(sparse.csr_matrix([[1.0, 0.0]]), exponent=0.0)

    np.testing.assert_array_equal(weights.toarray(), [[1.0, 0.0]])


def test_a_benchmark_that_shares_nothing_is_scaled_down_and_one_that_does_is_not():
    rows, credit = make_rows(people=60, raters=12, outputs_each=2)
    quality = {}
    for row in rows:
        quality.setdefault(row["output"], []).append(row["score"])
    rng = np.random.default_rng(5)

    def scale(share):
        measured = [
            {
                "output": o,
                "instrument": "bench",
                "score": share * 4 * np.mean(s) + 2 * rng.normal(),
                "se": 0.1,
            }
            for o, s in quality.items()
        ]
        return fit(Observations.from_rows([*rows, *measured], credit=credit)).scales["bench"].mean

    assert scale(0.0) < 0.35 < scale(1.0)


def test_a_benchmark_has_its_own_mean_noise_and_aspect():
    posterior = fit(make_measured_cohort())

    assert {"noise[accuracy]", "aspect[accuracy]"} <= set(posterior.sds)
    assert "mu[accuracy]" in posterior.fixed
    assert any(note.startswith("Scores on accuracy are divided by their sd") for note in posterior.notes)


def test_the_ordinal_link_orders_people_as_the_numeric_one_does():
    rows, credit = make_rows(people=20, person=1.0)
    for row in rows:
        row["score"] = float(np.clip(np.round(row["score"]), 1, 5))
    observations = Observations.from_rows(rows, credit=credit)

    ordinal = fit(observations, terms=("person", "rater", "output"), link="ordinal")
    numeric = fit(observations, terms=("person", "rater", "output"))

    assert np.corrcoef(ordinal.persons.mean, numeric.persons.mean)[0, 1] > 0.97
    assert np.all(np.diff(ordinal.model.thresholds[:3]) > 0)


def test_two_categories_give_the_probit_of_a_share():
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(40), 50)
    ability = rng.normal(0, 1, 40)
    score = (ability[person] + rng.normal(size=2000) > 0.3).astype(float)

    posterior = fit(
        Observations.from_columns(score, person=person), terms=("person",), link="ordinal", prior="flat"
    )

    assert posterior.model.thresholds[0] == pytest.approx(0.3, abs=3 * 0.17)
    assert posterior.sds["person"].mean == pytest.approx(1.0, rel=0.25)
    assert np.corrcoef(posterior.persons.mean, ability)[0, 1] > 0.95


def test_a_forecast_beyond_the_data_is_less_sure():
    posterior = fit(drawn(planned(periods=4), person=0.4, form=0.4).observations, terms=("person", "form"))

    now, later = (posterior.forecast(at) for at in (posterior.observations.time.max(), 5.0))

    np.testing.assert_allclose(now.mean, posterior.persons.mean, atol=1e-9)
    form = posterior.sds["form"].mean
    assert np.all(later.sd > form)
    assert later["p0"].q05 < later["p0"].mean < later["p0"].q95


def test_forecasts_of_stable_people_are_calibrated():
    simulated = drawn(planned(), person=0.6, rater=0.3, output=0.2)
    whole = simulated.observations
    past, later = whole.take(whole.time < 0.3), whole.take(whole.time > 0.3)

    found = fit(past, terms=("person", "rater", "output")).forecast_calibration(later)

    assert found.outputs == 2 * PEOPLE
    assert abs(found.slope - 1) < 3 * found.standard_error


def test_the_calibration_of_forecasts_does_not_hang_on_a_benchmarks_unit():
    seen = make_measured_cohort()
    measured = seen.instrument.codes == seen.instrument.levels.index("accuracy")
    factor = np.where(measured, 1000.0, 1.0)
    larger = replace(seen, score=seen.score * factor, se=seen.se * factor)

    slopes = [fit(each).forecast_calibration(each).slope for each in (seen, larger)]

    assert slopes[1] == pytest.approx(slopes[0], rel=1e-6)


def test_people_and_their_default_terms_survive_taking_rows():
    observations = make_cohort()

    half = observations.take(slice(0, len(observations) // 2))

    assert half.people == observations.people
    assert set(fit(half).sds) <= {*DEFAULT_TERMS, "noise"}


def test_instruments_without_rows_are_gone_after_taking_rows():
    observations = make_cohort()

    one = observations.take(observations.instrument.codes == 1)

    assert one.instrument.levels == (observations.instrument.levels[1],)
    assert "mu" in fit(one).fixed


def test_it_says_where_luck_is_not_of_the_output_alone():
    rows, credit = make_rows(raters_each=1)

    without = fit(Observations.from_rows(rows, credit=credit), terms=("person", "rater"), luck="asymmetric")
    single = fit(Observations.from_rows(rows, credit=credit), luck="asymmetric")

    assert any("no term for outputs" in note for note in without.notes)
    assert any("includes the act of rating" in note for note in single.notes)


def metrics_of_one_benchmark(copies):
    rows, credit = make_rows(people=24, raters=6)
    rng = np.random.default_rng(3)
    for output in dict.fromkeys(row["output"] for row in rows):
        score, se = 70 + rng.normal(0, 5), 0.5 + rng.random()
        rows += [
            {"output": output, "instrument": f"metric {at}", "benchmark": "digits", "score": score, "se": se}
            for at in range(copies)
        ]
    return fit(Observations.from_rows(rows, credit=credit), prior="pc")


def test_a_second_copy_of_a_number_adds_nothing():
    once, twice = metrics_of_one_benchmark(1), metrics_of_one_benchmark(2)

    assert twice.persons.mean == pytest.approx(once.persons.mean, abs=2e-3 * once.persons.sd.min())
    assert twice.persons.sd == pytest.approx(once.persons.sd, rel=1e-3)
    assert twice.scales["digits"].mean == pytest.approx(once.scales["digits"].mean, abs=1e-3)


def test_the_metrics_of_a_benchmark_share_scale_aspect_and_run():
    posterior = metrics_of_one_benchmark(3)

    assert list(posterior.scales) == ["digits"]
    assert {"aspect[digits]", "halo[digits]", "noise[metric 0]", "noise[metric 2]"} <= set(posterior.sds)


def test_raters_of_like_noise_settle_at_factors_of_one():
    rows, credit = make_rows(people=40, raters=8, raters_each=3)

    posterior = fit(Observations.from_rows(rows, credit=credit), rater_noise="own")

    assert all(rater.noise_factor == pytest.approx(1.0, abs=0.2) for rater in posterior.raters)
    assert not any("did not settle" in note for note in posterior.notes)
