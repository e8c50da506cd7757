"""The jailed reader's job for weights: run one declared architecture over the public inputs, with torch."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from evals.grading.architectures import architecture
from evals.grading.devices import device, seeded
from evals.grading.frames import Frame, read_exactly
from evals.grading.limits import Limits
from evals.grading.networks import build
from evals.grading.refusals import Refused
from evals.grading.weights import Tensor, check_names_and_shapes, parse_safetensors

TORCH_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
BATCH_ITEMS = 1024
Report = Callable[[int, int], None]
# The model of this process's one submission; a later job without files is asked of it.
LOADED: list[torch.nn.Module] = []


def run(
    job: Frame, source: BinaryIO, *, report: Report, threads: int
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Class probabilities for every row of the inputs."""
    torch.set_num_threads(threads)
    seeded(job.header["seed"])
    place = device(job.header["device"])
    if job.header["files"] or not LOADED:
        LOADED[:] = [loaded_network(job, source).to(place).eval()]
    network = LOADED[0]
    x, items = job.arrays["x"], job.header["items"]
    logits, seconds = timed(network, x[:items], place, report=report)
    if items < len(x) and seconds * len(x) / items <= job.header["whole_if_seconds"]:
        logits, seconds = timed(network, x, place, report=report)
    return {"seconds": seconds}, {"probabilities": probabilities(logits)}


def loaded_network(job: Frame, source: BinaryIO) -> torch.nn.Module:
    """The declared architecture with the submitter's numbers."""
    network = build(architecture(job.header["architecture"]))
    network.load_state_dict(read_weights(job, source))
    return network


def read_weights(job: Frame, source: BinaryIO) -> dict[str, torch.Tensor]:
    """The tensors of all weights files, exactly those of the declared architecture."""
    limits = Limits().with_values(job.header["limits"])
    values: dict[str, torch.Tensor] = {}
    found: dict[str, Tensor] = {}
    for entry in job.header["files"]:
        data = bytearray(read_exactly(source, entry["bytes"]))
        tensors = parse_safetensors(io.BytesIO(data), len(data), limits)
        values |= {name: loaded(data, tensor) for name, tensor in tensors.items()}
        found |= tensors
    check_names_and_shapes(found, architecture(job.header["architecture"]).parameters())
    return values


def timed(
    network: torch.nn.Module, x: NDArray[Any], place: torch.device, *, report: Report
) -> tuple[torch.Tensor, float]:
    """Logits and the seconds that they took."""
    started = time.monotonic()
    return forward(network, x, place, report=report), time.monotonic() - started


def loaded(data: bytearray, tensor: Tensor) -> torch.Tensor:
    """One tensor's numbers, as float32."""
    flat = torch.frombuffer(data, dtype=TORCH_DTYPES[tensor.dtype], count=tensor.count, offset=tensor.start)
    return flat.reshape(tensor.shape).to(torch.float32)


def forward(
    network: torch.nn.Module, x: NDArray[Any], place: torch.device, *, report: Report
) -> torch.Tensor:
    """Logits (items, classes) on the host, batch by batch."""
    inputs = torch.from_numpy(np.ascontiguousarray(x))
    outputs: list[torch.Tensor] = []
    with torch.inference_mode():
        for start in range(0, len(inputs), BATCH_ITEMS):
            outputs.append(network(inputs[start : start + BATCH_ITEMS].to(place, non_blocking=True)))
            report(min(start + BATCH_ITEMS, len(inputs)), len(inputs))
    return torch.cat(outputs).double().cpu()


def probabilities(logits: torch.Tensor) -> NDArray[Any]:
    """Softmax in double precision; what is not finite stays so and is judged outside."""
    if logits.ndim != 2:
        raise Refused("wrong-shape")
    return np.asarray(logits.softmax(dim=1).numpy(), np.float64)
