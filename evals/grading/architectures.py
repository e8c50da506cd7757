"""Architectures that a benchmark declares: exact parameter names and shapes, known without torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

MAXIMUM_WIDTH = 65_536
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Architecture:
    """One declared network: its kind and the sizes that fix every parameter."""

    name: str
    kind: str
    sizes: dict[str, Any]

    def parameters(self) -> Shapes:
        """Name → shape of every tensor that its weights file must hold."""
        return KINDS[self.kind](self.sizes)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for the frame that tells the jailed reader what to build."""
        return {"name": self.name, "kind": self.kind, **self.sizes}


def architecture(values: dict[str, Any]) -> Architecture:
    """An architecture from a benchmark's table.

    >>> architecture({"kind": "linear", "inputs": 64, "classes": 10}).parameters()
    {'weight': (10, 64), 'bias': (10,)}
    """
    sizes = dict(values)
    kind = sizes.pop("kind", None)
    if kind not in KINDS:
        raise ValueError(f"An architecture's kind must be one of {', '.join(KINDS)}.")
    name = str(sizes.pop("name", kind))
    found = Architecture(name, kind, sizes)
    for parameter, shape in found.parameters().items():
        if not all(type(size) is int and 0 < size <= MAXIMUM_WIDTH for size in shape):
            raise ValueError(f"The architecture {name} gives {parameter} an impossible shape.")
    return found


def needed(sizes: dict[str, Any], *names: str) -> list[Any]:
    """The values under these names, and no others."""
    if set(sizes) != set(names):
        raise ValueError(f"An architecture of this kind declares exactly {', '.join(names)}.")
    return [sizes[name] for name in names]


def linear(sizes: dict[str, Any]) -> Shapes:
    """Softmax regression."""
    inputs, classes = needed(sizes, "inputs", "classes")
    return {"weight": (classes, inputs), "bias": (classes,)}


def mlp(sizes: dict[str, Any]) -> Shapes:
    """Fully connected layers with ReLU between them: layers.0 … layers.k."""
    inputs, hidden, classes = needed(sizes, "inputs", "hidden", "classes")
    if not isinstance(hidden, list) or not hidden:
        raise ValueError("An mlp declares hidden as a list of layer widths, e.g. [64].")
    shapes: Shapes = {}
    for layer, (before, after) in enumerate(pairwise([inputs, *hidden, classes])):
        shapes[f"layers.{layer}.weight"] = (after, before)
        shapes[f"layers.{layer}.bias"] = (after,)
    return shapes


KINDS: dict[str, Callable[[dict[str, Any]], Shapes]] = {"linear": linear, "mlp": mlp}
