"""Declared architectures as torch modules; loaded only where weights are read or trained."""

from __future__ import annotations

import itertools
from typing import cast

import torch
from torch import Tensor, nn

from evals.grading.architectures import Architecture


class Linear(nn.Linear):
    """Softmax regression: (batch, inputs) → (batch, classes) logits."""


class Mlp(nn.Module):
    """Fully connected layers with ReLU between them."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        pairs = itertools.pairwise(widths)
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in pairs)

    def forward(self, x: Tensor) -> Tensor:  # (batch, inputs) → (batch, classes)
        *hidden, last = self.layers
        for layer in hidden:
            x = torch.relu(layer(x))
        return cast(Tensor, last(x))


def build(architecture: Architecture) -> nn.Module:
    """The module whose parameters have the declared names and shapes, at torch's initial values."""
    sizes = architecture.sizes
    if architecture.kind == "linear":
        return Linear(sizes["inputs"], sizes["classes"])
    return Mlp([sizes["inputs"], *sizes["hidden"], sizes["classes"]])
