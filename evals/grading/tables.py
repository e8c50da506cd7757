"""Strict CSV and JSON lines: text columns by name, every row as long as the header."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from evals.grading.limits import Limits
from evals.grading.refusals import Refused
from evals.grading.strict_json import parse_json

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
NUMBER_CHARACTERS = frozenset("0123456789+-.eE")
NOT_FINITE = re.compile(r"[+-]?(inf|infinity|nan)", re.IGNORECASE)
MAXIMUM_NUMBER_CHARACTERS = 400
SURROGATE = re.compile("[\ud800-\udfff]")
MAXIMUM_BRACKETS = 1024

Column = list[str]
Table = dict[str, Column]


def read_csv(data: bytes, limits: Limits) -> Table:
    """The columns of a CSV file, values stripped of spaces round them.

    >>> read_csv(b"id,pred\\n1, 0\\n", Limits())
    {'id': ['1'], 'pred': ['0']}
    """
    rows = csv.reader(io.StringIO(clean_text(data), newline=""), strict=True)
    header = [name.strip() for name in next_row(rows) or []]
    check_header(named(header), limits)
    columns: list[Column] = [[] for _ in header]
    while (row := next_row(rows)) is not None:
        if not row:
            continue
        check_row(row, columns, limits)
        for column, value in zip(columns, row, strict=True):
            column.append(value.strip())
    table = with_rows(dict(zip(header, columns, strict=True)))
    return {name: table[name] for name in named(header)}


def named(header: list[str]) -> list[str]:
    """The header without the nameless first column, in which pandas writes its index."""
    return header[1:] if header[:1] == [""] else header


def next_row(rows: Any) -> list[str] | None:
    """The next row, or None after the last."""
    try:
        row: list[str] | None = next(rows, None)
    except csv.Error as error:
        raise Refused("bad-row", line=rows.line_num) from error
    return row


def clean_text(data: bytes) -> str:
    """UTF-8 without NULs, without a byte-order mark."""
    if not data:
        raise Refused("empty")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("bad-encoding") from error
    if "\0" in text:
        raise Refused("bad-encoding")
    return text


def check_header(header: list[str], limits: Limits) -> None:
    """Few, distinct, plain column names, one of them id."""
    if len(header) > limits.max_columns or len(set(header)) != len(header):
        raise Refused("bad-columns")
    if "id" not in header or not all(
        re.fullmatch(r"[A-Za-z_][\w.]{0,63}", name, re.ASCII) for name in header
    ):
        raise Refused("bad-columns")


def check_row(row: list[str], columns: list[Column], limits: Limits) -> None:
    """As many short fields as the header has, and not too many rows."""
    number = len(columns[0]) + 1
    if len(row) != len(columns) or max(map(len, row)) > limits.max_field_characters:
        raise Refused("bad-row", row=number)
    if number > limits.max_rows:
        raise Refused("too-many-rows", limit=limits.max_rows)


def with_rows(table: Table) -> Table:
    """A table that has at least one row."""
    if not table["id"]:
        raise Refused("empty")
    return table


def read_jsonl(data: bytes, limits: Limits) -> Table:
    """The columns of a JSON-lines file whose every line is one flat object with the same keys."""
    text = clean_text(data)
    header: list[str] = []
    columns: list[Column] = []
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) > limits.max_rows:
        raise Refused("too-many-rows", rows=len(lines), limit=limits.max_rows)
    for line in lines:
        record = flat_record(line, row=len(columns[0]) + 1 if columns else 1)
        if not header:
            header, columns = list(record), [[] for _ in record]
            check_header(header, limits)
        if set(record) != set(header):
            raise Refused("bad-columns", row=len(columns[0]) + 1)
        values = [record[name] for name in header]
        check_row(values, columns, limits)
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    if not header:
        raise Refused("empty")
    return with_rows(dict(zip(header, columns, strict=True)))


def flat_record(line: str, *, row: int) -> dict[str, str]:
    """One object of plain values, each as text."""
    if line.count("[") + line.count("{") > MAXIMUM_BRACKETS:
        raise Refused("bad-row", row=row)
    record = parse_json(line, code="bad-row")
    if not isinstance(record, dict) or not record:
        raise Refused("bad-row", row=row)
    return {name: plain_value(value, row=row) for name, value in record.items()}


def plain_value(value: Any, *, row: int) -> str:
    """A text or number of a record as text; booleans keep their JSON spelling."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if not isinstance(value, str):
        raise Refused("bad-row", row=row)
    check_encodable(value)
    return value.strip()


def check_encodable(value: str) -> None:
    """No lone surrogates and no NULs."""
    if "\0" in value or SURROGATE.search(value):
        raise Refused("bad-encoding")


def numbers(column: Column) -> list[float]:
    """A column as finite floats, in plain ASCII notation only."""
    if NUMBER_CHARACTERS.issuperset("".join(column)):
        try:
            values = list(map(float, column))
        except ValueError:
            values = []
        if values and max(map(abs, values)) < float("inf"):
            return values
    return [number(value, row=row) for row, value in enumerate(column, start=1)]


def number(text: str, *, row: int) -> float:
    """One finite number.

    >>> number("1e3", row=1)
    1000.0
    """
    if NOT_FINITE.fullmatch(text):
        raise Refused("non-finite", row=row)
    if len(text) > MAXIMUM_NUMBER_CHARACTERS or not NUMBER.fullmatch(text):
        raise Refused("bad-number", row=row)
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise Refused("non-finite", row=row)
    return value
