"""The file that a command forecasts: its arguments, its table and the columns that are used of it."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path

from lstm_core.cli.output import note, read_file
from lstm_core.data.ingest.read import read_table
from lstm_core.data.table import Table
from lstm_core.experiment import DataSpec, PlaygroundError


def add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the table")
    parser.add_argument("--target", metavar="COLUMN", help="what is forecast (default: what the page suggests)")


def read_data(file: str, target: str | None, horizon: int = 1) -> tuple[Table, DataSpec]:
    """A file as the page opens it, and its suggested columns.

    Raises:
        PlaygroundError: the file cannot be read, or there is no such target or no such horizon.
    """
    table = read_table(read_file(file), Path(file).name)
    roles = dataclasses.asdict(table.roles) | {"horizon": horizon}
    if target is not None:
        names = table.column_names("number")
        if target not in names:
            raise PlaygroundError(f"There is no number column {target!r} in {table.name!r}: {', '.join(names)}.")
        roles |= {"targets": (target,), "features": tuple(dict.fromkeys((target, *roles["features"])))}
    return table, DataSpec(source="csv", name=table.name, **roles)


def check_count(name: str, value: int | None) -> None:
    """Raises PlaygroundError: not a whole number from 1 on."""
    if value is not None and value < 1:
        raise PlaygroundError(f"{name} is {value}: give a whole number from 1 on.")


def noting() -> Callable[[float, str], None]:
    """What a long computation reports its progress to: each thing that begins is told once."""
    said: set[str] = set()

    def tell(share: float, what: str) -> None:
        if what not in said:
            said.add(what)
            note(f"{what} …")

    return tell
