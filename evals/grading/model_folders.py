"""Model folders and zips of them: every file known by name, configuration and weights read strictly."""

from __future__ import annotations

import io
import re
import stat
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from evals.grading.archives import Member, check_path, read_member
from evals.grading.configurations import check_config, wanted_tensors
from evals.grading.limits import MEBIBYTE, Limits
from evals.grading.refusals import Refused
from evals.grading.sniffing import UNSAFE_SUFFIXES
from evals.grading.strict_json import parse_json
from evals.grading.tokenizers import probe_template, probe_tokenizer
from evals.grading.weights import Tensor, check_finite, check_names_and_shapes, parse_safetensors

CONFIG, INDEX, WEIGHTS = "config.json", "model.safetensors.index.json", "model.safetensors"
TOKENIZER, TOKENIZER_CONFIG, TEMPLATE = "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"
JSON_FILES = ("generation_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json")
OTHER_FILES = ("README.md", "LICENSE", "LICENSE.txt", "merges.txt")
KNOWN_FILES = frozenset(
    (CONFIG, INDEX, WEIGHTS, TOKENIZER, TOKENIZER_CONFIG, TEMPLATE, *JSON_FILES, *OTHER_FILES)
)
SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors", re.ASCII)
MAXIMUM_JSON_BYTES = 32 * MEBIBYTE


@dataclass(frozen=True)
class File:
    """One file of a model, wherever it lies."""

    size: int
    open: Callable[[], AbstractContextManager[BinaryIO]]

    def read(self) -> bytes:
        """A small file's bytes."""
        if self.size > MAXIMUM_JSON_BYTES:
            raise Refused("too-big", bytes=self.size, limit=MAXIMUM_JSON_BYTES)
        with self.open() as stream:
            return stream.read(MAXIMUM_JSON_BYTES)


Files = Mapping[str, File]


def folder_files(folder: Path, limits: Limits) -> dict[str, File]:
    """The files of a folder, links and devices refused."""
    files: dict[str, File] = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise Refused("link-entry")
        if stat.S_ISDIR(mode):
            continue
        if not stat.S_ISREG(mode):
            raise Refused("special-entry")
        files[path.relative_to(folder).as_posix()] = File(path.stat().st_size, opener(path))
        if len(files) > limits.max_files:
            raise Refused("too-many-files", limit=limits.max_files)
    return files


def opener(path: Path) -> Callable[[], AbstractContextManager[BinaryIO]]:
    """How to open a file of a folder."""
    return lambda: path.open("rb")


def zip_files(stream: BinaryIO, members: list[Member], limits: Limits) -> dict[str, File]:
    """The files of a zip, unpacked into memory one at a time; one common folder at the top is left out."""
    if len(members) > limits.max_files:
        raise Refused("too-many-files", files=len(members), limit=limits.max_files)
    tops = {PurePosixPath(member.name).parts[0] for member in members}
    cut = len(tops.pop()) + 1 if len(tops) == 1 and all("/" in member.name for member in members) else 0
    return {member.name[cut:]: File(member.size, unpacker(stream, member)) for member in members}


def unpacker(stream: BinaryIO, member: Member) -> Callable[[], AbstractContextManager[BinaryIO]]:
    """How to open a member of a zip."""
    return lambda: io.BytesIO(read_member(stream, member))


def inspect_files(files: Files, limits: Limits) -> dict[str, Any]:
    """Facts about a model, each of its files checked; refusals in the order of how bad they are."""
    check_names(files)
    if CONFIG not in files:
        raise Refused("bad-config", names=("config.json is missing",))
    config = check_config(files[CONFIG].read(), limits)
    settings = tokenizer_settings(files)
    for name in JSON_FILES:
        if name in files:
            parse_json(files[name].read(), code="bad-config")
    tensors = check_weights(files, config, limits)
    check_tokenizer(files, settings, config)
    parameters = sum(tensor.count for tensor in tensors.values())
    return {"model_type": config["model_type"], "tensors": len(tensors), "parameters": parameters}


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


def check_weights(files: Files, config: dict[str, Any], limits: Limits) -> dict[str, Tensor]:
    """Exactly the tensors of the configuration, in one file or in shards, all finite."""
    places = shard_places(files)
    tensors: dict[str, Tensor] = {}
    for name in sorted(set(places.values()) if places else {WEIGHTS}):
        if name not in files:
            raise Refused("missing-tensors")
        with files[name].open() as stream:
            found = parse_safetensors(stream, files[name].size, limits)
            if places and any(places.get(tensor) != name for tensor in found):
                raise Refused("unexpected-tensors")
            tensors |= found
            check_finite(stream, found)
    if places and set(places) != set(tensors):
        raise Refused("missing-tensors", count=len(set(places) - set(tensors)))
    check_names_and_shapes(tensors, wanted_tensors(config))
    return tensors


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
    if TOKENIZER in files:
        probe_tokenizer(files[TOKENIZER].read(), vocabulary=config["vocab_size"])
    template = settings.get("chat_template")
    if TEMPLATE in files:
        template = files[TEMPLATE].read().decode("utf-8", "replace")
    if template is not None:
        if not isinstance(template, str):
            raise Refused("bad-template")
        probe_template(template, settings)
