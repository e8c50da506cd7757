"""Declared corruptions of the public inputs, for robustness: seeded on the host, the same on every device."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Inputs = NDArray[np.float32]
Corruption = Callable[[Inputs, np.random.Generator], NDArray[np.floating]]


def noise(x: Inputs, rng: np.random.Generator) -> NDArray[np.floating]:
    """Gaussian noise of a fifth of the inputs' spread."""
    return x + rng.normal(0, 0.2 * float(x.std()), x.shape)


def dropout(x: Inputs, rng: np.random.Generator) -> NDArray[np.floating]:
    """One number in ten set to zero."""
    return np.where(rng.random(x.shape) < 0.1, 0, x)


def contrast(x: Inputs, rng: np.random.Generator) -> NDArray[np.floating]:
    """Everything halfway to each item's middle."""
    middle = x.mean(axis=tuple(range(1, x.ndim)), keepdims=True)
    return np.asarray((x + middle) / 2)


def brightness(x: Inputs, rng: np.random.Generator) -> NDArray[np.floating]:
    """Half of the inputs' spread added to everything."""
    return np.asarray(x + 0.5 * x.std())


CORRUPTIONS: dict[str, Corruption] = {
    "noise": noise,
    "dropout": dropout,
    "contrast": contrast,
    "brightness": brightness,
}


def corrupted(x: Inputs, name: str, *, seed: int) -> Inputs:
    """The inputs under one declared corruption."""
    rng = np.random.Generator(np.random.Philox(seed))
    return CORRUPTIONS[name](x, rng).astype(np.float32)
