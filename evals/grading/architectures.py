"""Architectures that a benchmark declares: exact parameter names and shapes, known without torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

MAXIMUM_WIDTH = 1 << 20
MAXIMUM_LAYERS = 128
LARGEST_NUMBER = 1e12
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
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"An architecture's kind must be one of {', '.join(KINDS)}.")
    name = str(sizes.pop("name", kind))
    check_plain(sizes)
    found = Architecture(name, kind, sizes)
    for parameter, shape in found.parameters().items():
        if not all(type(size) is int and 0 < size <= MAXIMUM_WIDTH for size in shape):
            raise ValueError(f"The architecture {name} gives {parameter} an impossible shape.")
    return found


def check_plain(sizes: dict[str, Any]) -> None:
    """Sizes are whole numbers above zero, or lists of whole numbers, so that one can reckon with them."""
    for name, value in sizes.items():
        if name == "tied":
            is_plain = isinstance(value, bool)
        elif name in ("eps", "theta"):
            is_plain = type(value) in (int, float) and 0 < value < LARGEST_NUMBER
        elif isinstance(value, list):
            is_plain = all(type(entry) is int and 0 <= entry <= MAXIMUM_WIDTH for entry in value)
        else:
            is_plain = type(value) is int and 0 < value <= MAXIMUM_WIDTH
        if not is_plain:
            raise ValueError(f"An architecture's {name} is not a size that it can have.")


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


def image(sizes: dict[str, Any]) -> tuple[int, int, int]:
    """Channels, height and width of the inputs."""
    shape = sizes["inputs"]
    if (
        not isinstance(shape, list)
        or len(shape) != 3
        or not all(type(size) is int and size > 0 for size in shape)
    ):
        raise ValueError("An architecture for images declares inputs as [channels, height, width].")
    return shape[0], shape[1], shape[2]


def widths(values: Any) -> list[int]:
    """A short list of layer widths."""
    if not isinstance(values, list) or not 0 < len(values) <= MAXIMUM_LAYERS:
        raise ValueError(f"Layer widths are a list of 1 to {MAXIMUM_LAYERS} whole numbers.")
    return values


def depth(value: Any) -> int:
    """A sane number of blocks."""
    if type(value) is not int or not 0 < value <= MAXIMUM_LAYERS:
        raise ValueError(f"The number of blocks is a whole number from 1 to {MAXIMUM_LAYERS}.")
    return value


def dense(name: str, before: int, after: int) -> Shapes:
    """A fully connected layer's parameters."""
    return {f"{name}.weight": (after, before), f"{name}.bias": (after,)}


def cnn(sizes: dict[str, Any]) -> Shapes:
    """3 x 3 convolutions, each with ReLU and halving, then the mean over places and a linear head."""
    _, channels, classes = needed(sizes, "inputs", "channels", "classes")
    shapes: Shapes = {}
    for layer, (before, after) in enumerate(pairwise([image(sizes)[0], *widths(channels)])):
        shapes[f"convolutions.{layer}.weight"] = (after, before, 3, 3)
        shapes[f"convolutions.{layer}.bias"] = (after,)
    return shapes | dense("head", channels[-1], classes)


def batch_norm(name: str, width: int) -> Shapes:
    """A batch normalisation with its running statistics."""
    return {f"{name}.{part}": (width,) for part in ("weight", "bias", "running_mean", "running_var")}


def resnet(sizes: dict[str, Any]) -> Shapes:
    """A residual network: a stem, stages of basic blocks that halve from the second on, a linear head."""
    _, channels, blocks, classes = needed(sizes, "inputs", "channels", "blocks", "classes")
    stages = widths(channels)
    shapes: Shapes = {"stem.weight": (stages[0], image(sizes)[0], 3, 3), **batch_norm("stem_norm", stages[0])}
    before = stages[0]
    for stage, after in enumerate(stages):
        for block in range(depth(blocks)):
            shapes |= basic_block(f"stages.{stage}.{block}", before, after, shortcut=stage > 0 and block == 0)
            before = after
    return shapes | dense("head", before, classes)


def basic_block(name: str, before: int, after: int, *, shortcut: bool) -> Shapes:
    """Two convolutions with their norms, and a projection where the size changes."""
    shapes: Shapes = {
        f"{name}.first.weight": (after, before, 3, 3),
        f"{name}.second.weight": (after, after, 3, 3),
    }
    shapes |= batch_norm(f"{name}.first_norm", after) | batch_norm(f"{name}.second_norm", after)
    if shortcut:
        shapes |= {
            f"{name}.shortcut.weight": (after, before, 1, 1),
            **batch_norm(f"{name}.shortcut_norm", after),
        }
    return shapes


def vit(sizes: dict[str, Any]) -> Shapes:
    """A vision transformer: patches, a class token, pre-norm blocks, a linear head on the token."""
    _, patch, width, blocks, heads, classes = needed(
        sizes, "inputs", "patch", "width", "blocks", "heads", "classes"
    )
    channels, height, across = image(sizes)
    if height % patch or across % patch or width % heads:
        raise ValueError("A vit's patch must divide the image, and its heads must divide the width.")
    places = (height // patch) * (across // patch)
    shapes: Shapes = {"token": (width,), "position": (places + 1, width)}
    shapes |= dense("patches", channels * patch * patch, width)
    for block in range(depth(blocks)):
        name = f"blocks.{block}"
        shapes |= {
            f"{name}.{norm}.{part}": (width,) for norm in ("norm1", "norm2") for part in ("weight", "bias")
        }
        shapes |= dense(f"{name}.mix", width, 3 * width) | dense(f"{name}.out", width, width)
        shapes |= dense(f"{name}.up", width, 4 * width) | dense(f"{name}.down", 4 * width, width)
    return shapes | {"norm.weight": (width,), "norm.bias": (width,)} | dense("head", width, classes)


def decoder(sizes: dict[str, Any]) -> Shapes:
    """A decoder language model of the Llama kind, its tensors named as transformers names them."""
    vocabulary, width, inner, blocks, heads, key_heads, tied, answers, *_ = needed(sizes, *DECODER_SIZES)
    if width % heads or heads % key_heads or (width // heads) % 2:
        raise ValueError("A decoder's heads must divide its width into even parts, its key_heads its heads.")
    if not isinstance(answers, list) or not all(
        type(token) is int and 0 <= token < vocabulary for token in answers
    ):
        raise ValueError("A decoder's answers are the token of each class, all below its vocabulary.")
    keys = width // heads * key_heads
    shapes: Shapes = {"model.embed_tokens.weight": (vocabulary, width), "model.norm.weight": (width,)}
    for block in range(depth(blocks)):
        name = f"model.layers.{block}"
        shapes |= {
            f"{name}.{norm}.weight": (width,) for norm in ("input_layernorm", "post_attention_layernorm")
        }
        for part, rows in (("q", width), ("k", keys), ("v", keys), ("o", width)):
            shapes[f"{name}.self_attn.{part}_proj.weight"] = (rows, width)
        for part, shape in (("gate", (inner, width)), ("up", (inner, width)), ("down", (width, inner))):
            shapes[f"{name}.mlp.{part}_proj.weight"] = shape
    return shapes if tied else shapes | {"lm_head.weight": (vocabulary, width)}


DECODER_SIZES = (
    "vocabulary",
    "width",
    "inner",
    "blocks",
    "heads",
    "key_heads",
    "tied",
    "answers",
    "eps",
    "theta",
)
KINDS: dict[str, Callable[[dict[str, Any]], Shapes]] = {
    "linear": linear,
    "mlp": mlp,
    "cnn": cnn,
    "resnet": resnet,
    "vit": vit,
    "decoder": decoder,
}
