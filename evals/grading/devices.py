"""Which device computes, said in one place, and what a record says of it."""

from __future__ import annotations

import platform

import torch

from evals.grading import cards

DTYPE = torch.float64
CUDA_MEMORY_FRACTION = 0.9


def device(choice: str = "") -> torch.device:
    """The chosen device, else CUDA where torch sees one, else the CPU."""
    if choice not in ("", "cpu", "cuda"):
        raise ValueError(f"The device must be cpu or cuda, not {choice}.")
    if choice == "cuda" and not torch.cuda.is_available():
        raise ValueError("torch sees no CUDA device here; choose cpu.")
    if choice == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    # Leaves room for the other process of the pair: reader and scorer share one card.
    torch.cuda.set_per_process_memory_fraction(CUDA_MEMORY_FRACTION / 2)
    return torch.device("cuda")


def seeded(seed: int) -> None:
    """The same draws on every run, where a model draws at all."""
    torch.manual_seed(seed)


def described(place: torch.device) -> dict[str, str]:
    """Device, dtype and driver for a result's record."""
    if place.type == "cuda":
        name = torch.cuda.get_device_name(place)
        driver = f"{cards.driver()}, CUDA {torch.version.cuda}"
    else:
        name, driver = platform.processor() or platform.machine(), "none"
    return {
        "device": place.type,
        "device_name": name,
        "dtype": str(DTYPE).removeprefix("torch."),
        "driver": driver,
        "torch": torch.__version__,
    }
