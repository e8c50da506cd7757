"""Submit to result for small predictions, by all walls and phases; how busy weights keep the device; warm models.

python -m bench.grading_phases
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from evals.grading import answering
from evals.grading.architectures import architecture
from evals.grading.benchmarks import load_benchmark
from evals.grading.devices import device
from evals.grading.jail import isolation
from evals.grading.networks import build
from evals.grading.phases import PHASES, GradeRequest, run_phase
from evals.grading.reading_weights import BATCH_ITEMS, forward
from evals.grading.scoring import Scorer
from evals.grading.warm import READERS

RUNS, MEDIAN_SECONDS, THROUGHPUT = 25, 1.5, 0.8
WIDE = {"kind": "mlp", "inputs": 784, "hidden": [2048, 2048, 2048], "classes": 10}
ROWS = 32_768
WARM_RUNS, WARM_RATIO, WARM_ITEMS = 3, 1.5, 6_000
WARM_BENCHMARK = """
name = "Wide"
version = "1"
task = "classification"
classes = ["0", "1"]
formats = ["safetensors"]
seed = 1
per_day = 5
licence = "CC0"
data = {inputs = "inputs.npz", labels = "hidden/labels.csv"}
headline = {metric = "accuracy", direction = "higher"}
anchors = {start = 0.0, reference = 1.0}
metrics = [{name = "accuracy", direction = "higher"}]
limits = {max_bytes = 268_435_456, max_unpacked_bytes = 268_435_456}

[[architectures]]
name = "wide"
kind = "mlp"
inputs = 64
hidden = [4096, 4096, 2048]
classes = 2
"""


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


def keep_warm() -> bool:
    """Safety and thorough of a model too slow to answer whole at once: a reader that waits against a new one each."""
    seconds: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as folder, Scorer(device="cpu") as scorer:
        request = slow_model(Path(folder))
        scorer.start()
        for number in range(2 * WARM_RUNS):
            warm = number % 2 == 0
            answering.KEPT.entries.clear()
            READERS.make_room(0)
            run_phase("qualification", request)
            started = time.perf_counter()
            for phase in ("safety", "thorough"):
                if not warm:
                    READERS.make_room(0)
                assert run_phase(phase, request, scorer=scorer).state == "succeeded"
            seconds[warm].append(time.perf_counter() - started)
    READERS.make_room(0)
    kept, anew = (statistics.median(seconds[warm]) for warm in (True, False))
    print(
        f"a model kept between phases: safety and thorough in {kept:.2f} s against {anew:.2f} s anew, "
        f"{anew / kept:.1f} times as fast (bar {WARM_RATIO})"
    )
    return anew / kept >= WARM_RATIO


def slow_model(folder: Path) -> GradeRequest:
    """A wide network over enough items that all of them take more than a moment."""
    rng = np.random.default_rng(1)
    benchmark = folder / "benchmark"
    (benchmark / "hidden").mkdir(parents=True)
    rows = "".join(f"{item},{rng.integers(0, 2)}\n" for item in range(WARM_ITEMS))
    (benchmark / "hidden" / "labels.csv").write_text(f"id,label\n{rows}")
    x = rng.normal(size=(WARM_ITEMS, 64)).astype(np.float32)
    np.savez(benchmark / "inputs.npz", id=np.arange(WARM_ITEMS), x=x)
    (benchmark / "benchmark.toml").write_text(WARM_BENCHMARK)
    shapes = architecture(load_benchmark(benchmark).architectures[0].as_dict()).parameters()
    tensors = {name: rng.normal(0, 0.05, shape).astype(np.float32) for name, shape in shapes.items()}
    save_file(tensors, folder / "model.safetensors")
    return GradeRequest(load_benchmark(benchmark), folder / "model.safetensors", device="cpu", resamples=200)


def bare_loop(network: torch.nn.Module, x: np.ndarray, place: torch.device) -> torch.Tensor:
    """What anybody would write."""
    inputs = torch.from_numpy(x)
    with torch.inference_mode():
        parts = [network(inputs[i : i + BATCH_ITEMS].to(place)) for i in range(0, len(inputs), BATCH_ITEMS)]
        return torch.cat(parts).cpu()


if __name__ == "__main__":
    sys.exit(0 if grade_tables() & keep_busy() & keep_warm() else 1)
