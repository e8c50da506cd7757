"""Attacks of our own making: each is refused by its code, in little memory."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evals.grading.benchmarks import load_benchmark
from evals.grading.intake import inspect_artifact
from evals.grading.limits import MEBIBYTE
from evals.grading.phases import GradeRequest, run_phase
from evals.grading.refusals import Refused
from evals.grading.tokenizers import probe_tokenizer
from tests.evals.grading.makers import make_benchmark, make_npz, make_safetensors, make_zip

MOST_BYTES = 160 * MEBIBYTE
CONFIG = {
    "model_type": "llama",
    "vocab_size": 8,
    "hidden_size": 2,
    "intermediate_size": 2,
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
}
TENSOR = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
DEEP = b'{"a":' * 100_000


def header(entries: dict[str, object], body: int = 16) -> bytes:
    """A safetensors file with this header."""
    return make_safetensors({}, header=entries, tail=bytes(body))


def unclosed(*, prefix: bool = False) -> bytes:
    """JSON whose one text never ends; a reader that looks for its end again at every quote never ends either."""
    text = b'{"' + b'\\"' * 200_000
    return struct.pack("<Q", len(text)) + text if prefix else text


def model(index: bytes | None = None, *, raw: bytes | None = None, **config: object) -> bytes:
    """A zip of a model folder."""
    files = {"config.json": raw or json.dumps(CONFIG | config).encode(), "model.safetensors": b"x"}
    if index is not None:
        files["model.safetensors.index.json"] = index
    return make_zip(files)


def raw_zip(*names: str, extra: bytes = b"", mode: int = 0o100644) -> bytes:
    """A zip with these names, doubles allowed, and with these extra fields and modes."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            entry = zipfile.ZipInfo(name)
            entry.extra, entry.external_attr = extra, mode << 16
            archive.writestr(entry, b"id,pred\n1,0\n")
    return buffer.getvalue()


def patched(data: bytes, old: bytes, new: bytes) -> bytes:
    """The same bytes with the last such place changed: the directory's."""
    before, found, after = data.rpartition(old)
    assert found
    return before + new + after


def npy(shape: str, descr: str = "'<f8'", version: int = 1, length: int | None = None) -> bytes:
    """An array file's header, its length free to lie."""
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    size = (len(text) if length is None else length).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + size + text


ZIP64 = struct.pack("<HHQQ", 1, 16, 1 << 60, 1 << 60)
ATTACKS = {
    "a lone surrogate": ("a.jsonl", b'{"id": 1, "pred": "\\ud800"}\n', {"bad-encoding", "bad-class"}),
    "a number beyond floats": ("a.jsonl", b'{"id": 1, "prob": 1e400}\n', {"non-finite"}),
    "an integer of 5,000 digits": ("a.jsonl", b'{"id": 1, "value": ' + b"9" * 5000 + b"}\n", {"bad-row"}),
    "deep nesting in a line": ("a.jsonl", DEEP + b"\n", {"bad-row"}),
    "a key that hides in an escape": (
        "a.jsonl",
        b'{"id": 1, "pred": 0, "pr\\u0065d": 1}\n',
        {"duplicate-key"},
    ),
    "a quoted field without end": ("a.csv", b'id,pred\n1,"' + b"x" * (1 << 20), {"bad-row"}),
    "quotes that never close, in a header": ("a.safetensors", unclosed(prefix=True), {"bad-header"}),
    "quotes that never close, in a line": ("a.jsonl", unclosed(), {"bad-row"}),
    "quotes that never close, in a configuration": ("a.zip", model(raw=unclosed()), {"bad-config"}),
    "a header of one long text": (
        "a.safetensors",
        header({"__metadata__": {"a": "x" * (7 << 20)}, "a": TENSOR | {"dtype": "F4"}}),
        {"bad-dtype"},
    ),
    "a document of brackets": ("a.json", b"[" + b"[]," * (2 << 20) + b"1]", {"too-big"}),
    "a configuration of numbers": ("m.zip", model(raw=b"[" + b"1," * (3 << 20) + b"1]"), {"too-big"}),
    "a NUL that hides in an escape": ("a.jsonl", b'{"id": "1\\u0000", "pred": 0}\n', {"bad-encoding"}),
    "a million columns": ("a.csv", b"id," + b"a," * 1_000_000 + b"b\n", {"bad-columns"}),
    "a formula as a name": ("a.csv", b"id,=cmd|calc\n1,0\n", {"bad-columns"}),
    "offsets that overlap": (
        "a.safetensors",
        header({"a": TENSOR, "b": TENSOR | {"data_offsets": [4, 12]}}, body=12),
        {"bad-offsets"},
    ),
    "offsets of forty digits": (
        "a.safetensors",
        header({"a": TENSOR | {"data_offsets": [0, 10**39]}}),
        {"bad-offsets"},
    ),
    "a shape that wraps around": (
        "a.safetensors",
        header({"a": TENSOR | {"shape": [1 << 32, 1 << 32, 4]}}),
        {"bad-offsets"},
    ),
    "a header longer than the file": ("a.safetensors", struct.pack("<Q", 1 << 63) + b"{}", {"bad-header"}),
    "a header of brackets": ("a.safetensors", struct.pack("<Q", len(DEEP)) + DEEP, {"bad-header"}),
    "a tensor twice": (
        "a.safetensors",
        struct.pack("<Q", 21) + b'{"a": 1, "a": {"b":1}' + bytes(8),
        {"bad-header", "duplicate-key"},
    ),
    "a shard outside the folder": (
        "a.zip",
        model(b'{"weight_map": {"model.norm.weight": "../../etc/passwd"}}'),
        {"bad-path"},
    ),
    "a shard named twice": (
        "a.zip",
        model(b'{"weight_map": {"a": "model.safetensors", "a": "model-00001-of-00001.safetensors"}}'),
        {"duplicate-key"},
    ),
    "a billion layers": ("a.zip", model(num_hidden_layers=10**9), {"too-many-parameters"}),
    "a fraction of a head": ("a.zip", model(num_attention_heads=0.5), {"bad-config"}),
    "an array of objects": (
        "a.npz",
        make_zip({"x.npy": npy("(1,)", "'|O'") + b"\x80\x04N."}),
        {"object-array"},
    ),
    "a record of objects": ("a.npz", make_zip({"x.npy": npy("(1,)", "[('a', '|O')]")}), {"object-array"}),
    "an array's header of 4 GB": (
        "a.npz",
        make_zip({"x.npy": npy("(1,)", version=2, length=0xFFFFFFFF)}),
        {"bad-header"},
    ),
    "an array larger than memory": (
        "a.npz",
        make_zip({"x.npy": npy("(4294967296, 4294967296)")}),
        {"size-mismatch"},
    ),
    "a shape of one comma": ("a.npz", make_zip({"x.npy": npy("(,1)") + bytes(8)}), {"bad-header"}),
    "characters beyond Unicode": (
        "a.npz",
        make_zip({"x.npy": npy("(1,)", "'<U1'") + b"\xff" * 4}),
        {"bad-encoding"},
    ),
    "half a character": (
        "a.npz",
        make_zip({"x.npy": npy("(1,)", "'<U1'") + struct.pack("<I", 0xD800)}),
        {"bad-encoding"},
    ),
    "columns of two lengths": (
        "a.npz",
        make_npz(id=np.arange(2), p0=np.ones(2), p1=np.ones(3)),
        {"wrong-shape"},
    ),
    "a column of no dimension": ("a.npz", make_npz(id=np.arange(2), pred=np.array(0)), {"wrong-shape"}),
    "a shape that calls": ("a.npz", make_zip({"x.npy": npy("(len('a'),)")}), {"bad-header"}),
    "a name twice": ("a.zip", raw_zip("a.csv", "a.csv"), {"duplicate-name"}),
    "a name twice by case": ("a.zip", raw_zip("a.csv", "A.CSV"), {"duplicate-name"}),
    "a link": ("a.zip", raw_zip("a.csv", mode=0o120777), {"link-entry"}),
    "a fifo": ("a.zip", raw_zip("a.csv", mode=0o010644), {"special-entry"}),
    "sizes that zip64 fields raise": (
        "a.zip",
        patched(raw_zip("a.csv", extra=ZIP64), struct.pack("<II", 12, 12), b"\xff" * 8),
        {"bad-archive", "too-big-unpacked", "size-mismatch"},
    ),
    "a header that differs from the directory": (
        "a.zip",
        raw_zip("a.csv").replace(struct.pack("<II", 12, 12), struct.pack("<II", 5, 5), 1),
        {"bad-archive"},
    ),
    "a method that differs from the directory": (
        "a.zip",
        raw_zip("a.csv")[:8] + b"\x08" + raw_zip("a.csv")[9:],
        {"bad-archive"},
    ),
    "a zip in a zip": ("a.zip", make_zip({"b.zip": make_zip({"a.csv": b"id,pred\n"})}), {"unsafe-format"}),
    "a pickle in a zip": ("a.zip", make_zip({"a.csv": b"\x80\x04N."}), {"unsafe-format"}),
    "a name with a detour": ("a.zip", raw_zip("a/./b.csv"), {"bad-path"}),
    "a name of two thousand folders": ("a.zip", raw_zip("a/" * 2000 + "b.csv"), {"bad-path"}),
    "a password that only the header knows of": (
        "a.zip",
        raw_zip("a.csv")[:6] + b"\x01" + raw_zip("a.csv")[7:],
        {"bad-archive"},
    ),
    "an end record that counts nothing": (
        "a.zip",
        raw_zip("a.csv")[:-14] + bytes(4) + raw_zip("a.csv")[-10:],
        {"bad-archive"},
    ),
    "two end records": ("a.zip", raw_zip("a.csv") + raw_zip("../b.csv"), {"bad-archive", "bad-path"}),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_it_is_refused_by_its_code_in_little_memory(tmp_path, attack):
    name, data, codes = ATTACKS[attack]
    (tmp_path / name).write_bytes(data)
    tracemalloc.start()

    with pytest.raises(Refused) as refusal:
        inspect_artifact(tmp_path / name)

    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refusal.value.code in codes
    assert refusal.value.message.endswith((".", ")"))
    assert most < MOST_BYTES


def parquet(table: pa.Table, **values: object) -> bytes:
    """A parquet file."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **values)
    return buffer.getvalue()


def bomb() -> bytes:
    """A megabyte of text once in the dictionary, and a million rows that name it."""
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1_000_000, np.int32)), pa.array(["x" * MEBIBYTE]))
    table = pa.table({"id": pa.array(np.arange(1_000_000)), "pred": text})
    return parquet(table, store_schema=False)


PLAIN = pa.table({"id": [1, 2], "pred": [0, 1]})
PARQUETS = {
    "a dictionary that unpacks to a terabyte": (bomb, {"over-memory", "bad-header", "too-big-unpacked"}),
    "lists in a column": (
        lambda: parquet(pa.table({"id": [1, 2], "pred": [[0], [1] * 1000]})),
        {"bad-dtype", "bad-columns"},
    ),
    "records in records": (
        lambda: parquet(pa.table({"id": [1, 2], "pred": [{"a": {"b": 1}}, {"a": {"b": 2}}]})),
        {"bad-dtype", "bad-columns"},
    ),
    "a column twice": (
        lambda: parquet(pa.Table.from_arrays([pa.array([1, 2])] * 3, names=["id", "pred", "pred"])),
        {"bad-columns"},
    ),
    "a NUL": (lambda: parquet(pa.table({"id": ["1", "2"], "pred": ["0", "1\0"]})), {"bad-encoding"}),
    "gaps": (lambda: parquet(pa.table({"id": [1, 2], "pred": [0, None]})), {"bad-row"}),
    "a footer that runs past the file": (
        lambda: parquet(PLAIN)[:-8] + struct.pack("<I", 1 << 30) + b"PAR1",
        {"bad-header"},
    ),
    "noise for a page": (
        lambda: b"PAR1" + b"\xff" * 60 + parquet(PLAIN)[64:],
        {"bad-header", "bad-number", "bad-class"},
    ),
    "an infinite probability": (
        lambda: parquet(pa.table({"id": [1, 2], "prob": [0.5, float("inf")]})),
        {"non-finite"},
    ),
}


@pytest.mark.parametrize("attack", PARQUETS)
def test_a_parquet_file_is_refused_in_the_jail(tmp_path, attack):
    made, codes = PARQUETS[attack]
    limits = {"memory_bytes": 1 << 30, "qualification_seconds": 20.0}
    benchmark = load_benchmark(make_benchmark(tmp_path / "b", limits=limits))
    (tmp_path / "a.parquet").write_bytes(made())

    result = run_phase("qualification", GradeRequest(benchmark, Path(tmp_path / "a.parquet")))

    assert result.state == "refused"
    assert result.code in codes


def test_one_long_id_takes_no_room_for_the_others(tmp_path):
    benchmark = load_benchmark(make_benchmark(tmp_path / "b"))
    rows = "".join(f"{number},0\n" for number in range(20_000))
    (tmp_path / "a.csv").write_text(f"id,pred\n{'x' * 9_999},0\n{rows}", "utf-8")
    tracemalloc.start()

    with pytest.raises(Refused, match="unknown-id"):
        inspect_artifact(tmp_path / "a.csv", benchmark=benchmark)

    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < MOST_BYTES


@pytest.mark.parametrize("kind", [["NFC"], {"NFC": 1}, 1, None])
def test_a_tokenizer_s_rule_without_a_name_is_refused(kind):
    tokenizer = {"model": {}, "normalizer": {"type": kind}}

    with pytest.raises(Refused, match="bad-tokenizer"):
        probe_tokenizer(json.dumps(tokenizer).encode(), vocabulary=2)


def test_a_tokenizer_whose_pattern_takes_for_ever_is_refused():
    split = {
        "type": "Split",
        "pattern": {"Regex": "(A+)+$|(a|aa)+!"},
        "behavior": "Isolated",
        "invert": False,
    }
    words = {"type": "WordLevel", "vocab": {"a": 0, "A": 1}, "unk_token": "a"}
    settings = {
        "version": "1.0",
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": split,
        "model": words,
    }

    with pytest.raises(Refused) as refusal:
        probe_tokenizer(json.dumps(settings).encode(), vocabulary=2)

    assert refusal.value.code in ("tokenizer-expands", "tokenizer-not-faithful", "bad-tokenizer")


def test_what_is_no_attack_is_taken(tmp_path):
    (tmp_path / "a.npz").write_bytes(make_npz(id=np.array([1, 2]), pred=np.array([0, 1])))
    (tmp_path / "a.zip").write_bytes(raw_zip("a.csv"))

    assert [inspect_artifact(tmp_path / name).format for name in ("a.npz", "a.zip")] == ["npz", "zip"]
