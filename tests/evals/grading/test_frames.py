"""Frames: what is packed comes back, and nothing else is let in; readers survive any bytes."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.grading.arrays import read_npz
from evals.grading.frames import BrokenFrame, Frame, read_frame, unpack
from evals.grading.limits import Limits
from evals.grading.predictions import Expected, answers
from evals.grading.refusals import Refused
from evals.grading.sniffing import sniff
from evals.grading.strict_json import parse_json
from evals.grading.tables import read_csv, read_jsonl
from evals.grading.texts import pack_texts, unpack_texts
from evals.grading.weights import check_finite, parse_safetensors
from tests.evals.grading.makers import make_npz, make_safetensors

SMALL = Limits(max_bytes=100_000, max_unpacked_bytes=100_000, max_rows=50, max_columns=20)
EXPECTED = Expected(ids=("1", "2"), task="classification", classes=("0", "1"))
MANY = settings(max_examples=300, deadline=None)
FORMATS = (
    b"id,pred\n1,0\n2,1\n",
    b'{"id":1,"p0":0.5,"p1":0.5}\n',
    make_npz(id=np.array([1, 2]), pred=np.array([0, 1])),
    make_safetensors({"a": np.ones((2, 2)), "b": np.ones(3)}),
)


def test_a_frame_comes_back_as_it_was():
    arrays = {"x": np.arange(6, dtype=np.float32).reshape(2, 3), "n": np.array([], np.int64)}

    found = read_frame(io.BytesIO(Frame({"job": "table"}, arrays).pack()), max_bytes=10_000)

    assert found is not None
    assert found.header == {"job": "table"}
    assert all(
        (found.arrays[name] == array).all() and found.arrays[name].shape == array.shape
        for name, array in arrays.items()
    )


def test_the_end_of_a_stream_is_no_frame():
    assert read_frame(io.BytesIO(b""), max_bytes=100) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"PLB1", b"PLB2"),
        (b'"f4"', b'"O1"'),
        (b"[2, 3]", b"[2, 9]"),
        (b"[2, 3]", b"[2, 2]"),
        (b"values", b"valves"),
    ],
)
def test_a_frame_that_was_tampered_with_is_refused(old, new):
    data = Frame({}, {"x": np.zeros((2, 3), np.float32)}).pack()

    with pytest.raises(BrokenFrame):
        unpack(data.replace(old, new), max_bytes=10_000)


def test_a_frame_longer_than_allowed_is_refused_unread():
    with pytest.raises(BrokenFrame):
        read_frame(io.BytesIO(Frame({}, {"x": np.zeros(1000)}).pack()), max_bytes=1000)


@MANY
@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)))))
def test_texts_come_back_as_they_were(texts):
    assert unpack_texts(*pack_texts(texts)) == texts


def refused_or_read(read) -> None:
    """A reader either reads or refuses, which only documented codes can; any other exception fails the test."""
    with contextlib.suppress(Refused):
        read()


@MANY
@given(
    st.binary(max_size=300), st.sampled_from(["", ".csv", ".npz", ".safetensors", ".jsonl", ".zip", ".md"])
)
def test_sniffing_any_bytes_names_a_format_or_refuses(data, suffix):
    refused_or_read(lambda: sniff(data, f"upload{suffix}"))


def mutated(draw, data: bytes) -> bytes:
    """A valid file with some bytes replaced, cut or put in."""
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(len(data), start + 16)))
    return data[:start] + draw(st.binary(max_size=12)) + data[end:]


@MANY
@given(st.data())
def test_damaged_files_are_refused_or_read_but_never_break_a_reader(data):
    base = data.draw(st.sampled_from(FORMATS))
    damaged = mutated(data.draw, mutated(data.draw, base))
    stream = io.BytesIO(damaged)

    refused_or_read(lambda: answers(read_csv(damaged, SMALL), EXPECTED))
    refused_or_read(lambda: answers(read_jsonl(damaged, SMALL), EXPECTED))
    refused_or_read(lambda: answers(read_npz(stream, SMALL), EXPECTED))
    stream.seek(0)
    refused_or_read(lambda: check_finite(stream, parse_safetensors(stream, len(damaged), SMALL)))


CELLS = st.one_of(st.integers().map(str), st.floats().map(str), st.text(max_size=6), st.just("1"))


@MANY
@given(st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=5))
def test_any_table_is_answered(rows):
    text = "id,p0,p1\n" + "\n".join(",".join(row) for row in rows)
    data = text.encode("utf-8", "surrogatepass")

    refused_or_read(lambda: answers(read_csv(data, SMALL), EXPECTED))


@MANY
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3),
    )
)
def test_strict_json_refuses_what_is_not_json(value):
    refused_or_read(lambda: parse_json(repr(value), code="bad-config"))
