"""JSON that is a table: an object a line, a list of objects, or columns by name."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
from pyarrow import json as arrow_json

from lstm_core.data.ingest.arrow_rows import ArrowRows, arrow_rows
from lstm_core.data.ingest.rows import refuse_size
from lstm_core.experiment import PlaygroundError

_NO_TABLE = "{!r} is JSON, but no table: give one object a line, a list of objects, or a list for each column."
_MAX_DOCUMENT = 64 * 2**20  # bytes of one JSON value: Python's objects take twenty times as much


def is_json(data: bytes) -> bool:
    """Whether the first bytes are an object's, or a list's of objects or lists."""
    start = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"{"):
        return start[1:].lstrip()[:1] in (b'"', b"}")
    return start.startswith(b"[") and start[1:].lstrip()[:1] in (b"{", b"[")


def json_rows(data: bytes, name: str) -> ArrowRows:
    """The columns of JSON.

    Raises:
        PlaygroundError: no JSON, or no table.
    """
    data = data.removeprefix(b"\xef\xbb\xbf").strip()
    lines = data.startswith(b"{") and b"\n" in data and _is_object(data.split(b"\n", 1)[0])
    try:
        if lines:
            return arrow_rows(_lines_table(data, name), name, "JSON, an object a line")
        if len(data) > _MAX_DOCUMENT:
            limit = _MAX_DOCUMENT // 2**20
            raise PlaygroundError(f"{name!r} is one JSON value of more than {limit} MiB: write an object a line.")
        return arrow_rows(_columns_table(_columns(json.loads(data), name), name), name, "JSON")
    except PlaygroundError:
        raise
    except (ValueError, RecursionError, pa.ArrowException, TypeError, OverflowError, KeyError):
        raise PlaygroundError(_NO_TABLE.format(name)) from None


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _lines_table(data: bytes, name: str) -> pa.Table:
    try:
        options = arrow_json.ReadOptions(use_threads=False, block_size=16 * 2**20)
        return arrow_json.read_json(pa.BufferReader(data), options)
    except pa.ArrowException:  # a column of numbers and texts, or a line that is no object
        records = [json.loads(line) for line in data.split(b"\n") if line.strip()]
        return _columns_table(_of_records(records, name), name)


def _columns(value: Any, name: str) -> dict[str, list]:
    """A column each, of the shapes that programs write."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return _of_records(value, name)
    if isinstance(value, list) and value and isinstance(value[0], list):
        return _of_lists(value, name)
    if not isinstance(value, dict) or not value:
        raise ValueError
    if isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):  # pandas: split
        rows = [[str(column) for column in value["columns"]], *value["data"]]
        if isinstance(value.get("index"), list) and len(value["index"]) == len(value["data"]):
            rows = [["index", *rows[0]], *([at, *row] for at, row in zip(value["index"], value["data"], strict=True))]
        return _of_lists(rows, name)
    members = list(value.values())
    if all(isinstance(member, dict) for member in members) and len(members[0]) > 1:  # pandas: columns
        index = list(members[0])
        return {"index": index, **{key: [column.get(at) for at in index] for key, column in value.items()}}
    lists = {key: member for key, member in value.items() if isinstance(member, list) and len(member) > 1}
    tables = [member for member in lists.values() if isinstance(member[0], dict | list)]
    if len(tables) == 1:
        return _columns(tables[0], name)
    longest = max(map(len, lists.values()), default=0)
    if not longest or tables:
        nested = [member for member in members if isinstance(member, dict)]
        if len(nested) >= 1:
            return _columns(max(nested, key=len), name)
        raise ValueError
    return {key: member for key, member in lists.items() if len(member) == longest}


def _of_records(records: list, name: str) -> dict[str, list]:
    names: dict[str, None] = {}
    for record in records:
        if not isinstance(record, dict):
            raise ValueError
        names.update(dict.fromkeys(record))
    refuse_size(len(records), len(names), name)
    return {key: [record.get(key) for record in records] for key in names}


def _of_lists(rows: list, name: str) -> dict[str, list]:
    """Lists of cells; the first is the header if it holds texts alone."""
    width = max(len(row) if isinstance(row, list) else 0 for row in rows)
    refuse_size(len(rows), width, name)
    header = rows[0] if all(isinstance(cell, str) for cell in rows[0]) else None
    body = rows[1:] if header else rows
    names = [header[j] if header and j < len(header) else f"column {j + 1}" for j in range(width)]
    return {key: [row[j] if j < len(row) else None for row in body] for j, key in enumerate(names)}


def _columns_table(columns: dict[str, list], name: str) -> pa.Table:
    """Columns of one type each; of several, as texts."""
    refuse_size(max(map(len, columns.values()), default=0), len(columns), name)
    arrays = {}
    for key, cells in columns.items():
        try:
            arrays[str(key)] = pa.array(cells)
        except (pa.ArrowException, OverflowError, ValueError, TypeError):
            texts = [cell if cell is None or isinstance(cell, str) else json.dumps(cell) for cell in cells]
            arrays[str(key)] = pa.array(texts, pa.string())
    return pa.table(arrays)
