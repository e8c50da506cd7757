"""What would not fit in memory is refused with numbers, before it is taken."""

import numpy as np
import pytest
from noise_cohorts import make_cohort

from evals.noise import Observations, fit, memory
from evals.noise.command import main

TINY = 4e-4  # GB: enough for the graph alone


def test_it_refuses_a_dense_part_that_would_not_fit():
    rng = np.random.default_rng(0)
    sparse = Observations.from_columns(
        rng.normal(size=900), person=np.arange(900) // 3, rater=rng.integers(0, 300, 900)
    )

    with pytest.raises(ValueError, match=r"The dense part of \d+ levels would take [\d.e-]+ GB"):
        fit(sparse, terms=["person", "rater"], memory=TINY)
    assert len(fit(sparse, terms=["person", "rater"], memory=1.0).persons) == 300


def test_it_refuses_a_graph_of_people_that_would_not_fit():
    team = [("o", f"p{at}", 1 / 400) for at in range(400)]
    alone = [("x", "p1", 1.0)]

    with pytest.raises(ValueError, match=r"The graph of 80,201 pairs .* and 0.001 GB are allowed"):
        fit(
            Observations.from_columns([1.0, 2.0], output=["o", "x"], credit=[*team, *alone]),
            terms=["person"],
            memory=0.001,
        )


def test_it_refuses_draws_that_would_not_fit():
    posterior = fit(make_cohort(), memory=0.02)

    with pytest.raises(ValueError, match=r"Holding 1,000,000 draws of \d+ levels would take 0\.\d GB"):
        posterior.draws(1_000_000)
    assert posterior.draws(100).shape[0] == 100


def test_without_a_limit_what_is_free_is_the_limit(monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 1000.0)

    with pytest.raises(ValueError, match="GB are free: leave out terms"):
        fit(make_cohort())


def test_a_container_may_have_less_than_the_machine(tmp_path, monkeypatch):
    for name, text in (("CONTAINER_LIMIT", "3000\n"), ("CONTAINER_USE", "1000\n")):
        (tmp_path / name).write_text(text)
        monkeypatch.setattr(memory, name, tmp_path / name)

    assert memory.free_bytes() == 2000


def test_the_command_line_takes_a_limit(tmp_path, capsys):
    ratings = tmp_path / "r.csv"
    ratings.write_text("person,rater,score\nann,r,1\nbob,r,2\nann,s,2\nbob,s,4\n")

    refused = main(["fit", str(ratings), "--memory", "1e-9"])
    nonsense = main(["fit", str(ratings), "--memory", "-1"])

    assert refused == nonsense == 2
    assert "1e-09 GB are allowed" in capsys.readouterr().err
