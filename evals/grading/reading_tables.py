"""The jailed reader's job for tables of answers: bytes to arrays in the benchmark's order, without torch."""

from __future__ import annotations

import io
import re
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from evals.grading.archives import kind_inside, read_member, zip_members
from evals.grading.arrays import read_npz
from evals.grading.frames import Frame, read_exactly
from evals.grading.limits import Limits
from evals.grading.predictions import Expected, answers
from evals.grading.refusals import Refused
from evals.grading.tables import check_encodable, read_csv, read_jsonl
from evals.grading.texts import unpack_texts

MAXIMUM_PARQUET_COLUMNS = 1024
PANDAS_INDEX = re.compile(r"__index_level_\d+__", re.ASCII)


def run(job: Frame, source: BinaryIO, **_: Any) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Answers of one file."""
    header = job.header
    data = read_exactly(source, header["files"][0]["bytes"])
    columns = columns_of(data, header["format"], Limits().with_values(header["limits"]))
    expected = Expected(
        ids=unpack_texts(job.arrays["id_characters"], job.arrays["id_ends"]),
        task=header["task"],
        classes=header["classes"],
        quantiles=header["quantiles"],
    )
    return {"rows": len(expected.ids)}, answers(columns, expected)


def columns_of(data: bytes, kind: str, limits: Limits) -> dict[str, Any]:
    """The columns of a table in one of the four formats, or of a zip around one."""
    if kind == "zip":
        data, kind = unwrapped(data, limits)
    if kind == "npz":
        return dict(read_npz(io.BytesIO(data), limits))
    if kind == "parquet":
        return read_parquet(data, limits)
    return dict(read_csv(data, limits) if kind == "csv" else read_jsonl(data, limits))


def unwrapped(data: bytes, limits: Limits) -> tuple[bytes, str]:
    """The one table in a zip, and its format."""
    stream = io.BytesIO(data)
    members = zip_members(stream, limits)
    if len(members) != 1:
        raise Refused("too-many-files" if members else "empty")
    member = members[0]
    return read_member(stream, member), kind_inside(stream, member)


def read_parquet(data: bytes, limits: Limits) -> dict[str, Any]:
    """The columns of a parquet file, its declared sizes checked before any page is unpacked."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        check_parquet(file.metadata, limits)
        texts = [field.name for field in file.schema_arrow if is_text(field.type)]
        # Each text once: a short dictionary may stand for a million long texts.
        file = pq.ParquetFile(pa.BufferReader(data), read_dictionary=texts)
        table = file.read(use_threads=False)
        names = [name for name in table.column_names if not PANDAS_INDEX.fullmatch(name)]
        return {name: plain_column(table.column(name), limits) for name in names}
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Refused("bad-header") from error


def check_parquet(metadata: Any, limits: Limits) -> None:
    """Few columns, few rows and a sane unpacked size, by the footer."""
    if metadata.num_rows == 0:
        raise Refused("empty")
    if metadata.num_rows > limits.max_rows:
        raise Refused("too-many-rows", rows=metadata.num_rows, limit=limits.max_rows)
    if metadata.num_columns > min(limits.max_columns, MAXIMUM_PARQUET_COLUMNS):
        raise Refused("bad-columns")
    size = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    if size > limits.max_unpacked_bytes:
        raise Refused("too-big-unpacked", limit=limits.max_unpacked_bytes)
    names = metadata.schema.to_arrow_schema().names
    if len(set(names)) != len(names):
        raise Refused("bad-columns")


def is_text(kind: Any) -> bool:
    """Whether a column holds text, plainly or as places in a dictionary of texts."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def plain_column(column: Any, limits: Limits) -> Any:
    """A column of whole numbers, floats or text without gaps."""
    import pyarrow as pa

    if column.null_count:
        raise Refused("bad-row", count=column.null_count)
    if pa.types.is_dictionary(column.type) and not is_text(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return np.asarray(column.to_numpy())
    if is_text(column.type):
        return [text for chunk in column.chunks for text in chunk_texts(chunk.dictionary_encode(), limits)]
    raise Refused("bad-dtype")


def chunk_texts(chunk: Any, limits: Limits) -> list[str]:
    """The texts of some rows, each distinct one made once."""
    texts = [str(value) for value in chunk.dictionary.to_pylist()]
    places = np.asarray(chunk.indices)
    lengths = np.array([len(text) for text in texts], np.int64)
    if lengths[places].sum() > limits.max_unpacked_bytes:
        raise Refused("too-big-unpacked", limit=limits.max_unpacked_bytes)
    if lengths.max(initial=0) > limits.max_field_characters:
        raise Refused("bad-row")
    for text in texts:
        check_encodable(text)
    stripped = [text.strip() for text in texts]
    return [stripped[place] for place in places]
