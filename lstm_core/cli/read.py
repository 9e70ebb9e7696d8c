"""read: what a file is understood as, and its values as they were read."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lstm_core.cli.output import add_json, print_json, print_table, read_file, write_file
from lstm_core.data.ingest.read import read_table
from lstm_core.data.table import Table
from lstm_core.data.table_csv import values_csv

ABOUT = """\
Read a file as the Data page does and say what it is understood as: the kind of each column (number, time, category, or
text where it is left out), the roles that are suggested, and a note for every guess and change. --values writes the
columns as they were read, in the file's order: numbers in full precision, times as ISO 8601 (in UTC where the file
names time zones), missing cells empty.
"""


def add_commands(commands: Any) -> None:
    read = commands.add_parser(
        "read",
        help="what a file is understood as",
        description=ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    read.add_argument("file", metavar="FILE", help="CSV, Excel (xlsx), Parquet or JSON, also in one .gz or .zip")
    read.add_argument("--values", metavar="OUT.csv", help="where to write the values; an old file is replaced")
    add_json(read)
    read.set_defaults(run=_read)


def _read(chosen: argparse.Namespace) -> None:
    table = read_table(read_file(chosen.file), Path(chosen.file).name)
    if chosen.values:
        write_file(chosen.values, values_csv(table))
    about = describe(table)
    if chosen.json:
        print_json(about)
        return
    print_table(("column", "kind", "missing"), [(c["name"], c["kind"], f"{c['missing']:,}") for c in about["columns"]])
    for role, names in about["roles"].items():
        print(f"{role}: {(names if isinstance(names, str) else ', '.join(names)) or 'none'}")
    for one in about["notes"]:
        print(f"{one['level']}: {one['text']}")


def describe(table: Table) -> dict[str, Any]:
    """rows, columns, roles and notes of a table, as --json prints them."""
    columns = [{"name": c.name, "kind": c.kind, "missing": int(c.missing.sum())} for c in table.columns]
    columns += [{"name": one.name, "kind": "text", "missing": one.missing} for one in table.omitted]
    roles, group = table.roles, ()
    if roles.group is not None:
        group = table.column(roles.group).parts or (roles.group,)
    return {
        "rows": table.rows,
        "columns": columns,
        "roles": {
            "time": roles.time,
            "series_id": list(group),
            "targets": list(roles.targets),
            "features": list(roles.features),
        },
        "notes": [{"level": one.level, "text": one.text} for one in table.report],
    }
