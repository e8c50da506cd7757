"""The command line: what it writes, and how it refuses."""

import json
import os
from pathlib import Path

import pytest
from noise_cohorts import make_rows

from evals.noise.__main__ import start_again_with_own_threads
from evals.noise.command import main


def write(path, header, rows):
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return str(path)


@pytest.fixture
def cohort(tmp_path):
    rows, credit = make_rows(people=8, raters=4)
    cells = [(row["output"], row["rater"], row["instrument"], f"{row['score']:.3f}") for row in rows]
    ratings = write(tmp_path / "ratings.csv", "output,rater,criterion,score", cells)
    return ratings, write(tmp_path / "credit.csv", "output,person,share", credit), tmp_path


def run(*arguments):
    return main([*map(str, arguments)])


def test_fit_prints_a_table_and_writes_json_and_a_picture(cohort, capsys):
    ratings, credit, folder = cohort
    people = folder / "people.txt"
    people.write_text("rests\n")
    out, plot = folder / "out.json", folder / "out.svg"

    code = run(
        "fit",
        ratings,
        "--credit",
        credit,
        "--people",
        people,
        "--hyper",
        "mode",
        "--json",
        out,
        "--plot",
        plot,
    )

    found = json.loads(out.read_text())
    assert code == 0
    assert "likely range" in capsys.readouterr().out
    assert found["persons"]["rests"]["mean"] == 0
    assert {"mean", "sd", "q05", "q25", "q50", "q75", "q95", "observations", "raters", "outputs"} <= set(
        found["persons"]["p1"]
    )
    assert {"criterion", "sds", "fixed", "raters", "outputs", "notes", "engine", "symmetric"} <= set(found)
    assert {"infit", "outfit", "use_of_scale", "agreement"} <= set(found["raters"]["r1"])
    assert set(found["raters"]["r1"]["infit"]) == {"value", "low", "high", "is_off"}
    assert plot.read_text().startswith("<?xml")


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_names_in_any_script_and_with_any_sign_are_drawn(tmp_path, ending):
    names = {"ann": "王小明", "bob": "a$\\frac$b", "cid": "_cid"}
    rows = [(names[who], rater, score) for who, rater, score in TEN]
    ratings, plot = write(tmp_path / "r.csv", "person,rater,score", rows), tmp_path / f"p.{ending}"

    code = run("fit", ratings, "--hyper", "mode", "--plot", plot)

    assert code == 0
    assert ending == "png" or all(name in plot.read_text() for name in names.values())


def test_the_same_seed_gives_the_same_numbers(cohort):
    ratings, credit, folder = cohort
    outs = [folder / "one.json", folder / "other.json"]

    for out in outs:
        run("fit", ratings, "--credit", credit, "--terms", "person,rater", "--seed", 3, "--json", out)

    one, other = (json.loads(out.read_text()) for out in outs)
    assert one["persons"] == other["persons"]
    assert one["engine"]["effective_points"] > 100


def test_next_asks_for_ratings_that_are_not_there_yet(cohort, capsys):
    ratings, credit, _ = cohort

    code = run("next", ratings, "--credit", credit, "--hyper", "mode", "--top", 2, "--n", 2)

    assert code == 0
    assert capsys.readouterr().out.count("expected gain") == 2


def test_reliability_prints_both_coefficients(cohort, capsys):
    ratings, credit, _ = cohort

    code = run("reliability", ratings, "--credit", credit, "--hyper", "mode", "--raters", 3)

    assert code == 0
    assert "G 0." in capsys.readouterr().out


def test_what_simulate_writes_can_be_fitted(tmp_path, capsys):
    out, credit, truth = tmp_path / "r.csv", tmp_path / "c.csv", tmp_path / "t.json"

    drawn = run(
        "simulate", "--people", 10, "--out", out, "--credit-out", credit, "--truth", truth, "--sd", "person=1"
    )
    fitted = run("fit", out, "--credit", credit, "--hyper", "mode", "--luck", "symmetric")

    assert drawn == fitted == 0
    assert set(json.loads(truth.read_text())["persons"]) == {f"p{at}" for at in range(10)}


TEN = [("ann", "r", 1), ("bob", "r", 2), ("ann", "s", 2), ("bob", "s", 3), ("cid", "s", 4)] * 2


@pytest.mark.parametrize(
    ("header", "rows", "sentence"),
    [
        ("person,rater,score", [*TEN[:4], ("cid", "s", "x"), *TEN[5:]], "Row 5 has score 'x': give a number"),
        ("person,rater,score", [*TEN[:4], ("cid", "s", "1e300"), *TEN[5:]], "Row 5 has score '1e300'"),
        ("person,rater,score", [*TEN[:4], ("cid", "s", ""), *TEN[5:]], "Row 5 has score ''"),
        ("person,rater,score", [*TEN[:4], ("", "s", "2"), *TEN[5:]], "Row 5 names no person"),
        ("person,rater,score", [], "has no rows"),
        ("person,rater,score", [("ann", "r", at) for at in range(10)], "Only one person is rated"),
        ("person,rater,score", [(who, rater, 3) for who, rater, _ in TEN], "All scores are equal"),
        ("person,rater,mark", TEN, "has no column score"),
        ("person,rater,score,se", [(*row, -1) for row in TEN], "Row 1 has se '-1'"),
        ("output,rater,score", TEN[:5], "Nobody is rated"),
        ("person,rater,score", [*TEN, ("ann", "r", 3, 4)], "Row 11 of"),
        ("person,rater,score,score", [(*row, 1) for row in TEN], "has two columns score"),
        ("person;rater;score", [("ann;r;3",)], "separated by semicolons"),
        ("person\trater\tscore", [("ann\tr\t3",)], "separated by tabs"),
        ("person,rater,Score,SCORE", [(*row, 1) for row in TEN], "has two columns score"),
    ],
)
def test_bad_input_is_one_sentence_and_code_two(tmp_path, capsys, header, rows, sentence):
    ratings = write(tmp_path / "ratings.csv", header, rows)

    code = run("fit", ratings)

    said = capsys.readouterr().err
    assert code == 2
    assert sentence in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("header", "ending"),
    [
        ("\n\nperson,rater,score", ""),
        (" Person ,RATER,Score", ""),
        ("person,rater,score", ",,"),
        ("person,rater,score,time,se", ",,"),
        ("person,rater,score\n,,", ""),
    ],
)
def test_what_spreadsheets_leave_around_the_scores_changes_nothing(tmp_path, header, ending):
    plain = write(tmp_path / "plain.csv", "person,rater,score", TEN)
    rows = [(*row[:2], f"{row[2]}{ending}") for row in TEN]
    left = write(tmp_path / "left.csv", header, [*rows, ("", "", "")])
    outs = [tmp_path / "plain.json", tmp_path / "left.json"]

    codes = [
        run("fit", file, "--hyper", "mode", "--json", out)
        for file, out in zip((plain, left), outs, strict=True)
    ]

    one, other = (json.loads(out.read_text()) for out in outs)
    assert codes == [0, 0]
    assert (one["persons"], one["raters"]) == (other["persons"], other["raters"])


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([1, 2, "", 4], "Row 3 has no week: a covariate needs a value in every row"),
        ([1, "2,5", 3, 4], "Row 2 has week '2,5' where others have numbers"),
        (["a", "a", "a", "a"], "Covariate 'week' is 'a' in every row: leave it out"),
        (["a", "b", "c", "d"], "4 scores leave nothing to learn of people beside 4 means and slopes"),
        ([1, 2, "nan", 4], "Row 3 has week nan"),
    ],
)
def test_a_covariate_that_says_nothing_clear_is_refused(tmp_path, capsys, values, sentence):
    rows = [("ann", "r", 1), ("bob", "r", 2), ("ann", "s", 2), ("bob", "s", 3.5)]
    cells = [(*row, f'"{value}"') for row, value in zip(rows, values, strict=True)]
    ratings = write(tmp_path / "r.csv", "person,rater,score,week", cells)

    code = run("fit", ratings, "--covariate", "week", "--hyper", "mode")

    assert code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    "lines", ["person\nrests\n", "Person\nrests\n\n", "name,person\nJo,rests\nKim,ann\n", '"rests"\n', ""]
)
def test_people_are_named_one_a_line_or_in_a_column(tmp_path, lines):
    ratings, out = write(tmp_path / "r.csv", "person,rater,score", TEN), tmp_path / "o.json"
    people = tmp_path / "people.csv"
    people.write_text(lines)

    code = run("fit", ratings, "--people", people, "--hyper", "mode", "--json", out)

    assert code == 0
    assert set(json.loads(out.read_text())["persons"]) == {"ann", "bob", "cid"} | (
        {"rests"} if lines else set()
    )


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("zebra,ann,1", "names output 'zebra'"),
        ("o0,ann,much", "has share 'much'"),
        ("o0,ann,0.5", "Credit for output 'o0' sums to"),
    ],
)
def test_a_bad_credit_line_is_named(cohort, capsys, line, sentence):
    ratings, credit, _ = cohort
    with open(credit, "a") as file:
        file.write(line + "\n")

    code = run("fit", ratings, "--credit", credit)

    assert code == 2
    assert sentence in capsys.readouterr().err


def test_a_repeated_row_is_named(cohort, capsys):
    ratings, credit, _ = cohort
    lines = Path(ratings).read_text().splitlines()
    Path(ratings).write_text("\n".join([*lines, lines[3]]) + "\n")

    code = run("fit", ratings, "--credit", credit)

    assert code == 2
    assert "repeats row 3" in capsys.readouterr().err


def test_a_missing_file_is_one_sentence(tmp_path, capsys):
    code = run("fit", tmp_path / "none.csv")

    assert code == 2
    assert "can't be read" in capsys.readouterr().err


def test_covariates_may_be_numbers_or_texts(tmp_path):
    rows = [(who, rater, score, at, "xyz"[at % 3]) for at, (who, rater, score) in enumerate(TEN)]
    ratings, out = write(tmp_path / "r.csv", "person,rater,score,week,site", rows), tmp_path / "o.json"

    code = run("fit", ratings, "--covariate", "week", "--covariate", "site", "--hyper", "mode", "--json", out)

    assert code == 0
    assert set(json.loads(out.read_text())["fixed"]) == {"mu", "week", "site[y]", "site[z]"}


def test_one_rater_is_refused_until_the_column_is_left_out(tmp_path, capsys):
    alone = [row for row in TEN if row[1] == "s"]
    ratings = write(tmp_path / "r.csv", "person,rater,score", alone)
    without = write(tmp_path / "w.csv", "person,score", [(who, score) for who, _, score in alone])

    codes = run("fit", ratings, "--hyper", "mode"), run("fit", without, "--hyper", "mode")

    said = capsys.readouterr().err
    assert codes == (2, 0)
    assert "All scores are by one rater, 's'" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["fit", "--points", 0], "The number of points is 0: give at least 1"),
        (["fit", "--seed", -1], "The seed is -1"),
        (["fit", "--at", "nan", "--hyper", "mode"], "The time of the level is nan"),
        (
            ["fit", "--reference-sd", "1e300"],
            "The reference sd is 1e+300: give a positive number, at most 1e+12",
        ),
        (["fit", "--covariate", "score"], "can't be a covariate of itself"),
        (["fit", "--hyper", "mode", "--json", "/none/out.json"], "/none/out.json can't be written"),
        (
            ["fit", "--hyper", "mode", "--plot", "people.doc"],
            "people.doc is no picture: end its name in .svg",
        ),
        (["fit", "--hyper", "mode", "--terms", "rater,output"], "Without the term person"),
        (["fit", "--link", "ordinal", "--rater-noise", "own"], "own noise needs the numeric link"),
        (["fit", "--link", "ordinal", "--credit-exponent", "estimate"], "estimated with the numeric link"),
        (["next", "--hyper", "mode", "--top", 0], "The best 0 of 8 people are no choice: give 1 to 7"),
        (["next", "--hyper", "mode", "--top", 8], "The best 8 of 8"),
        (["next", "--hyper", "mode", "--bar", "nan"], "The bar is nan"),
        (["next", "--hyper", "mode", "--top", 2, "--n", 0], "ratings to ask for is 0"),
        (["next", "--link", "ordinal", "--luck", "symmetric", "--hyper", "mode", "--top", 2], "numeric link"),
        (["reliability", "--hyper", "mode", "--target", "nan"], "The target reliability is nan"),
        (["reliability", "--hyper", "mode", "--per-rater", 5], "A rater can't rate 5 of 2 outputs"),
    ],
)
def test_a_bad_option_is_one_sentence_and_code_two(cohort, capsys, arguments, sentence):
    _, credit, folder = cohort
    rows, _ = make_rows(people=8, raters=4)
    cells = [(row["output"], row["rater"], row["instrument"], round(row["score"])) for row in rows]
    ratings = write(folder / "whole.csv", "output,rater,criterion,score", cells)
    command, *options = arguments

    code = run(command, ratings, "--credit", credit, *options)

    said = capsys.readouterr().err
    assert code == 2
    assert sentence in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--people", 1], "at least 2 people"),
        (["--ratings", 50], "can't have 50 ratings by 12 raters"),
        (["--sd", "person=much"], "--sd person=much is no number"),
        (["--sd", "person=-1"], "'person' is -1.0: give a number of at least 0"),
        (["--sd", "karma=1"], "nothing for 'karma' to vary"),
        (["--mu", "nan"], "'mu' is nan: give a finite number"),
        (["--seed", -1], "The seed is -1"),
        (["--people", 10**9], "Drawing 16,000,000,000 scores would take"),
    ],
)
def test_simulate_refuses_what_it_cannot_draw(tmp_path, capsys, options, sentence):
    code = run("simulate", "--out", tmp_path / "r.csv", "--credit-out", tmp_path / "c.csv", *options)

    said = capsys.readouterr().err
    assert code == 2
    assert sentence in said
    assert not (tmp_path / "r.csv").exists()


def test_what_cannot_be_written_is_refused_before_the_fit(cohort, capsys):
    ratings, credit, _ = cohort

    code = run("fit", ratings, "--credit", credit, "--plot", "/none/people.svg")

    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    assert "there is no folder /none" in said.err


def test_no_file_is_written_over_what_was_read(cohort, capsys):
    ratings, credit, folder = cohort
    before = Path(ratings).read_text()

    codes = [
        run("fit", ratings, "--credit", credit, "--hyper", "mode", "--json", ratings),
        run("fit", ratings, "--credit", credit, "--hyper", "mode", "--json", folder),
        run("simulate", "--out", folder / "one.csv", "--credit-out", folder / "one.csv"),
        run("simulate", "--out", folder / "two.csv", "--credit-out", folder / "none" / "credit.csv"),
    ]

    said = capsys.readouterr().err.splitlines()
    assert codes == [2, 2, 2, 2]
    assert [
        "two files" in said[0],
        "a folder" in said[1],
        "two files" in said[2],
        "no folder" in said[3],
    ] == [True] * 4
    assert Path(ratings).read_text() == before
    assert not (folder / "two.csv").exists()


def test_an_ordinal_fit_has_a_reliability(cohort, capsys):
    _, credit, folder = cohort
    rows, _ = make_rows(people=8, raters=4)
    cells = [(row["output"], row["rater"], row["instrument"], round(row["score"])) for row in rows]
    ratings = write(folder / "whole.csv", "output,rater,criterion,score", cells)

    code = run("reliability", ratings, "--credit", credit, "--hyper", "mode", "--link", "ordinal")

    assert code == 0
    assert "G 0." in capsys.readouterr().out


def test_where_everybody_has_rated_everything_nobody_is_left_to_ask(cohort, capsys):
    _, credit, folder = cohort
    outputs = [f"o{at}" for at in range(16)]
    cells = [(o, r, at % 5 + (r == "s")) for at, o in enumerate(outputs) for r in "rs"]
    ratings = write(folder / "full.csv", "output,rater,score", cells)

    code = run("next", ratings, "--credit", credit, "--hyper", "mode", "--top", 2)

    assert code == 2
    assert "every rater has rated every output" in capsys.readouterr().err


@pytest.mark.parametrize(("options", "starts"), [((), 1), (("--hyper", "mode"), 0)])
def test_an_integration_starts_again_with_one_thread_of_linear_algebra(monkeypatch, options, starts):
    begun = []
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    monkeypatch.setattr("sys.argv", ["evals.noise", "fit", "r.csv", *options])
    monkeypatch.setattr("os.execv", lambda *how: begun.append(os.environ["OPENBLAS_NUM_THREADS"]))

    start_again_with_own_threads()

    assert begun == ["1"] * starts
