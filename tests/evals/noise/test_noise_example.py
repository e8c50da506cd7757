"""The real example that ships, and the page that tells of the model."""

import re
from pathlib import Path

import pytest

from evals.noise.command import main, make_parser
from evals.noise.example import skating, skating_rows

PAGE = Path(__file__).parents[3] / "docs" / "model.md"


def test_the_example_has_every_score_of_the_source():
    rows, credit = skating_rows()

    assert len(rows) == 77_630
    assert len({row["rater"] for row in rows}) == 214
    assert len({output for output, _, _ in credit}) == 1_726


def test_pairs_share_their_credit_equally():
    observations = skating("PAIRS")

    assert set(observations.shares.data) == {0.5}


def test_it_refuses_an_unknown_discipline():
    with pytest.raises(ValueError, match="no discipline 'CURLING'"):
        skating_rows("CURLING")


def test_the_commands_on_the_page_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lines = re.findall(r"^    python -m evals.noise (.+)$", PAGE.read_text(), flags=re.M)
    shown = [line for line in lines if line.startswith(("example", "fit"))]

    codes = [main(line.split()) for line in shown]

    assert codes == [0, 0]
    assert (tmp_path / "people.svg").exists()


def test_every_command_on_the_page_is_known():
    lines = re.findall(r"^    python -m evals.noise (.+)$", PAGE.read_text(), flags=re.M)

    for line in lines:
        make_parser().parse_args(line.split())
    assert len(lines) >= 4


def test_the_pictures_of_the_page_are_there():
    names = re.findall(r"\]\((model_\w+\.svg)\)", PAGE.read_text())

    assert len(names) == 3
    assert all((PAGE.parent / name).is_file() for name in names)


def test_the_page_names_files_that_exist():
    root = PAGE.parents[1]
    named = re.findall(r"`((?:evals|bench)/[\w/]+\.\w+)`", PAGE.read_text())

    assert named
    assert [name for name in named if not (root / name).is_file()] == []
