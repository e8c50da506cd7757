"""Limits, recovery, and what must not matter."""

import subprocess
import sys

import numpy as np
import pytest
from noise_cohorts import make_cohort, make_rows

from evals.noise import Observations, fit, simulate
from evals.noise.gaussian import Gaussian, Hyper
from evals.noise.model import Model, Settings


def levels_at(observations, sd, noise):
    model = Model.build(observations, Settings(terms=("person",)))
    return Gaussian(model.design, Hyper(np.array([sd]), np.array([noise]), np.zeros(0))).report("person")


@pytest.fixture
def plain():
    rng = np.random.default_rng(5)
    person = np.repeat(np.arange(6), 4)
    return Observations.from_columns(rng.normal(0, 1, 24), person=person), person


def test_without_noise_a_person_is_their_mean(plain):
    observations, person = plain
    means = np.bincount(person, observations.score) / 4

    mean, _ = levels_at(observations, 100.0, 1e-3)

    np.testing.assert_allclose(mean - mean.mean(), means - means.mean(), atol=1e-8)


@pytest.mark.parametrize("workers", [1, 3])
def test_scores_without_noise_give_the_mean_and_say_so(workers):
    rows = [
        {"output": o, "rater": r, "score": 4.0 + o + 0.3 * r + 0.1 * k, "instrument": f"k{k}"}
        for o in range(8)
        for r in range(3)
        for k in range(4)
    ]
    credit = [(o, o // 2, 1.0) for o in range(8)]

    posterior = fit(Observations.from_rows(rows, credit=credit), workers=workers)

    np.testing.assert_allclose(posterior.persons.mean, [-3, -1, 1, 3], rtol=0.1)
    assert any("noise is at its floor" in note for note in posterior.notes)
    for person in posterior.persons:
        assert posterior.contributions(person.id).total == pytest.approx(person.mean, abs=1e-8)


def test_without_signal_a_person_is_the_prior(plain):
    mean, sd = levels_at(plain[0], 0.0, 1.0)

    np.testing.assert_array_equal(mean, 0.0)
    np.testing.assert_array_equal(sd, 0.0)


def test_a_person_without_evidence_rests_at_the_prior():
    posterior = fit(make_cohort())
    sds = {name: at.mean for name, at in posterior.sds.items()}

    rests = posterior.persons["rests"]

    assert rests.mean == pytest.approx(0.0, abs=1e-12)
    assert rests.sd == pytest.approx(np.sqrt(sds["person"] ** 2 + sds["aspect"] ** 2 / 3), rel=1e-9)
    assert (rests.observations, rests.raters, rests.outputs) == (0, 0, 0)


def test_one_rater_and_one_score_each_still_give_estimates():
    observations = Observations.from_columns(
        [1.0, 2.0, 4.0], person=["a", "b", "c"], rater=["r"] * 3, output=["x", "y", "z"]
    )

    posterior = fit(observations)

    assert np.all(np.diff(posterior.persons.mean) > 0)
    assert np.all(np.abs(posterior.persons.mean) < 1.7)


def test_it_recovers_simulated_sds():
    phi = {"person": 0.8, "rater": 0.5, "output": 0.4, "noise": 0.6}
    template = make_cohort(people=150, raters=40, outputs_each=4, criteria=["all"])
    drawn = simulate(template, phi, np.random.default_rng(2))

    posterior = fit(drawn.observations, terms=["person", "rater", "output"], prior="flat")

    for name, sd in phi.items():
        assert posterior.sds[name].mean == pytest.approx(sd, rel=0.2)
    truth = np.array([drawn.persons[person] for person in posterior.persons.id])
    error = (posterior.persons.mean - truth) / posterior.persons.sd
    assert 0.85 < error.std() < 1.15


def test_rows_and_labels_in_another_order_change_nothing():
    rows, credit = make_rows()
    rename = {f"p{at}": f"q{(at * 7) % 12:02d}" for at in range(12)}
    order = np.random.default_rng(0).permutation(len(rows))
    there = Observations.from_rows(
        [rows[at] for at in order],
        credit=[(what, rename[who], share) for what, who, share in reversed(credit)],
    )

    one, other = fit(Observations.from_rows(rows, credit=credit)), fit(there)

    for person in one.persons:
        twin = other.persons[rename[person.id]]
        assert twin.mean == pytest.approx(person.mean, abs=1e-8 * person.sd)
        assert twin.sd == pytest.approx(person.sd, rel=1e-8)
    assert one.criterion == pytest.approx(other.criterion, abs=1e-9)


def test_the_answer_has_the_units_of_the_scores():
    rows, credit = make_rows()
    tenfold = [{**row, "score": 10 * row["score"] + 500} for row in rows]

    one = fit(Observations.from_rows(rows, credit=credit))
    other = fit(Observations.from_rows(tenfold, credit=credit))

    np.testing.assert_allclose(other.persons.mean, 10 * one.persons.mean, atol=1e-5)
    np.testing.assert_allclose(other.persons.sd, 10 * one.persons.sd, rtol=1e-5)


@pytest.mark.parametrize("luck", ["symmetric", "asymmetric"])
def test_the_integration_has_the_units_of_the_scores_however_small(luck):
    rows, credit = make_rows(people=10, raters=4)
    tiny = [{**row, "score": 1e-6 * row["score"]} for row in rows]
    settings = {"terms": ("person", "rater", "output"), "hyper": "integrated", "luck": luck, "beside": False}

    one = fit(Observations.from_rows(rows, credit=credit), **settings)
    other = fit(Observations.from_rows(tiny, credit=credit), **settings)

    assert other.engine.effective_points == pytest.approx(one.engine.effective_points, rel=0.01)
    np.testing.assert_allclose(other.persons.mean, 1e-6 * one.persons.mean, atol=1e-9)
    np.testing.assert_allclose(other.persons.sd, 1e-6 * one.persons.sd, rtol=1e-3)


def test_a_bigger_team_share_moves_a_person_more():
    rows = [{"output": "both", "rater": f"r{at}", "score": 5.0} for at in range(3)]
    rows += [{"output": f"o{at}", "rater": f"r{at % 3}", "score": 2.0 + 0.1 * at} for at in range(6)]
    credit = [("both", "a", 0.8), ("both", "b", 0.2), *((f"o{at}", f"c{at}", 1.0) for at in range(6))]

    persons = fit(Observations.from_rows(rows, credit=credit)).persons

    assert persons["a"].mean > persons["b"].mean > persons["c0"].mean


def test_groups_without_a_link_are_said():
    rows = [
        {"person": f"{side}{at}", "rater": side, "score": at + 0.5 * (side == "x")}
        for side in "xy"
        for at in range(3)
    ]

    posterior = fit(Observations.from_rows(rows))

    assert any("2 groups without a link" in note for note in posterior.notes)


def test_a_variance_at_zero_is_said():
    person = np.repeat(np.arange(6), 5)
    score = np.tile(np.arange(5.0), 6)

    posterior = fit(Observations.from_columns(score, person=person), terms=["person"], prior="flat")

    assert posterior.sds["person"].mean == 0
    assert any("sd of person is at zero" in note for note in posterior.notes)


def test_a_variance_that_may_be_zero_is_said_with_asymmetric_luck_and_not_ruled_out_when_integrated():
    seen = make_cohort(people=8, output=0.0)

    mode, whole = (
        fit(
            seen, terms=("person", "rater", "habit", "output"), luck="asymmetric", hyper=hyper, beside=False
        ).notes
        for hyper in ("mode", "integrated")
    )

    assert any(note.startswith("The sd of habit is at zero: ") for note in mode)
    assert any(note.startswith("The sd of habit is at zero where it is most likely: ") for note in whole)


def test_terms_with_equal_columns_are_merged_and_said():
    rows = [
        {"output": f"o{at}", "person": f"p{at % 5}", "rater": f"r{at % 4}", "score": at * 0.3 % 2}
        for at in range(20)
    ]

    posterior = fit(Observations.from_rows(rows))

    assert "halo" not in posterior.sds
    assert any("halo can't be told apart" in note for note in posterior.notes)


@pytest.mark.parametrize(
    ("outputs", "raters", "confounded"),
    [
        (1, 2, "output can't be told apart from person"),
        (2, 2, None),
        (1, 1, "person can't be told apart from noise"),
    ],
)
def test_terms_that_only_the_prior_tells_apart_are_said(outputs, raters, confounded):
    rng = np.random.default_rng(0)
    rows = [
        {
            "output": f"o{person}-{at}",
            "person": f"p{person}",
            "rater": f"r{(person + turn) % 5}",
            "score": rng.normal(),
        }
        for person in range(20)
        for at in range(outputs)
        for turn in range(raters)
    ]

    notes = fit(
        Observations.from_rows(rows, people=["rests"]), terms=("person", "rater", "output"), prior="flat"
    ).notes

    said = [note for note in notes if "rests on the prior alone" in note and "told apart" in note]
    assert [note.partition(" here")[0] for note in said] == [confounded] * (confounded is not None)


def test_terms_without_a_column_are_said_where_they_were_asked_for():
    rows = [{"person": f"p{at % 5}", "rater": f"r{at % 4}", "score": at * 0.3 % 2} for at in range(20)]

    asked = fit(Observations.from_rows(rows), terms=("person", "person", "rater", "project", "aspect")).notes
    default = fit(Observations.from_rows(rows)).notes

    assert [note for note in asked if "no column" in note] == [
        f"{name} is left out: no column tells its levels apart." for name in ("project", "aspect")
    ]
    assert not [note for note in default if "no column" in note]
    assert not any("person can't be told apart from person" in note for note in asked)


def test_the_engine_loads_neither_django_nor_torch():
    code = "import sys, evals.noise; print([name for name in ('django', 'torch') if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
