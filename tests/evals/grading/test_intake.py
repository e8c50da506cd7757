"""Intake: each kind of file is taken or refused by its code."""

from __future__ import annotations

import io
import pickle
import stat
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evals.grading.benchmarks import load_benchmark
from evals.grading.intake import inspect_artifact
from evals.grading.limits import Limits
from evals.grading.predictions import Expected, answers
from evals.grading.reading_tables import columns_of
from evals.grading.refusals import REFUSALS, Refused
from evals.grading.sniffing import sniff
from tests.evals.grading.makers import make_benchmark, make_npz, make_safetensors, make_zip

EXPECTED = Expected(ids=("1", "2"), task="classification", classes=("0", "1"))


def code_of(path: Path, data: bytes, **values) -> str:
    """The refusal code of a file with these bytes, or ok."""
    path.write_bytes(data)
    try:
        inspect_artifact(path, **values)
    except Refused as error:
        return error.code
    return "ok"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.csv", b"id,pred\n1,0\n", "ok"),
        ("a.csv", b"\xef\xbb\xbfid,pred\r\n 1 , 0 \r\n", "ok"),
        ("a.csv", b"", "empty"),
        ("a.csv", b"id,pred\n", "empty"),
        ("a.csv", b"1,0\n2,1\n", "bad-columns"),
        ("a.csv", b"id,pred,pred\n1,0,0\n", "bad-columns"),
        ("a.csv", b"id,pred,<b>\n1,0,0\n", "bad-columns"),
        ("a.csv", b"id,pred\n1\n", "bad-row"),
        ("a.csv", b"id,pred\n1,0,0\n", "bad-row"),
        ("a.csv", b'id,pred\n1,"0\n2,0\n', "bad-row"),
        ("a.csv", b"id,pred\n1,\xff\n", "bad-encoding"),
        ("a.csv", b"id,pred\n1,\x000\n", "bad-encoding"),
        ("a.csv", b"id,prob\n1,inf\n", "non-finite"),
        ("a.csv", b"id,prob\n1,1e999\n", "non-finite"),
        ("a.csv", b"id,prob\n1,0x1p-2\n", "bad-number"),
        ("a.csv", b"id,prob\n1,1_0\n", "bad-number"),
        ("a.csv", "id,prob\n1,\u0661\n".encode(), "bad-number"),
        ("a.csv", b"id,pred\n1,True\n", "bad-number"),
        ("a.csv", b"id,p0,p1\n1,0.9,0.9\n", "bad-probability"),
        ("a.csv", b"id,p0,p1\n1,-0.5,1.5\n", "bad-probability"),
        ("a.jsonl", b'{"id": 1, "pred": 0}\n{"id": 2, "pred": 1}\n', "ok"),
        ("a.jsonl", b'{"id": 1, "pred": 0, "pred": 1}\n', "duplicate-key"),
        ("a.jsonl", b'{"id": 1, "pred": [0]}\n', "bad-row"),
        ("a.jsonl", b'{"id": 1, "prob": NaN}\n', "bad-row"),
        ("a.jsonl", b'{"id": "\\ud800", "pred": 0}\n', "bad-encoding"),
        ("a.jsonl", b'{"id": 1, "pred": 0}\n{"id": 2}\n', "bad-columns"),
        ("a.jsonl", b"[" * 100_000, "bad-row"),
        ("model.pkl", pickle.dumps({"a": 1}), "unsafe-format"),
        ("model", pickle.dumps({"a": 1}), "unsafe-format"),
        ("a.csv", pickle.dumps({"a": 1}), "unsafe-format"),
        ("a.jsonl", pickle.dumps({"a": 1}, protocol=2), "unsafe-format"),
        ("a.csv", pickle.dumps(print, protocol=0), "unsafe-format"),
        ("a.csv", pickle.dumps({"a": 1}, protocol=0), "unsafe-format"),
        ("a.csv", b"cost,pred\n1,0\n", "bad-columns"),
        ("model", pickle.dumps({"a": 1}, protocol=0), "unsafe-format"),
        ("model.h5", b"\x89HDF\r\n", "unsafe-format"),
        ("model", b"GGUF\x03\0\0\0", "unsafe-format"),
        ("a.parquet", b"PAR1....", "bad-header"),
        ("a.parquet", b"hello world, hello", "bad-header"),
        ("a.yaml", b"a: 1\n", "unsafe-format"),
        ("a.svg", b"<svg/>", "unsafe-format"),
    ],
)
def test_it_judges_small_files_by_content_and_claimed_format(tmp_path, name, data, code):
    assert code_of(tmp_path / name, data) == code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (make_npz(id=np.arange(3), pred=np.arange(3)), "ok"),
        (make_npz(id=np.arange(3), pred=np.array([{}, 1, 2], dtype=object)), "object-array"),
        (make_npz(id=np.arange(3), pred=np.arange(3).astype(complex)), "bad-dtype"),
        (make_npz(id=np.arange(3), prob=np.array([0.1, np.nan, 0.2])), "non-finite"),
        (make_npz(x=np.zeros((4096, 4096))), "too-big-unpacked"),
        (make_zip({"x.npy": b"\x93NUMPY\x01\0\x10\0(1).__class__ \n  "}), "bad-header"),
        (make_zip({"x.npy": np.lib.format.magic(1, 0) + b"\x02\0{}"}), "bad-header"),
        (make_zip({"../x.npy": b"1"}), "bad-path"),
        (b"PK\x03\x04 cut short", "bad-archive"),
    ],
)
def test_it_reads_npz_without_numpy_s_loader(tmp_path, data, code):
    assert code_of(tmp_path / "a.npz", data) == code


def test_npy_headers_that_claim_more_than_there_is_are_refused(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,), }\n"
    data = make_zip({"x.npy": b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header + bytes(8)})

    assert code_of(tmp_path / "a.npz", data) == "size-mismatch"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, "ok"),
        ({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 9]}}, "bad-offsets"),
        ({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, "bad-offsets"),
        ({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, "bad-offsets"),
        ({"a": {"dtype": "F32", "shape": [0, 1 << 60], "data_offsets": [0, 8]}}, "suspicious-shape"),
        ({"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}, "bad-header"),
        ({"a": {"dtype": "F32", "shape": [True], "data_offsets": [0, 8]}}, "bad-header"),
        ({"a": {"dtype": "F4", "shape": [16], "data_offsets": [0, 8]}}, "bad-dtype"),
        ({"../a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, "bad-name"),
        ({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], "x": 1}}, "bad-header"),
        ({"__metadata__": {"a": 1}}, "bad-header"),
        ([], "bad-header"),
        ({}, "empty"),
    ],
)
def test_it_checks_every_entry_of_a_safetensors_header(tmp_path, header, code):
    data = make_safetensors({"a": np.ones(2)}, header=header)

    assert code_of(tmp_path / "a.safetensors", data) == code


def test_weights_with_a_hidden_tail_or_a_nan_are_refused(tmp_path):
    path = tmp_path / "a.safetensors"

    assert code_of(path, make_safetensors({"a": np.ones(2)}, tail=b"PK")) == "bad-offsets"
    assert code_of(path, make_safetensors({"a": np.array([1, np.nan])})) == "non-finite"
    assert code_of(path, make_safetensors({"a": np.array([1, np.inf])})) == "non-finite"
    assert code_of(path, make_safetensors({"a": np.ones(9)}), limits=Limits(max_parameters=8)) == (
        "too-many-parameters"
    )


def test_a_zip_with_links_doubles_code_or_bombs_is_refused(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")

    path = tmp_path / "a.zip"
    found = {
        "link": code_of(tmp_path / "link.zip", (tmp_path / "link.zip").read_bytes()),
        "double": code_of(path, make_zip({"a.txt": b"1", "A.txt": b"2"})),
        "pickle": code_of(path, make_zip({"model/data.txt": pickle.dumps([1])})),
        "bomb": code_of(path, make_zip({"a.txt": bytes(20 << 20)})),
        "code": code_of(path, make_zip({"config.json": b"{}", "modeling.py": b"import os"})),
    }

    assert found == {
        "link": "link-entry",
        "double": "duplicate-name",
        "pickle": "unsafe-format",
        "bomb": "too-big-unpacked",
        "code": "remote-code",
    }


def test_a_member_that_holds_more_than_it_declares_is_refused(tmp_path):
    data = bytearray(make_zip({"x.npy": bytes(1000)}))
    for mark, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        start = data.index(mark) + place
        data[start : start + 4] = struct.pack("<I", 10)

    assert code_of(tmp_path / "a.npz", bytes(data)) == "size-mismatch"


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("1,0\n2,1\n", "ok"),
        ("2,1\n1,0\n", "ok"),
        ("1,0\n", "missing-id"),
        ("1,0\n2,1\n3,1\n", "unknown-id"),
        ("1,0\n1,1\n2,0\n", "duplicate-id"),
        ("1,0\n2,7\n", "bad-class"),
        ("1,0\n2,yes\n", "bad-number"),
        ("=cmd|'/C calc'!A0,0\n2,0\n", "unknown-id"),
    ],
)
def test_with_a_benchmark_ids_and_classes_are_checked(tmp_path, rows, code):
    benchmark = load_benchmark(make_benchmark(tmp_path / "benchmark"))

    assert code_of(tmp_path / "a.csv", f"id,pred\n{rows}".encode(), benchmark=benchmark) == code


MAC = {"__MACOSX/answers/._a.csv": b"\0\5\x16\7", "answers/.DS_Store": b"\0\0\0\1Bud1"}
TABLE = b"id,pred\n1,0\n2,1\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.zip", make_zip({"answers/a.csv": TABLE} | MAC)),
        ("a.zip", make_zip({"a.csv": TABLE, "Thumbs.db": b"\xd0\xcf", "desktop.ini": b"[x]"})),
        ("a.csv", b",id,pred\n0,1,0\n1,2,1\n"),
        ("a.npz", make_npz(id=np.array([1, 2], ">i8"), pred=np.array([0, 1], ">f4"))),
        ("a.npz", make_npz(id=np.array(["1", "2"], ">U3"), pred=np.array([0, 1]))),
    ],
)
def test_what_desktops_pandas_and_other_machines_write_is_taken(tmp_path, name, data):
    benchmark = load_benchmark(
        make_benchmark(tmp_path / "benchmark", formats=["csv", "npz", "parquet", "zip"])
    )

    assert code_of(tmp_path / name, data, benchmark=benchmark) == "ok"
    assert code_of(tmp_path / name, data, benchmark=benchmark, deep=False) == "ok"


PLACES = pa.array([1, 0], pa.int32())


@pytest.mark.parametrize(
    "columns",
    [
        {"id": [1, 2], "pred": pa.DictionaryArray.from_arrays(PLACES, ["1", "0"])},
        {"id": [1, 2], "pred": pa.DictionaryArray.from_arrays(PLACES, [1, 0])},
        {"id": pa.array(["1", "2"], pa.string_view()), "pred": pa.array(["0", "1"], pa.large_string())},
        {"id": [1, 2], "pred": [0, 1], "__index_level_0__": [7, 3]},
    ],
)
def test_parquet_of_categories_and_of_a_shuffled_frame_is_taken(columns):
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, row_group_size=1)

    found = answers(columns_of(buffer.getvalue(), "parquet", Limits()), EXPECTED)

    assert found["classes"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("task", "table", "code"),
    [
        ("regression", b"id,value\n1,1e50\n2,-1e50\n", "ok"),
        ("regression", b"id,value\n1,1e200\n2,1\n", "bad-number"),
        ("regression", b"id,q0.1,q0.9\n1,-1e308,1\n2,1,1\n", "bad-number"),
        ("ranking", b"id,score\n1,-1e308\n2,1\n", "bad-number"),
    ],
)
def test_numbers_too_large_for_any_measurement_are_refused(tmp_path, task, table, code):
    quantiles = [0.1, 0.9] if task == "regression" else []
    benchmark = load_benchmark(make_benchmark(tmp_path / "benchmark", task=task, quantiles=quantiles))

    assert code_of(tmp_path / "a.csv", table, benchmark=benchmark) == code


def test_a_wrong_answer_is_told_its_row(tmp_path):
    benchmark = load_benchmark(make_benchmark(tmp_path / "benchmark"))
    (tmp_path / "a.csv").write_bytes(b"id,pred\n1,0\n2,7\n")

    with pytest.raises(Refused, match=r"\(row 2\)"):
        inspect_artifact(tmp_path / "a.csv", benchmark=benchmark)


def test_a_file_larger_than_the_benchmark_allows_is_refused_unread(tmp_path):
    assert code_of(tmp_path / "a.csv", b"id,pred\n1,0\n", limits=Limits(max_bytes=5)) == "too-big"


def test_a_format_that_the_benchmark_does_not_take_is_refused(tmp_path):
    benchmark = load_benchmark(make_benchmark(tmp_path / "benchmark", formats=["npz"]))

    assert code_of(tmp_path / "a.csv", b"id,pred\n1,0\n2,1\n", benchmark=benchmark) == "wrong-format"


def test_a_look_at_the_head_alone_finds_what_a_header_shows(tmp_path):
    path = tmp_path / "a.csv"

    assert code_of(path, b"id,pred\n" + b"1,0\n" * 100_000, deep=False) == "ok"
    assert code_of(path, b"id,id\n1,0\n", deep=False) == "bad-columns"
    assert code_of(path, b"id,pred\n" + "é,0\n".encode() * 40_000, deep=False) == "ok"


def test_sniffing_needs_only_the_first_bytes():
    assert sniff(b"PAR1" + bytes(20), "x.parquet") == "parquet"
    with pytest.raises(Refused) as refused:
        sniff(b"\x80\x04\x95", "upload")
    assert refused.value.code == "unsafe-format"


def test_a_refusal_never_carries_the_submitter_s_words():
    refused = Refused("bad-row", row=3, **{"<script>": 1})

    assert refused.message == "Give every row exactly one plain value per column (row 3)."
    assert all(reason.advice.endswith(".") and reason.meaning.endswith(".") for reason in REFUSALS.values())
    with pytest.raises(ValueError, match="not in the table"):
        Refused("no-such-code")


@pytest.mark.parametrize("module", ["evals.grading.intake", "evals.grading.phases", "evals.grading.scoring"])
def test_importing_it_loads_neither_torch_nor_django(module):
    script = f"import sys, {module}; print(sorted({{'torch', 'django', 'pyarrow', 'transformers'}} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_sizes_are_told_in_words_and_counts_as_numbers():
    assert "(limit 67.1 MB)" in Refused("too-big-unpacked", limit=67_108_864).message
    assert "(bytes 1 kB, limit 900 bytes)" in Refused("too-big", bytes=1_000, limit=900).message
    assert "(rows 1500000, limit 1000000)" in Refused("too-many-rows", rows=1_500_000, limit=10**6).message
