"""CUDA cards as a jail sees them, on machines with and without one."""

from __future__ import annotations

import pytest

from evals.grading import cards, jail
from evals.grading.commands import main
from evals.grading.jail import Cell, Isolation
from tests.evals.grading.makers import make_benchmark

FULL = Isolation("full", "bubblewrap")


@pytest.fixture
def two_cards(tmp_path, monkeypatch):
    """A folder of device nodes of a machine with two cards."""
    for name in ("nvidiactl", "nvidia-uvm", "nvidia0", "nvidia1", "nvidia-modeset", "null"):
        (tmp_path / name).touch()
    monkeypatch.setattr("evals.grading.cards.nodes.__defaults__", (tmp_path,))
    monkeypatch.setattr("evals.grading.cards.binds.__defaults__", (tmp_path,))
    return tmp_path


@pytest.fixture
def no_card(tmp_path, monkeypatch):
    monkeypatch.setattr("evals.grading.cards.check.__defaults__", (tmp_path,))


def test_all_cards_and_what_controls_them_are_needed(two_cards):
    names = ("nvidiactl", "nvidia-uvm", "nvidia0", "nvidia1")

    assert cards.nodes() == [str(two_cards / name) for name in names]


def test_control_nodes_without_a_card_are_none(tmp_path):
    (tmp_path / "nvidiactl").touch()

    assert cards.nodes(tmp_path) == []


@pytest.mark.parametrize("cuda", [True, False])
def test_only_a_jail_that_asks_gets_the_nodes(two_cards, cuda):
    arguments = jail.bubblewrap(Cell(memory=1 << 30, seconds=1, cuda=cuda), FULL, 3)

    assert (str(two_cards / "nvidia1") in arguments) is cuda
    if cuda:
        assert arguments.index(str(two_cards / "nvidia1")) < arguments.index(
            "--remount-ro", arguments.index("--dev")
        )


def test_a_wish_for_cuda_without_a_card_is_refused_in_a_sentence(no_card, tmp_path, capsys):
    folder = make_benchmark(tmp_path / "b")
    (tmp_path / "a.csv").write_text("id,pred\n1,0\n2,1\n")

    code = main(["grade", str(folder), str(tmp_path / "a.csv"), "--device", "cuda"])

    assert code == 1
    assert "This machine shows no CUDA card" in " ".join(capsys.readouterr().err.split())


def test_the_driver_is_told_as_the_kernel_tells_it(tmp_path):
    (tmp_path / "version").write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.1\nGCC version: 12\n"
    )

    assert cards.driver(tmp_path / "version") == "NVIDIA UNIX x86_64 Kernel Module  580.1"
    assert cards.driver(tmp_path / "none") == "unknown"
