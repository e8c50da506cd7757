"""What a file is, judged by its first bytes and the format its name claims; usable while it still streams in."""

from __future__ import annotations

import re
from pathlib import PurePath

from evals.grading.refusals import Refused

SNIFF_BYTES = 512
TEXT_FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".json": "json", ".md": "text", ".txt": "text"}
UNSAFE_SUFFIXES = frozenset(
    [
        ".pkl",
        ".pickle",
        ".joblib",
        ".pt",
        ".pth",
        ".bin",
        ".ckpt",
        ".pt2",
        ".npy",
        ".gguf",
        ".ggml",
        ".h5",
        ".keras",
        ".tar",
        ".tgz",
        ".gz",
        ".bz2",
        ".xz",
        ".zst",
        ".7z",
        ".rar",
        ".yaml",
        ".yml",
        ".xml",
        ".html",
        ".svg",
        ".py",
        ".so",
        ".exe",
        ".onnx",
        ".msgpack",
        ".dill",
        ".cloudpickle",
    ]
)
UNSAFE_MAGIC = (
    b"GGUF",
    b"\x93NUMPY",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"\x28\xb5\x2f\xfd",
    b"7z\xbc\xaf",
    b"Rar!",
    b"\x89HDF",
    b"\x7fELF",
    b"MZ",
    b"%PDF",
    b"<?xml",
    b"\xca\xfe\xba\xbe",
)
ZLIB_MAGIC = (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda")
PICKLE_MAGIC = re.compile(
    rb"\x80[\x02-\x05]|\([dl]p\d+\n|[(c\]}]?c(os|posix|nt|builtins|__builtin__|torch[\w.]*|numpy[\w.]*)\n"
)
JSON_START = re.compile(rb"\s*\{")


def sniff(first_bytes: bytes, filename: str = "") -> str:
    """The format of a file that starts so: csv, jsonl, json, text, npz, parquet, safetensors or zip.

    Refuses what no reader here opens. ``first_bytes`` needs ``SNIFF_BYTES`` of the file, or all of it.

    >>> sniff(b"id,pred\\n1,0\\n", "answers.csv")
    'csv'
    """
    suffix = PurePath(filename.lower()).suffix
    if suffix == ".safetensors":
        return "safetensors"
    if not first_bytes:
        raise Refused("empty")
    if suffix in UNSAFE_SUFFIXES or has_unsafe_magic(first_bytes, suffix):
        raise Refused("unsafe-format")
    return binary_format(first_bytes, suffix) or text_format(first_bytes, suffix)


def has_unsafe_magic(first_bytes: bytes, suffix: str) -> bool:
    """Whether the bytes start as a format that is never opened, whatever the name claims."""
    if first_bytes.startswith(UNSAFE_MAGIC) or first_bytes[257:262] == b"ustar":
        return True
    if PICKLE_MAGIC.match(first_bytes):
        return True
    # A table's header may well begin as zlib does, with "x^".
    return suffix not in TEXT_FORMATS and first_bytes.startswith(ZLIB_MAGIC)


def binary_format(first_bytes: bytes, suffix: str) -> str:
    """The binary format that the first bytes show, or nothing."""
    if first_bytes.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "npz" if suffix == ".npz" else "zip"
    if first_bytes.startswith(b"PAR1"):
        return "parquet"
    if len(first_bytes) > 9 and first_bytes[8:9] == b"{" and first_bytes[5:8] == b"\0\0\0":
        return "safetensors"
    return ""


def text_format(first_bytes: bytes, suffix: str) -> str:
    """The text format that the name claims, else the one the text looks like."""
    if suffix in TEXT_FORMATS:
        return TEXT_FORMATS[suffix]
    if suffix in (".npz", ".parquet", ".zip"):
        raise Refused("bad-header")
    if b"\0" in first_bytes:
        raise Refused("unsafe-format")
    return "jsonl" if JSON_START.match(first_bytes) else "csv"
