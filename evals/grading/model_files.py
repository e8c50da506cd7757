"""The files of a model, in a folder or in a zip."""

from __future__ import annotations

import io
import stat
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from evals.grading.archives import Member, is_left_by_desktop, read_member
from evals.grading.limits import MEBIBYTE, Limits
from evals.grading.refusals import Refused

MAXIMUM_JSON_BYTES = 4 * MEBIBYTE
MAXIMUM_TOKENIZER_BYTES = 32 * MEBIBYTE


@dataclass(frozen=True)
class File:
    """One file of a model, wherever it lies."""

    size: int
    open: Callable[[], AbstractContextManager[BinaryIO]]

    def read(self, limit: int = MAXIMUM_JSON_BYTES) -> bytes:
        """A small file's bytes."""
        if self.size > limit:
            raise Refused("too-big", bytes=self.size, limit=limit)
        with self.open() as stream:
            return stream.read(limit)

    def read_all(self) -> bytes:
        """All of a file's bytes; archives have checked their sizes before."""
        with self.open() as stream:
            return stream.read(self.size)


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
        name = path.relative_to(folder).as_posix()
        if is_left_by_desktop(name):
            continue
        files[name] = File(path.stat().st_size, opener(path))
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


def weight_files(files: Files) -> dict[str, bytes]:
    """The bytes of the weights, shard by shard, for the jailed reader."""
    return {name: file.read_all() for name, file in files.items() if name.endswith(".safetensors")}
