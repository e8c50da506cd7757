"""Planted rater effects are found with the stated power at 5 % false flags; seeds are fixed."""

from dataclasses import replace

import numpy as np
from noise_cohorts import make_rows

from evals.noise import Observations, fit
from evals.noise.labels import Column

COHORTS = 40
TERMS = ("person", "rater", "halo", "output")
FALSE = 0.05
LIKELIHOOD_RATIO = 2.706  # exceeded with 5 % by half a chi-square on the boundary


def cohort(seed, change=lambda row, rng: 0.0, **options):
    """40 people, 8 raters with about 90 scores each; ``change`` plants an effect in each row."""
    rows, credit = make_rows(people=40, raters=8, raters_each=3, seed=seed, **options)
    rng = np.random.default_rng([9, seed])
    for row in rows:
        row["score"] += change(row, rng)
    return Observations.from_rows(rows, credit=credit)


def is_first(row):
    return row["rater"] == "r0"


def most_by_chance(flags):
    return FALSE + 3 * np.sqrt(FALSE * (1 - FALSE) / len(flags))


def lenient(observations):
    raters = fit(observations, terms=TERMS, prior="flat").raters
    return {
        rater: abs(mean) > 1.96 * sd
        for rater, mean, sd in zip(raters.id, raters.mean, raters.sd, strict=True)
    }


def test_a_rater_more_generous_by_four_fifths_of_the_noise_is_found_9_times_in_10():
    found = [
        lenient(cohort(seed, lambda row, rng: 0.4 * is_first(row), rater=0.0))["r0"]
        for seed in range(COHORTS)
    ]

    assert np.mean(found) >= 0.9


def test_raters_who_are_alike_are_not_found_lenient():
    flags = [flag for seed in range(COHORTS) for flag in lenient(cohort(seed, rater=0.0)).values()]

    assert np.mean(flags) <= most_by_chance(flags)


def misfits(observations, seed):
    return {
        found.rater: found.is_flagged
        for found in fit(observations, terms=TERMS, prior="flat").rater_fit(seed=seed)
    }


def test_a_rater_with_a_third_more_noise_is_found_8_times_in_10():
    found = [
        misfits(cohort(seed, lambda row, rng: 0.44 * rng.normal() * is_first(row)), seed)["r0"]
        for seed in range(COHORTS)
    ]

    assert np.mean(found) >= 0.8


def test_raters_of_the_same_noise_are_not_found_noisy():
    flags = [flag for seed in range(COHORTS) for flag in misfits(cohort(seed), seed).values()]

    assert np.mean(flags) <= most_by_chance(flags)


def is_there(term, observations, others):
    """Whether the restricted likelihood says, at 5 %, that this term varies."""
    without, beside = (
        fit(observations, terms=terms, prior="flat").criterion for terms in (others, (*others, term))
    )
    return without - beside > LIKELIHOOD_RATIO


def with_halo(sd):
    drawn = {}

    def change(row, rng):
        return drawn.setdefault((id(rng), row["output"], row["rater"]), sd * rng.normal())

    return change


def halo_found(sd, seed):
    return is_there("halo", cohort(seed, with_halo(sd)), ("person", "rater", "output"))


def test_a_halo_of_two_fifths_of_the_noise_is_found_9_times_in_10():
    assert np.mean([halo_found(0.2, seed) for seed in range(COHORTS)]) >= 0.9


def test_independent_criteria_are_not_taken_for_a_halo():
    flags = [halo_found(0.0, seed) for seed in range(COHORTS)]

    assert np.mean(flags) <= most_by_chance(flags)


def timed(observations, slope):
    """A second occasion for half of the outputs, at which the first rater has moved by ``slope``."""
    output, rater = observations.columns["output"], observations.columns["rater"]
    late = np.array([int(level[1:]) % 2 for level in output.levels])[output.codes]
    first = rater.codes == rater.levels.index("r0")
    columns = dict(observations.columns) | {"instrument": Column.of([("early", "late")[at] for at in late])}
    return replace(observations, score=observations.score + slope * late * first, columns=columns)


def drift_found(slope, seed):
    return is_there("habit", timed(cohort(seed), slope), ("person", "rater", "output"))


def test_a_rater_who_drifts_by_one_and_a_half_noise_sds_is_found_9_times_in_10():
    assert np.mean([drift_found(0.75, seed) for seed in range(COHORTS)]) >= 0.9


def test_steady_raters_are_not_found_to_drift():
    flags = [drift_found(0.0, seed) for seed in range(COHORTS)]

    assert np.mean(flags) <= most_by_chance(flags)


def with_central_tendency(seed, factor):
    """The first rater pulls every score towards the middle of the scale."""
    rows, credit = make_rows(people=40, raters=8, raters_each=3, seed=seed)
    for row in rows:
        if is_first(row):
            row["score"] = 3.0 + factor * (row["score"] - 3.0)
    return Observations.from_rows(rows, credit=credit)


def off_scale(seed, factor):
    posterior = fit(with_central_tendency(seed, factor), terms=TERMS, prior="flat")
    return {found.rater: found.use_of_scale.is_off for found in posterior.rater_fit(seed=seed)}


def test_a_rater_who_uses_three_fifths_of_the_scale_is_found_9_times_in_10():
    assert np.mean([off_scale(seed, 0.6)["r0"] for seed in range(COHORTS)]) >= 0.9


def test_raters_who_use_the_whole_scale_are_not_found_timid():
    flags = [flag for seed in range(COHORTS) for flag in off_scale(seed, 1.0).values()]

    assert np.mean(flags) <= most_by_chance(flags)


def grown(sd, seed):
    """Five outputs of everybody over two years, in which people change by ``sd`` a year."""
    rows, credit = make_rows(people=40, raters=8, outputs_each=5, raters_each=2, seed=seed)
    slopes = np.random.default_rng([5, seed]).normal(0, sd, 40)
    team = {}
    for output, person, share in credit:
        team[output] = team.get(output, 0.0) + share * slopes[int(person[1:])]
    for row in rows:
        row["time"] = 0.5 * (int(row["output"][1:]) // 40)
        row["score"] += team[row["output"]] * row["time"]
    # The cohort's mean change stands in both models, or their criteria could not be compared.
    change = {"change": [row["time"] for row in rows]}
    return Observations.from_rows(rows, credit=credit, covariates=change)


def growth_found(sd, seed):
    return is_there("growth", grown(sd, seed), ("person", "rater", "output"))


def test_growth_by_half_of_the_noise_a_year_is_found_9_times_in_10():
    assert np.mean([growth_found(0.25, seed) for seed in range(COHORTS)]) >= 0.9


def test_people_who_stay_as_they_are_are_not_found_to_grow():
    flags = [growth_found(0.0, seed) for seed in range(COHORTS)]

    assert np.mean(flags) <= most_by_chance(flags)
