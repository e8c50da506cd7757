"""Declared architectures as torch modules; loaded only where weights are read or trained."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from evals.grading.architectures import Architecture
from evals.grading.decoder import Decoder


class Linear(nn.Linear):
    """Softmax regression: (batch, inputs) → (batch, classes) logits."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.flatten(1))


class Mlp(nn.Module):
    """Fully connected layers with ReLU between them."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(widths))

    def forward(self, x: Tensor) -> Tensor:  # (batch, inputs) → (batch, classes)
        *hidden, last = self.layers
        x = x.flatten(1)
        for layer in hidden:
            x = torch.relu(layer(x))
        return cast(Tensor, last(x))


class Cnn(nn.Module):
    """Convolutions with ReLU and halving, the mean over places, a linear head."""

    def __init__(self, channels: list[int], classes: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(channels))
        self.head = nn.Linear(channels[-1], classes)

    def forward(self, x: Tensor) -> Tensor:  # (batch, channels, height, width) → (batch, classes)
        for layer in self.convolutions:
            x = torch.relu(layer(x))
            x = functional.max_pool2d(x, 2) if min(x.shape[2:]) > 1 else x
        return cast(Tensor, self.head(x.mean(dim=(2, 3))))


def norm(width: int) -> nn.BatchNorm2d:
    """Batch normalisation without the counter of batches, which is no weight."""
    layer = nn.BatchNorm2d(width)
    layer.num_batches_tracked = None
    return layer


class Block(nn.Module):
    """A basic residual block."""

    def __init__(self, before: int, after: int, *, shortcut: bool) -> None:
        super().__init__()
        stride = 2 if shortcut else 1
        self.first = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.second = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.first_norm, self.second_norm = norm(after), norm(after)
        self.has_shortcut = shortcut
        if shortcut:
            self.shortcut = nn.Conv2d(before, after, 1, stride=stride, bias=False)
            self.shortcut_norm = norm(after)

    def forward(self, x: Tensor) -> Tensor:
        inner = torch.relu(self.first_norm(self.first(x)))
        inner = self.second_norm(self.second(inner))
        around = self.shortcut_norm(self.shortcut(x)) if self.has_shortcut else x
        return torch.relu(inner + around)


class ResNet(nn.Module):
    """A stem, stages of basic blocks, the mean over places, a linear head."""

    def __init__(self, image_channels: int, channels: list[int], blocks: int, *, classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(image_channels, channels[0], 3, padding=1, bias=False)
        self.stem_norm = norm(channels[0])
        before = [channels[0], *channels[:-1]]
        self.stages = nn.ModuleList(
            nn.ModuleList(
                Block(old if block == 0 else new, new, shortcut=stage > 0 and block == 0)
                for block in range(blocks)
            )
            for stage, (old, new) in enumerate(zip(before, channels, strict=True))
        )
        self.head = nn.Linear(channels[-1], classes)

    def forward(self, x: Tensor) -> Tensor:  # (batch, channels, height, width) → (batch, classes)
        x = torch.relu(self.stem_norm(self.stem(x)))
        for stage in self.stages:
            for block in cast(nn.ModuleList, stage):
                x = block(x)
        return cast(Tensor, self.head(x.mean(dim=(2, 3))))


class Layer(nn.Module):
    """One pre-norm transformer block."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:  # (batch, tokens, width)
        batch, tokens, width = x.shape
        mixed = self.mix(self.norm1(x)).view(batch, tokens, 3, self.heads, width // self.heads)
        query, key, value = mixed.permute(2, 0, 3, 1, 4)  # each (batch, heads, tokens, part)
        seen = functional.scaled_dot_product_attention(query, key, value)
        x = x + self.out(seen.transpose(1, 2).reshape(batch, tokens, width))
        return cast(Tensor, x + self.down(functional.gelu(self.up(self.norm2(x)))))


class Vit(nn.Module):
    """Patches and a class token through transformer blocks."""

    def __init__(self, sizes: dict[str, Any]) -> None:
        super().__init__()
        channels, height, across = sizes["inputs"]
        self.patch, width = sizes["patch"], sizes["width"]
        places = (height // self.patch) * (across // self.patch)
        self.patches = nn.Linear(channels * self.patch**2, width)
        self.token = nn.Parameter(torch.zeros(width))
        self.position = nn.Parameter(torch.randn(places + 1, width) / width**0.5)
        self.blocks = nn.ModuleList(Layer(width, sizes["heads"]) for _ in range(sizes["blocks"]))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, sizes["classes"])

    def forward(self, x: Tensor) -> Tensor:  # (batch, channels, height, width) → (batch, classes)
        cut = functional.unfold(x, self.patch, stride=self.patch).transpose(1, 2)
        tokens = self.patches(cut)
        first = self.token.expand(len(x), 1, -1)
        x = torch.cat([first, tokens], dim=1) + self.position
        for block in self.blocks:
            x = block(x)
        return cast(Tensor, self.head(self.norm(x[:, 0])))


BUILDERS: dict[str, Callable[[dict[str, Any]], nn.Module]] = {
    "linear": lambda sizes: Linear(sizes["inputs"], sizes["classes"]),
    "mlp": lambda sizes: Mlp([sizes["inputs"], *sizes["hidden"], sizes["classes"]]),
    "cnn": lambda sizes: Cnn([sizes["inputs"][0], *sizes["channels"]], sizes["classes"]),
    "resnet": lambda sizes: ResNet(
        sizes["inputs"][0], sizes["channels"], sizes["blocks"], classes=sizes["classes"]
    ),
    "vit": Vit,
    "decoder": Decoder,
}


def build(architecture: Architecture) -> nn.Module:
    """The module whose parameters have the declared names and shapes, at torch's initial values."""
    return BUILDERS[architecture.kind](architecture.sizes)
