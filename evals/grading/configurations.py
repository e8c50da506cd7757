"""Configurations of language models: strict JSON, known keys, sane sizes; the tensors that follow from them."""

from __future__ import annotations

from typing import Any

from evals.grading.architectures import Shapes
from evals.grading.limits import Limits
from evals.grading.refusals import Refused
from evals.grading.strict_json import parse_json

MODEL_TYPES = ("llama", "mistral")
CODE_KEYS = frozenset(
    ("auto_map", "_attn_implementation", "attn_implementation", "custom_pipelines", "custom_generate")
)
SIZES = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
MORE_SIZES = ("num_key_value_heads", "head_dim", "max_position_embeddings")
LARGEST_SIZE = 1 << 32
SWITCHES = ("attention_bias", "mlp_bias", "tie_word_embeddings", "use_cache")
NUMBERS = ("rms_norm_eps", "rope_theta", "initializer_range", "attention_dropout", "pretraining_tp")
# Read by other tools or only descriptive: their values are ignored, never followed.
IGNORED = [
    "architectures",
    "model_type",
    "_name_or_path",
    "base_model_name_or_path",
    "dtype",
    "torch_dtype",
    "transformers_version",
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "hidden_act",
    "rope_parameters",
    "rope_scaling",
    "sliding_window",
    "is_llama_config",
    "rope_interleaved",
]
KNOWN_KEYS = frozenset((*SIZES, *MORE_SIZES, *SWITCHES, *NUMBERS, *IGNORED))


def check_config(text: bytes, limits: Limits) -> dict[str, Any]:
    """A configuration that can be built in code, without following anything that it names."""
    config = parse_json(text, code="bad-config")
    if not isinstance(config, dict):
        raise Refused("bad-config")
    if CODE_KEYS & set(config):
        raise Refused("remote-code")
    if set(config) - KNOWN_KEYS or config.get("model_type") not in MODEL_TYPES:
        raise Refused("bad-config")
    check_sizes(config)
    check_values(config)
    parameters = count_parameters(config)
    if parameters > limits.max_parameters:
        raise Refused("too-many-parameters", parameters=parameters, limit=limits.max_parameters)
    return config


def check_sizes(config: dict[str, Any]) -> None:
    """Sizes are whole numbers above zero, and the heads share the width evenly."""
    for name in (*SIZES, *MORE_SIZES):
        value = config.get(name)
        if value is None and name in MORE_SIZES:
            continue
        if type(value) is not int or not 0 < value <= LARGEST_SIZE:
            raise Refused("bad-config", names=(name,))
    heads = config["num_attention_heads"]
    if config["hidden_size"] % heads or heads % (config.get("num_key_value_heads") or heads):
        raise Refused("bad-config", names=("num_attention_heads",))


def check_values(config: dict[str, Any]) -> None:
    """Switches are truth values, numbers are numbers, the activation is the one that the code has."""
    for name in SWITCHES:
        if not isinstance(config.get(name, False), bool):
            raise Refused("bad-config", names=(name,))
    for name in NUMBERS:
        value = config.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise Refused("bad-config", names=(name,))
    if config.get("hidden_act", "silu") != "silu" or config.get("rope_scaling") is not None:
        raise Refused("bad-config", names=("hidden_act and rope_scaling must be the plain ones",))
    rope = config.get("rope_parameters", {})
    if not isinstance(rope, dict) or rope.get("rope_type", "default") != "default":
        raise Refused("bad-config", names=("rope_parameters",))


def count_parameters(config: dict[str, Any]) -> int:
    """The parameters by arithmetic alone, before any list of tensors is made."""
    width, inner = config["hidden_size"], config["intermediate_size"]
    queries, keys = head_widths(config)
    layer = 2 * width * queries + 2 * width * keys + 3 * width * inner + 2 * width
    embeddings = config["vocab_size"] * width * (1 if config.get("tie_word_embeddings") else 2)
    return int(config["num_hidden_layers"] * layer + embeddings + width)


def head_widths(config: dict[str, Any]) -> tuple[int, int]:
    """Total width of the queries, and of the keys."""
    heads = config["num_attention_heads"]
    size = config.get("head_dim") or config["hidden_size"] // heads
    return heads * size, (config.get("num_key_value_heads") or heads) * size


def wanted_tensors(config: dict[str, Any]) -> Shapes:
    """Name → shape of every tensor of this model."""
    width, vocabulary = config["hidden_size"], config["vocab_size"]
    shapes: Shapes = {"model.embed_tokens.weight": (vocabulary, width), "model.norm.weight": (width,)}
    if not config.get("tie_word_embeddings"):
        shapes["lm_head.weight"] = (vocabulary, width)
    for layer in range(config["num_hidden_layers"]):
        for name, shape in layer_tensors(config).items():
            shapes[f"model.layers.{layer}.{name}"] = shape
    return shapes


def layer_tensors(config: dict[str, Any]) -> Shapes:
    """One decoder layer."""
    width, inner = config["hidden_size"], config["intermediate_size"]
    queries, keys = head_widths(config)
    shapes: Shapes = {
        "input_layernorm.weight": (width,),
        "post_attention_layernorm.weight": (width,),
        "self_attn.q_proj.weight": (queries, width),
        "self_attn.k_proj.weight": (keys, width),
        "self_attn.v_proj.weight": (keys, width),
        "self_attn.o_proj.weight": (width, queries),
        "mlp.gate_proj.weight": (inner, width),
        "mlp.up_proj.weight": (inner, width),
        "mlp.down_proj.weight": (width, inner),
    }
    biased = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"]
    biased = biased if config.get("attention_bias") else []
    if config.get("mlp_bias"):
        biased += ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"]
    return shapes | {f"{name}.bias": shapes[f"{name}.weight"][:1] for name in biased}
