"""Every refusal is one sentence that names the row or the name and says what would do."""

import pytest

from evals.noise import Observations, fit

GOOD = {
    "score": [3.0, 4.0, 2.0, 5.0],
    "output": ["x", "x", "y", "y"],
    "rater": ["r", "s", "r", "s"],
    "instrument": ["craft"] * 4,
}
CREDIT = [("x", "ann", 1.0), ("y", "bob", 0.4), ("y", "cid", 0.6)]


def make(credit=CREDIT, options=None, **columns):
    return Observations.from_columns(**(GOOD | columns), credit=credit, **(options or {}))


def test_the_table_without_a_fault_is_taken():
    observations = make()

    assert len(observations) == 4
    assert observations.people == ("ann", "bob", "cid")


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"score": [3.0, float("nan"), 2.0, 5.0]}, "Row 2 has score nan"),
        ({"score": [3.0, "four", 2.0, 5.0]}, "Row 2 has score 'four': give a number"),
        ({"score": [3.0, 4.0, float("inf"), 5.0]}, "Row 3 has score inf"),
        ({"score": [3.0, 4.0, 1e300, 5.0]}, r"Row 3 has score 1e\+300"),
        ({"score": []}, "There is no observation"),
        ({"se": [0.1, -0.1, 0.1, 0.1]}, "Row 2 has se -0.1: give a number of at least 0"),
        ({"rater": ["r", "r", "r", "s"]}, "Row 2 repeats row 1"),
        ({"rater": ["r", "s"]}, "Column 'rater' has 2 values for 4 scores"),
        ({"mood": [1, 2, 3, 4]}, "Column 'mood' is unknown"),
        ({"output": ["x", "x", None, "y"]}, "Row 3 names no output"),
        ({"instrument": ["craft", "", "craft", "craft"]}, "Row 2 has no instrument"),
        ({"benchmark": ["", "digits", "", ""]}, "Row 2 has a rater and a benchmark"),
        (
            {"rater": ["r", "s", None, None], "instrument": ["craft"] * 2 + ["f1"] * 2}
            | {"output": ["x", "x", "x", "y"], "benchmark": ["", "", "digits", "letters"]},
            "Row 3 names another benchmark for 'f1'",
        ),
    ],
)
def test_it_refuses_a_bad_row(columns, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(**columns)


@pytest.mark.parametrize(
    ("credit", "sentence"),
    [
        ([("x", "ann", 1.0), ("y", "bob", 0.4)], "Credit for output 'y' sums to 0.4"),
        ([("x", "ann", 1.0)], "Credit for output 'y' is missing"),
        (
            [("x", "ann", 1.0), ("y", "bob", 1.5), ("y", "cid", -0.5)],
            "Credit row 3 gives 'cid' the share -0.5",
        ),
        ([*CREDIT, ("z", "dan", 1.0)], "Credit row 4 names output 'z'"),
        ([("x", "ann", 1.0), ("y", "ann", 1.0)], "Only one person"),
        (None, "Nobody is rated"),
    ],
)
def test_it_refuses_bad_credit(credit, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(credit=credit)


def test_shares_rounded_to_six_decimals_sum_to_one():
    thirds = [("y", who, 0.333333) for who in ("ann", "bob", "cid")]

    assert len(make(credit=[("x", "ann", 1.0), *thirds]).people) == 3


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"instruments": ["rigour"]}, "Row 1 has the unknown instrument 'craft': use one of rigour"),
        ({"limits": {"craft": (1, 4)}}, "Row 4 scores 5 on 'craft': scores there go from 1 to 4"),
        ({"covariates": {"age": [1.0, 2.0, float("nan"), 4.0]}}, "Row 3 has age nan"),
    ],
)
def test_it_refuses_what_the_instruments_rule_out(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(options=options)


def test_occasions_tell_repeats_apart():
    observations = make(rater=["r", "r", "r", "s"], occasion=[1, 2, 1, 1])

    assert len(observations) == 4


def test_it_refuses_scores_that_are_all_equal():
    with pytest.raises(ValueError, match="All scores are equal"):
        fit(make(score=[3.0] * 4))


def test_it_refuses_a_covariate_that_follows_from_the_rest():
    with pytest.raises(ValueError, match="Covariate 'one' follows"):
        fit(make(options={"covariates": {"one": [1.0] * 4}}))


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"terms": ["person", "karma"]}, "Term 'karma' is unknown"),
        ({"prior": "vague"}, "prior='vague' is unknown"),
        ({"luck": "bad"}, "luck='bad' is unknown"),
        ({"reference_sd": -1.0}, "The reference sd is -1.0"),
        ({"credit_norm": "max"}, "The credit norm 'max' is unknown"),
        ({"terms": ["panel"]}, "No term is left"),
    ],
)
def test_it_refuses_unknown_settings(chosen, sentence):
    with pytest.raises(ValueError, match=sentence):
        fit(make(), **chosen)


def test_it_refuses_to_rank_more_people_than_there_are():
    with pytest.raises(ValueError, match="best 4 of 3"):
        fit(make()).rank_probabilities(4)
