"""Published-software fits and long chains on shared data (make test-reference)."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from evals.noise import Observations, fit

pytestmark = pytest.mark.reference

DATA = Path(__file__).parents[4] / "shared" / "data" / "noise"


@pytest.fixture(autouse=True)
def data_is_there():
    if not DATA.is_dir():
        pytest.fail(
            f"The reference data are missing: put them at {DATA.name} under ../shared/data.", pytrace=False
        )


def read(name):
    with (DATA / name).open() as file:
        rows = list(csv.DictReader(file))
    return {key: [row[key] for row in rows] for key in rows[0]}


def reference(name):
    return json.loads((DATA / name).read_text())


def numbers(values):
    return np.array([float(value) for value in values])


def dummies(name, values):
    return {f"{name}{level}": (np.array(values) == level).astype(float) for level in sorted(set(values))[1:]}


def penicillin():
    data = read("Penicillin.csv")
    return Observations.from_columns(numbers(data["diameter"]), person=data["plate"], rater=data["sample"])


def dyestuff(name):
    data = read(f"{name}.csv")
    return Observations.from_columns(numbers(data["Yield"]), person=data["Batch"])


def pastes():
    data = read("Pastes.csv")
    return Observations.from_columns(numbers(data["strength"]), person=data["batch"], output=data["sample"])


def inst_eval(**options):
    data = read("InstEval.csv")
    project = [f"{dept}:{service}" for dept, service in zip(data["dept"], data["service"], strict=True)]
    if options:
        return Observations.from_columns(
            numbers(data["y"]),
            person=data["d"],
            rater=data["s"],
            project=data["dept"],
            covariates={"service1": numbers(data["service"])},
        )
    return Observations.from_columns(numbers(data["y"]), person=data["d"], rater=data["s"], project=project)


def skating(with_people):
    data = read("skating_components.csv")
    columns = {"output": data["performance"], "rater": data["judge_id"], "instrument": data["criterion"]}
    if not with_people:
        return Observations.from_columns(numbers(data["score"]), person=data["performance"], **columns)
    teams = {p: team.split(";") for p, team in zip(data["performance"], data["persons"], strict=True)}
    credit = [(p, person, 1 / len(team)) for p, team in teams.items() for person in team]
    segment, discipline = dummies("segment", data["segment"]), dummies("discipline", data["discipline"])
    crossed = {f"{s}:{d}": segment[s] * discipline[d] for s in segment for d in discipline}
    return Observations.from_columns(
        numbers(data["score"]), credit=credit, covariates=segment | discipline | crossed, **columns
    )


def iclr():
    data, authors = read("iclr2017_2020_ratings.csv"), read("iclr2017_2020_authors.csv")
    rated = set(data["paper"])
    weights = zip(authors["paper"], authors["author"], numbers(authors["weight"]), strict=True)
    return Observations.from_columns(
        numbers(data["rating"]),
        output=data["paper"],
        credit=[(paper, author, share) for paper, author, share in weights if paper in rated],
        covariates=dummies("year", data["year"]),
    )


def drifting_raters():
    data = read("uto_drift.csv")
    return Observations.from_columns(
        numbers(data["Score"]), person=data["ExamineeID"], rater=data["RaterID"], instrument=data["TimeID"]
    )


CASES = {
    "Penicillin.crossed.tight": (penicillin, ("person", "rater"), {"plate": "person", "sample": "rater"}),
    "Dyestuff.batch.tight": (lambda: dyestuff("Dyestuff"), ("person",), {"Batch": "person"}),
    "Dyestuff2.batch.tight": (lambda: dyestuff("Dyestuff2"), ("person",), {"Batch": "person"}),
    "Pastes.nested.tight": (pastes, ("person", "output"), {"batch": "person", "sample": "output"}),
    "InstEval.s_d_deptservice.tight": (
        inst_eval,
        ("person", "rater", "project"),
        {"d": "person", "s": "rater", "dept:service": "project"},
    ),
    "InstEval.service_s_d_dept.tight": (
        lambda: inst_eval(service=True),
        ("person", "rater", "project"),
        {"d": "person", "s": "rater", "dept": "project"},
    ),
    "skating_components.halo": (
        lambda: skating(with_people=False),
        ("person", "rater", "halo"),
        {"performance": "person", "judge_id": "rater", "performance:judge_id": "halo"},
    ),
    "skating_components.mm_persons": (
        lambda: skating(with_people=True),
        ("person", "rater", "halo", "output"),
        {"performance": "output", "judge_id": "rater", "performance:judge_id": "halo", "person": "person"},
    ),
    "uto_drift.rater_time": (
        drifting_raters,
        ("person", "rater", "habit"),
        {"ExamineeID": "person", "RaterID": "rater", "RaterID:TimeID": "habit"},
    ),
    "iclr2017_2020.mm_authors": (iclr, ("person", "output"), {"paper": "output", "author": "person"}),
}


@pytest.mark.parametrize("name", CASES)
def test_reml_fits_equal_lme4(name):
    make, terms, factors = CASES[name]
    theirs = reference(f"{name}.lme4.json")

    posterior = fit(make(), terms=terms, prior="flat")

    assert posterior.engine.converged
    tolerance = 1e-6 if name.endswith("tight") else 1e-4
    assert posterior.criterion <= theirs["REMLcrit"] + tolerance
    exact = 1e-4 if name.endswith("tight") else 2e-3
    for entry in theirs["varcomp"]:
        ours = posterior.sds[
            "noise" if entry["grp"] == "Residual" else factors.get(entry["grp"], entry["grp"])
        ]
        assert ours.mean == pytest.approx(entry["sdcor"], rel=exact, abs=1e-6)
    _same_modes(posterior, theirs, factors, exact)


def _same_modes(posterior, theirs, factors, exact):
    design = posterior.model.design
    gaussian = posterior.points[0].gaussian(posterior.model)
    for factor, blup in theirs["blup"].items():
        term = next(term for term in design.terms if term.name == factors.get(factor, factor))
        place = {_key(level): at for at, level in enumerate(term.levels)}
        effect = blup["(Intercept)"]
        at = np.array([place[_key(level)] for level in blup["levels"]]) + design.slices[term.name].start
        modes, sds = np.array(effect["mode"]), np.array(effect["sd"])
        assert np.all(np.abs(gaussian.mean[at] - modes) <= exact * sds + 1e-9)


def _key(level):
    return ":".join(map(str, level)) if isinstance(level, tuple) else str(level)


@pytest.mark.parametrize("name", ["Penicillin.crossed.tight", "InstEval.service_s_d_dept.tight"])
def test_fixed_effects_and_their_errors_equal_lme4(name):
    make, terms, _ = CASES[name]
    theirs = reference(f"{name}.lme4.json")

    fixed = fit(make(), terms=terms, prior="flat").fixed

    for ours, their in (("mu", "(Intercept)"), ("service1", "service1")):
        if their in theirs["fixef"]:
            assert fixed[ours].mean == pytest.approx(theirs["fixef"][their], abs=1e-5)
            assert fixed[ours].sd == pytest.approx(theirs["fixef_se"][their], rel=1e-4)


DENSE = {
    "Penicillin.crossed": (penicillin, {"plate": "person", "sample": "rater"}),
    "Dyestuff.batch": (lambda: dyestuff("Dyestuff"), {"Batch": "person"}),
    "Pastes.nested": (pastes, {"batch": "person", "sample": "output"}),
}


@pytest.mark.parametrize("name", DENSE)
def test_sds_include_the_fixed_effects_uncertainty(name):
    make, factors = DENSE[name]
    theirs = reference(f"{name}.dense.json")

    posterior = fit(make(), terms=tuple(factors.values()), prior="flat")

    design = posterior.model.design
    gaussian = posterior.points[0].gaussian(posterior.model)
    for factor, effect in theirs["effects"].items():
        where = design.slices[factors[factor]]
        levels = next(term.levels for term in design.terms if term.name == factors[factor])
        order = [list(map(str, levels)).index(str(level)) for level in effect["levels"]]
        sds = np.sqrt(gaussian.variance[where])[order]
        np.testing.assert_allclose(sds, effect["pev_sd"], rtol=1e-4)


def test_the_g_study_equals_brennan():
    data = read("brennan_3_2.csv")
    theirs = reference("brennan_3_2.p_x_rt.lme4.json")
    observations = Observations.from_columns(
        numbers(data["Score"]),
        person=data["Person"],
        project=data["Task"],
        output=[f"{p}:{t}" for p, t in zip(data["Person"], data["Task"], strict=True)],
        rater=[f"{r}:{t}" for r, t in zip(data["Rater"], data["Task"], strict=True)],
    )

    posterior = fit(observations, terms=("person", "project", "output", "rater"), prior="flat")

    variance = {name: at.mean**2 for name, at in posterior.sds.items()}
    assert posterior.criterion <= theirs["REMLcrit"] + 1e-6
    published = {"person": 0.4731, "project": 0.3252, "rater": 0.6475, "output": 0.5596, "noise": 2.3802}
    assert {name: round(at, 4) for name, at in variance.items()} == pytest.approx(published, abs=2e-4)
    relative = variance["output"] / 3 + variance["noise"] / 12
    shared = variance["project"] / 3 + variance["rater"] / 12
    assert variance["person"] / (variance["person"] + relative) == pytest.approx(0.551, abs=1e-3)
    assert variance["person"] / (variance["person"] + relative + shared) == pytest.approx(0.464, abs=1e-3)
    found = posterior.reliability(12, 3)
    assert found.relative.mean == pytest.approx(0.551, abs=1e-3)


def test_credit_weights_matter_as_published_on_papers():
    euclidean = fit(iclr(), terms=("person", "output"), prior="flat", credit_norm="euclidean")

    assert euclidean.criterion == pytest.approx(66357.1, abs=0.1)


def cohort_a():
    rows, credit = read("cohort_a_ratings.csv"), read("cohort_a_credit.csv")
    return Observations.from_columns(
        numbers(rows["score"]),
        output=[int(at) for at in rows["output"]],
        rater=[int(at) for at in rows["rater"]],
        instrument=rows["criterion"],
        credit=[
            (int(o), int(i), float(s))
            for o, i, s in zip(credit["output"], credit["person"], credit["credit"], strict=True)
        ],
        people=range(60),
    )


@pytest.mark.parametrize("seed", range(5))
def test_integrated_posteriors_equal_the_long_chains(seed):
    chains = reference("cohort_a_nuts.json")

    asymmetric = fit(
        cohort_a(),
        terms=("person", "rater", "output"),
        luck="asymmetric",
        hyper="integrated",
        prior="pc",
        reference_sd=1.0,
        seed=seed,
    )

    assert asymmetric.engine.effective_points >= 100
    for posterior, chain in ((asymmetric, chains["skew"]), (asymmetric.symmetric, chains["gaussian"])):
        for table, name in ((posterior.persons, "theta"), (posterior.raters, "b"), (posterior.outputs, "q")):
            theirs = {key: np.array(chain[name][key]) for key in ("mean", "sd", "q05", "q95")}
            assert np.all(np.abs(table.mean - theirs["mean"]) < 0.1 * theirs["sd"])
            np.testing.assert_allclose(table.sd, theirs["sd"], rtol=0.05)
            for level in ("q05", "q95"):
                off = np.abs(getattr(table, level) - theirs[level]) / theirs["sd"]
                assert np.quantile(off, 0.95) < 0.1
                assert off.max() < 0.15
        for name, sd in posterior.sds.items():
            assert abs(sd.mean - chain[f"sd_{name}"]["mean"]) < 0.25 * chain[f"sd_{name}"]["sd"]
        top = posterior.rank_probabilities(10).value
        np.testing.assert_allclose(top, chain["p_top10"], atol=0.05)


@pytest.mark.parametrize("seed", range(3))
def test_integrated_posteriors_of_lecturers_and_students_equal_the_long_chain(seed):
    chain = reference("InstEval_first5000.nuts.json")
    data = {name: values[:5000] for name, values in read("InstEval.csv").items()}
    observations = Observations.from_columns(
        numbers(data["y"]),
        person=[int(d) for d in data["d"]],
        rater=[int(s) for s in data["s"]],
        project=[f"{dept}:{service}" for dept, service in zip(data["dept"], data["service"], strict=True)],
    )

    posterior = fit(
        observations, terms=("person", "rater", "project"), prior="flat", hyper="integrated", seed=seed
    )

    # A person's level holds the project that all of their outputs lie in; the chain's d is ability alone.
    for term, name in (("person", "d"), ("rater", "s")):
        theirs, (mean, sd) = chain[name], moments(posterior, term)
        error = np.array(theirs["sd"]) / np.sqrt(np.array(theirs["ess"]))
        off = mean - np.array(theirs["mean"])
        assert np.sqrt(np.mean((off / error) ** 2)) < 1.5
        np.testing.assert_allclose(sd, theirs["sd"], rtol=0.04)
    for term, name in (("person", "sd_d"), ("rater", "sd_s"), ("project", "sd_g"), ("noise", "sigma")):
        theirs = chain["hyper"][name]
        assert abs(posterior.sds[term].mean - theirs["mean"]) < 0.25 * theirs["sd"]


def moments(posterior, term):
    """Mean and sd of a term's levels over all points."""
    where = posterior.model.design.slices[term]
    states = [point.gaussian(posterior.model) for point in posterior.points]
    weights = np.array([point.weight for point in posterior.points])
    means = np.stack([state.mean[where] for state in states])
    variances = np.stack([state.variance[where] for state in states])
    mean = weights @ means
    return mean, np.sqrt(weights @ (variances + (means - mean) ** 2))


def test_judges_who_differ_in_noise_are_flagged():
    theirs = reference("skating_men_free_mean.hetero_judge.glmmTMB.json")
    data = read("skating_men_free_mean.csv")
    observations = Observations.from_columns(
        numbers(data["score"]), person=data["performance"], rater=data["judge_id"]
    )

    posterior = fit(observations, terms=("person", "rater"), prior="flat")

    assert theirs is not None
    flagged = [found for found in posterior.rater_fit() if found.is_flagged]
    assert len(flagged) > 0.2 * len(posterior.raters)


def test_the_ordinal_link_is_near_the_laplace_fit_of_a_probit():
    theirs = reference("esa2018.phase1_ordinal_probit.clmm.json")
    data = read("esa2018.csv")
    kept = [at for at, phase in enumerate(data["phase"]) if phase == "1" and data["slot"][at] != "0"]
    cells = [(data["submission"][at], data["committee"][at]) for at in kept]
    observations = Observations.from_columns(
        [float(data["score"][at]) for at in kept],
        person=[submission for submission, _ in cells],
        output=[" ".join(cell) for cell in cells],
    )

    posterior = fit(observations, terms=("person", "output"), link="ordinal", prior="flat")

    assert posterior.sds["person"].mean == pytest.approx(theirs["sd"]["submission"], rel=0.02)
    assert posterior.sds["output"].mean == pytest.approx(theirs["sd"]["sc"], rel=0.06)
    np.testing.assert_allclose(posterior.model.thresholds, list(theirs["coefficients"].values()), atol=0.01)
    assert -0.5 * posterior.criterion == pytest.approx(theirs["logLik"], abs=0.3)
