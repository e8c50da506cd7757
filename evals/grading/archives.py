"""Zip archives, walked by our own bounded reader: every check before any byte is unpacked."""

from __future__ import annotations

import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath
from typing import BinaryIO

from evals.grading.limits import MEBIBYTE, Limits
from evals.grading.refusals import Refused
from evals.grading.sniffing import SNIFF_BYTES, sniff

END_RECORD = struct.Struct("<4s4H2IH")
LOCAL_HEADER = struct.Struct("<4s5H3I2H")
MAXIMUM_COMMENT = 1 << 16
MAXIMUM_RATIO = 100
SMALL_ENOUGH = 16 * MEBIBYTE
STORED, DEFLATED = 0, 8
ENCRYPTED, SIZES_FOLLOW, ELSEWHERE = 1, 1 << 3, 0xFFFFFFFF
# What a desktop leaves beside the files that somebody packed.
LEFT_BY_DESKTOPS = frozenset((".DS_Store", "Thumbs.db", "desktop.ini"))
WRAPPED_FORMATS = frozenset(("csv", "jsonl", "npz", "parquet", "safetensors"))
MAXIMUM_PATH = 255
PLAIN_PATH = re.compile(r"[\w .+()=@,-]+(/[\w .+()=@,-]+)*/?", re.ASCII)


@dataclass(frozen=True)
class Member:
    """One file of an archive, its place checked."""

    name: str
    start: int
    packed: int
    size: int
    method: int
    checksum: int


def zip_members(stream: BinaryIO, limits: Limits) -> list[Member]:
    """The files of a zip, refused where names, links, sizes or places are not honest."""
    count = declared_count(stream, limits)
    entries = central_directory(stream)
    if len(entries) != count:
        raise Refused("bad-archive")
    check_places(entries)
    check_names(entries)
    check_sizes(entries, limits)
    members = [located(stream, entry) for entry in entries if not entry.is_dir()]
    check_overlap(members)
    return [member for member in members if not is_left_by_desktop(member.name)]


def is_left_by_desktop(name: str) -> bool:
    """Whether a file says how a folder was shown, which nobody sent and nothing reads."""
    path = PurePosixPath(name)
    return path.name in LEFT_BY_DESKTOPS or path.parts[0] == "__MACOSX"


def declared_count(stream: BinaryIO, limits: Limits) -> int:
    """The end record's count of entries, read before anything is parsed."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - MAXIMUM_COMMENT - END_RECORD.size))
    tail = stream.read()
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < END_RECORD.size:
        raise Refused("bad-archive")
    record = END_RECORD.unpack_from(tail, place)
    if record[4] > max(limits.max_files, 1024):
        raise Refused("too-many-files", files=record[4])
    return int(record[4])


def central_directory(stream: BinaryIO) -> list[zipfile.ZipInfo]:
    """The entries that the archive declares."""
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as archive:
            return archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error) as error:
        raise Refused("bad-archive") from error


def check_places(entries: list[zipfile.ZipInfo]) -> None:
    """No entry starts within another's packed bytes, by the directory alone."""
    ordered = sorted((entry.header_offset, entry.compress_size) for entry in entries)
    if ordered and ordered[0][0] < 0:
        raise Refused("bad-archive")
    if any(start + size > after for (start, size), (after, _) in pairwise(ordered)):
        raise Refused("overlapping-entries")


def check_names(entries: list[zipfile.ZipInfo]) -> None:
    """Plain relative names, each once even where case does not count; no links, no devices."""
    seen: set[str] = set()
    for entry in entries:
        check_path(entry.orig_filename)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind == stat.S_IFLNK:
            raise Refused("link-entry")
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise Refused("special-entry")
        key = unicodedata.normalize("NFKC", entry.filename).casefold()
        if key in seen:
            raise Refused("duplicate-name")
        seen.add(key)


def check_path(name: str) -> None:
    """A path that stays inside its folder, has one spelling and can be shown as it is."""
    if len(name) > MAXIMUM_PATH or not PLAIN_PATH.fullmatch(name) or {".", ".."} & set(name.split("/")):
        raise Refused("bad-path")


def check_sizes(entries: list[zipfile.ZipInfo], limits: Limits) -> None:
    """Declared sizes within the limits, by total and by ratio."""
    total = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if total > limits.max_unpacked_bytes or (total > SMALL_ENOUGH and total > MAXIMUM_RATIO * packed):
        raise Refused("too-big-unpacked", limit=limits.max_unpacked_bytes)
    for entry in entries:
        if entry.flag_bits & ENCRYPTED or entry.compress_type not in (STORED, DEFLATED):
            raise Refused("bad-archive")
        if entry.compress_type == STORED and entry.file_size != entry.compress_size:
            raise Refused("size-mismatch")


def located(stream: BinaryIO, entry: zipfile.ZipInfo) -> Member:
    """An entry with the place of its bytes, by its own header, which must agree with the directory."""
    stream.seek(entry.header_offset)
    head = stream.read(LOCAL_HEADER.size)
    if len(head) < LOCAL_HEADER.size or head[:4] != b"PK\x03\x04":
        raise Refused("bad-archive")
    fields = LOCAL_HEADER.unpack(head)
    name = stream.read(fields[9])
    if name != entry.orig_filename.encode("utf-8" if fields[2] & 0x800 else "cp437"):
        raise Refused("bad-archive")
    sizes = (fields[7], fields[8])
    stated = not fields[2] & SIZES_FOLLOW and sizes != (ELSEWHERE, ELSEWHERE)
    if (
        fields[2] & ENCRYPTED
        or fields[3] != entry.compress_type
        or (stated and sizes != (entry.compress_size, entry.file_size))
    ):
        raise Refused("bad-archive")
    start = entry.header_offset + LOCAL_HEADER.size + fields[9] + fields[10]
    return Member(entry.filename, start, entry.compress_size, entry.file_size, entry.compress_type, entry.CRC)


def check_overlap(members: list[Member]) -> None:
    """No two members share bytes."""
    ordered = sorted(members, key=lambda member: member.start)
    for before, after in pairwise(ordered):
        if before.start + before.packed > after.start:
            raise Refused("overlapping-entries")


def read_member(stream: BinaryIO, member: Member, *, limit: int | None = None) -> bytes:
    """A member's bytes, or the first ``limit`` of them; never more than it declares."""
    wanted = member.size if limit is None else min(limit, member.size)
    stream.seek(member.start)
    data = stream.read(wanted) if member.method == STORED else inflate(stream, member, wanted)
    if len(data) != wanted:
        raise Refused("size-mismatch")
    if limit is None and zlib.crc32(data) != member.checksum:
        raise Refused("size-mismatch")
    return data


def kind_inside(stream: BinaryIO, member: Member) -> str:
    """The format of a zip's one file, by its first bytes and name."""
    kind = sniff(read_member(stream, member, limit=SNIFF_BYTES), member.name)
    if kind not in WRAPPED_FORMATS:
        raise Refused("unsafe-format" if kind == "zip" else "unexpected-file")
    return kind


def inflate(stream: BinaryIO, member: Member, wanted: int) -> bytes:
    """Deflated bytes, stopping one past what is wanted so that a lie about the size is seen."""
    unpacker = zlib.decompressobj(-15)
    parts: list[bytes] = []
    left, missing = member.packed, wanted + 1
    try:
        while left > 0 and missing > 0 and (chunk := stream.read(min(left, MEBIBYTE))):
            left -= len(chunk)
            part = unpacker.decompress(chunk, missing)
            parts.append(part)
            missing -= len(part)
    except zlib.error as error:
        raise Refused("bad-archive") from error
    data = b"".join(parts)
    if len(data) > member.size:
        raise Refused("size-mismatch")
    return data[:wanted]
