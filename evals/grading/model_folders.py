"""Model folders and zips of them: every file known by name, configuration and weights read strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from evals.grading.archives import check_path
from evals.grading.configurations import check_config, wanted_tensors
from evals.grading.limits import Limits
from evals.grading.model_files import MAXIMUM_TOKENIZER_BYTES, Files
from evals.grading.refusals import Refused
from evals.grading.sniffing import UNSAFE_SUFFIXES
from evals.grading.strict_json import parse_json
from evals.grading.tokenizers import probe_template, probe_tokenizer
from evals.grading.weights import Tensor, check_finite, check_names_and_shapes, parse_safetensors

CONFIG, INDEX, WEIGHTS = "config.json", "model.safetensors.index.json", "model.safetensors"
TOKENIZER, TOKENIZER_CONFIG, TEMPLATE = "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"
JSON_FILES = ("generation_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json")
OTHER_FILES = (".gitattributes", "README.md", "LICENSE", "LICENSE.txt", "LICENSE.md", "merges.txt")
KNOWN_FILES = frozenset(
    (CONFIG, INDEX, WEIGHTS, TOKENIZER, TOKENIZER_CONFIG, TEMPLATE, *JSON_FILES, *OTHER_FILES)
)
SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors", re.ASCII)


@dataclass(frozen=True)
class Model:
    """A model folder whose every file was checked."""

    config: dict[str, Any]
    tensors: dict[str, Tensor]

    @property
    def facts(self) -> dict[str, Any]:
        """What intake tells of it."""
        parameters = sum(tensor.count for tensor in self.tensors.values())
        return {
            "model_type": self.config["model_type"],
            "tensors": len(self.tensors),
            "parameters": parameters,
        }


def inspect_files(files: Files, limits: Limits, *, deep: bool = True) -> Model:
    """A model, each of its files checked; refusals in the order of how bad they are.

    Only ``deep`` looks at every number and tries the tokenizer.
    """
    check_names(files)
    if CONFIG not in files:
        raise Refused("bad-config", names=("config.json is missing",))
    config = check_config(files[CONFIG].read(), limits)
    settings = tokenizer_settings(files)
    for name in JSON_FILES:
        if name in files:
            parse_json(files[name].read(), code="bad-config")
    tensors = check_weights(files, config, limits, deep=deep)
    if deep:
        check_tokenizer(files, settings, config)
    return Model(config, tensors)


def check_names(files: Files) -> None:
    """Only files that a model needs; code and adapters have codes of their own."""
    for name in files:
        check_path(name)
        suffix = PurePosixPath(name).suffix
        if suffix == ".py" or name.startswith("custom_generate/"):
            raise Refused("remote-code")
        if PurePosixPath(name).name.startswith("adapter_"):
            raise Refused("remote-base")
        if suffix in UNSAFE_SUFFIXES:
            raise Refused("unsafe-format")
        if name not in KNOWN_FILES and not SHARD.fullmatch(name):
            raise Refused("unexpected-file")


def tokenizer_settings(files: Files) -> dict[str, Any]:
    """The tokenizer's configuration, which may not ask for code."""
    if TOKENIZER_CONFIG not in files:
        return {}
    settings = parse_json(files[TOKENIZER_CONFIG].read(), code="bad-config")
    if not isinstance(settings, dict):
        raise Refused("bad-config")
    if "auto_map" in settings:
        raise Refused("remote-code")
    return settings


def check_weights(files: Files, config: dict[str, Any], limits: Limits, *, deep: bool) -> dict[str, Tensor]:
    """Exactly the tensors of the configuration, in one file or in shards, all finite."""
    places = shard_places(files)
    wanted = set(places.values()) if places else {WEIGHTS}
    check_shards(files, wanted)
    tensors: dict[str, Tensor] = {}
    for name in sorted(wanted):
        with files[name].open() as stream:
            found = parse_safetensors(stream, files[name].size, limits)
            if places and any(places.get(tensor) != name for tensor in found):
                raise Refused("unexpected-tensors")
            tensors |= found
            if deep:
                check_finite(stream, found)
    if places and set(places) != set(tensors):
        raise Refused("missing-tensors", count=len(set(places) - set(tensors)))
    check_names_and_shapes(tensors, wanted_tensors(config))
    return tensors


def check_shards(files: Files, wanted: set[str]) -> None:
    """Every file of weights that is named, and none that would be loaded without having been checked."""
    if wanted - set(files):
        raise Refused("missing-tensors")
    if {name for name in files if name.endswith(".safetensors")} - wanted:
        raise Refused("unexpected-file")


def shard_places(files: Files) -> dict[str, str]:
    """Tensor → shard by the index, or nothing where there is one file."""
    if INDEX not in files:
        return {}
    index = parse_json(files[INDEX].read(), code="bad-header")
    places = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(places, dict) or not places:
        raise Refused("bad-header")
    for name in places.values():
        if not isinstance(name, str) or not (SHARD.fullmatch(name) or name == WEIGHTS):
            raise Refused("bad-path")
    return places


def check_tokenizer(files: Files, settings: dict[str, Any], config: dict[str, Any]) -> None:
    """Tokenizer and chat template are programs: they are tried in the jail."""
    template = settings.get("chat_template")
    if TEMPLATE in files:
        template = files[TEMPLATE].read().decode("utf-8", "replace")
    if template is not None:
        if not isinstance(template, str):
            raise Refused("bad-template")
        probe_template(template, settings)
    if TOKENIZER in files:
        probe_tokenizer(files[TOKENIZER].read(MAXIMUM_TOKENIZER_BYTES), vocabulary=config["vocab_size"])
