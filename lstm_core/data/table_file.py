"""A table as one safetensors file, exactly: a run goes on with it whatever a later version makes of the CSV."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import safetensors
import safetensors.numpy

from lstm_core.data.ingest.options import CsvOptions
from lstm_core.data.table import Column, ColumnRoles, ImportNote, OmittedColumn, Table
from lstm_core.experiment import PlaygroundError


def table_to_bytes(table: Table) -> bytes:
    """The inverse of table_from_bytes."""
    arrays = {"numbers": np.ascontiguousarray(table.numbers)}
    for k, column in enumerate(table.columns):
        if column.kind != "number":
            arrays[f"column_{k}"] = np.ascontiguousarray(column.values).view(
                np.int64 if column.kind == "time" else np.int32
            )
    about = {
        "name": table.name,
        "columns": [[c.name, c.kind, list(c.classes), list(c.parts)] for c in table.columns],
        "omitted": [dataclasses.asdict(one) for one in table.omitted],
        "roles": dataclasses.asdict(table.roles),
        "report": [dataclasses.asdict(note) for note in table.report],
        "options": dataclasses.asdict(table.options) if table.options else None,
        "groups_in_order": table.groups_in_order,
    }
    return safetensors.numpy.save(arrays, {"table": json.dumps(about)})


def table_from_bytes(data: bytes) -> Table:
    """Read what table_to_bytes wrote; the upload itself is not in it.

    Raises:
        PlaygroundError: it is damaged.
    """
    try:
        arrays = safetensors.numpy.load(data)
        size = int.from_bytes(data[:8], "little")
        about = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["table"])
        numbers, columns, index = arrays["numbers"], [], 0
        for k, (name, kind, classes, *parts) in enumerate(about["columns"]):  # no parts in files of earlier versions
            if kind == "number":
                values, index = numbers[:, index], index + 1
            else:
                values = arrays[f"column_{k}"].view("datetime64[ns]" if kind == "time" else np.int32)
            columns.append(Column(name, kind, values, tuple(classes), *map(tuple, parts)))
        options = about["options"] and CsvOptions(
            **about["options"]
            | {
                "kinds": tuple(map(tuple, about["options"]["kinds"])),
                "missing": tuple(about["options"].get("missing", ())),
            }
        )
        report = (ImportNote(**note | {"rows": tuple(note["rows"])}) for note in about["report"])
        roles = {name: tuple(value) if isinstance(value, list) else value for name, value in about["roles"].items()}
        return Table(
            about["name"],
            numbers,
            tuple(columns),
            ColumnRoles(**roles),
            tuple(report),
            options,
            omitted=tuple(OmittedColumn(**one) for one in about.get("omitted", ())),
            groups_in_order=about["groups_in_order"],
        )
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError, IndexError) as error:
        raise PlaygroundError(f"The run's table is damaged ({type(error).__name__}).") from None
