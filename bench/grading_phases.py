"""Submit to result for small predictions, by all walls and phases; and how busy weights keep the device.

python bench/grading_phases.py
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from evals.grading.architectures import architecture
from evals.grading.benchmarks import load_benchmark
from evals.grading.devices import device
from evals.grading.jail import isolation
from evals.grading.networks import build
from evals.grading.phases import PHASES, GradeRequest, run_phase
from evals.grading.reading_weights import BATCH_ITEMS, forward
from evals.grading.scoring import Scorer

RUNS, MEDIAN_SECONDS, THROUGHPUT = 25, 1.5, 0.8
WIDE = {"kind": "mlp", "inputs": 784, "hidden": [2048, 2048, 2048], "classes": 10}
ROWS = 32_768


def grade_tables() -> bool:
    """The three phases of fresh tables, scorer warm."""
    benchmark = load_benchmark("evals/grading/demo/digits")
    rng, seconds = np.random.default_rng(1), []
    with tempfile.TemporaryDirectory() as folder, Scorer() as scorer:
        for number in range(RUNS + 1):
            path = Path(folder) / f"{number}.csv"
            rows = zip(benchmark.ids, rng.integers(0, 10, len(benchmark.ids)), strict=True)
            path.write_text("id,pred\n" + "".join(f"{name},{answer}\n" for name, answer in rows))
            started = time.perf_counter()
            for phase in PHASES:
                result = run_phase(phase, GradeRequest(benchmark, path), scorer=scorer)
                assert result.state == "succeeded", result
            seconds.append(time.perf_counter() - started)
    warm = seconds[1:]
    print(
        f"small tables, three phases, {isolation().level} isolation: median {statistics.median(warm):.2f} s "
        f"(bar {MEDIAN_SECONDS}), slowest {max(warm):.2f} s, {1 / statistics.fmean(warm):.1f} a second per worker"
    )
    return statistics.median(warm) <= MEDIAN_SECONDS


def keep_busy() -> bool:
    """Our forward loop against a bare one, at the same batch, interleaved."""
    place = device()
    network = build(architecture(WIDE)).to(place).eval()
    x = np.random.default_rng(1).normal(size=(ROWS, 784)).astype(np.float32)
    ours, bare = [], []
    for _ in range(5):
        started = time.perf_counter()
        forward(network, x, place, report=lambda done, total: None)
        ours.append(time.perf_counter() - started)
        started = time.perf_counter()
        bare_loop(network, x, place)
        bare.append(time.perf_counter() - started)
    share = statistics.median(bare) / statistics.median(ours)
    print(f"weights on {place.type}: {share:.0%} of a bare loop's throughput (bar {THROUGHPUT:.0%})")
    return share >= THROUGHPUT


def bare_loop(network: torch.nn.Module, x: np.ndarray, place: torch.device) -> torch.Tensor:
    """What anybody would write."""
    inputs = torch.from_numpy(x)
    with torch.inference_mode():
        parts = [network(inputs[i : i + BATCH_ITEMS].to(place)) for i in range(0, len(inputs), BATCH_ITEMS)]
        return torch.cat(parts).cpu()


if __name__ == "__main__":
    sys.exit(0 if grade_tables() & keep_busy() else 1)
