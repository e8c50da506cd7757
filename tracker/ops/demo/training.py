"""Train the demo's five submissions with torch, in seconds, from fixed seeds; nothing here is stored beforehand.

    python -m tracker.ops.demo.training FOLDER

Prints one JSON line of progress at a time and leaves the files and ``claims.json`` in the folder.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from evals.grading.benchmarks import Benchmark, load_benchmark
from evals.grading.networks import build
from tracker.ops.demo.benchmark import DIGITS

SEED = 20260301
# Kept back from training, so that an honest team can claim something.
VALIDATION_ROWS = 200
FEW = 60

Tick = Callable[[], None]


class Rows(NamedTuple):
    x: Tensor  # (rows, 64), between 0 and 1
    y: Tensor  # (rows,)


class Recipe(NamedTuple):
    architecture: str
    rows: int
    steps: int
    learning_rate: float


RECIPES = {
    "linear": Recipe("linear", rows=800, steps=300, learning_rate=0.05),
    "mlp": Recipe("mlp", rows=800, steps=400, learning_rate=0.01),
    "overfitted": Recipe("wide-mlp", rows=FEW, steps=250, learning_rate=0.005),
    "predictions": Recipe("linear", rows=FEW, steps=60, learning_rate=0.02),
    "broken": Recipe("mlp", rows=800, steps=40, learning_rate=0.01),
}
# What this team says of its predictions is simply not so.
FALSE_CLAIM = 0.99
TOTAL_STEPS = sum(recipe.steps for recipe in RECIPES.values())
STEPS_BETWEEN_LINES = 25


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    benchmark = load_benchmark(DIGITS)
    known = labelled(benchmark)
    tick = progress_lines()
    claims = {}
    for number, (name, recipe) in enumerate(RECIPES.items()):
        network = train(benchmark, recipe, known, seed=SEED + number, tick=tick)
        claims[name] = claim_of(name, network, known, rows=recipe.rows)
        keep(folder, name, network, benchmark)
    (folder / "claims.json").write_text(json.dumps(claims, indent=1))


def progress_lines() -> Tick:
    """Count steps over all five trainings, and print one line now and then."""
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if done % STEPS_BETWEEN_LINES == 0 or done == TOTAL_STEPS:
            print(json.dumps({"done": done, "total": TOTAL_STEPS}), flush=True)

    return tick


def labelled(benchmark: Benchmark) -> Rows:
    """The rows that everybody has labels for, in an order of the seed's."""
    with np.load(DIGITS / "train.npz") as table:
        order = np.random.default_rng(SEED).permutation(len(table["y"]))
        x = torch.tensor(table["x"][order] / benchmark.data.scale, dtype=torch.float32)
        return Rows(x, torch.tensor(table["y"][order], dtype=torch.int64))


def train(benchmark: Benchmark, recipe: Recipe, known: Rows, *, seed: int, tick: Tick) -> nn.Module:
    """Fit one declared architecture to the first rows of what is known, all of them in every step."""
    torch.manual_seed(seed)
    declared = {architecture.name: architecture for architecture in benchmark.architectures}
    network = build(declared[recipe.architecture])
    optimiser = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate)
    x, y = known.x[: recipe.rows], known.y[: recipe.rows]
    for _ in range(recipe.steps):
        optimiser.zero_grad()
        loss: Tensor = nn.functional.cross_entropy(network(x), y)
        loss.backward()
        optimiser.step()
        tick()
    return network


def accuracy(network: nn.Module, rows: Rows) -> float:
    with torch.no_grad():
        return float((network(rows.x).argmax(dim=1) == rows.y).float().mean())


def claim_of(name: str, network: nn.Module, known: Rows, *, rows: int) -> dict[str, Any]:
    """What the team says it measured: on rows it kept back, or on those it trained on, or on none."""
    if name == "predictions":
        return {"accuracy": {"value": FALSE_CLAIM, "n": VALIDATION_ROWS, "seeds": 1}}
    measured_on = Rows(known.x[:rows], known.y[:rows])
    if name != "overfitted":
        measured_on = Rows(known.x[-VALIDATION_ROWS:], known.y[-VALIDATION_ROWS:])
    value = round(accuracy(network, measured_on), 4)
    return {"accuracy": {"value": value, "n": len(measured_on.y), "seeds": 1}}


def keep(folder: Path, name: str, network: nn.Module, benchmark: Benchmark) -> None:
    """Write what is submitted: weights, a table of predictions, or a file cut off in the middle."""
    if name == "predictions":
        keep_predictions(folder / "predictions.npz", network, benchmark)
        return
    path = folder / f"{name}.safetensors"
    save_file(dict(network.state_dict()), path)
    if name == "broken":
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])


def keep_predictions(path: Path, network: nn.Module, benchmark: Benchmark) -> None:
    with np.load(DIGITS / "inputs.npz") as table, torch.no_grad():
        x = torch.tensor(table["x"] / benchmark.data.scale, dtype=torch.float32)
        chances = torch.softmax(network(x).double(), dim=1).numpy()
        columns: dict[str, Any] = {f"p{digit}": chances[:, digit] for digit in range(10)}
        np.savez(path, id=table["id"], **columns)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
