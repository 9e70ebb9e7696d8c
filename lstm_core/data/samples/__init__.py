"""Bundled data: four small real series, each a CSV file beside this module, and a book. Sources: SOURCES.md."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from lstm_core.data.ingest.options import CsvOptions
from lstm_core.data.ingest.read import read_table
from lstm_core.data.samples.book import book_table
from lstm_core.data.table import Column, ColumnRoles, Table
from lstm_core.experiment import PlaygroundError

EXAMPLE_MODEL = resources.files(__package__).joinpath("sunspots.safetensors")  # made by lessons/train.py
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@dataclass(frozen=True)
class Sample:
    """A series as the gallery shows it, and the roles of its columns."""

    title: str
    caption: str
    source: str
    roles: ColumnRoles
    period: int | None = None  # rows of one season, the lag of a seasonal-naive forecast; None: not seasonal


_CITIES = ("seattle", "new_york")
_WEATHER = tuple(f"{city}_{what}" for city in _CITIES for what in ("max", "min", "rain", "wind"))
SAMPLES: dict[str, Sample] = {
    "sunspots": Sample(
        title="Sunspots",
        caption="Yearly sunspot number, 1700–2008: a cycle of about 11 years.",
        source="National Geophysical Data Center (NOAA), by way of statsmodels",
        period=11,
        roles=ColumnRoles(("SUNACTIVITY",), ("SUNACTIVITY",), time="YEAR", seq_len=24, horizon=1),
    ),
    "nile": Sample(
        title="Nile",
        caption="Yearly flow at Aswan, 1871–1970: short, with a drop in 1899.",
        source="Cobb (1978), Biometrika 65(2), 243–251, by way of statsmodels",
        roles=ColumnRoles(("volume",), ("volume",), time="year", seq_len=10, horizon=1),
    ),
    "elnino": Sample(
        title="El Niño",
        caption="Monthly sea temperature off Peru, 1950–2010, in °C.",
        source="National Weather Service (NOAA), ERSST.V3B, Niño 1+2, by way of statsmodels",
        period=12,
        roles=ColumnRoles(("temperature",), ("temperature",), time="month", seq_len=24, horizon=1),
    ),
    "weather": Sample(
        title="Weather",
        caption="Seattle and New York, day by day, 2012–2015.",
        source="National Centers for Environmental Information (NOAA), by way of vega-datasets",
        roles=ColumnRoles(
            targets=("seattle_max", "seattle_min", "new_york_max", "new_york_min", "new_york_wind"),
            features=(*_WEATHER, "season_sin", "season_cos"),
            time="date",
            seq_len=14,
            horizon=1,
        ),
    ),
}


@cache
def load_sample(name: str) -> Table:
    """The table of a sample of SAMPLES, with its roles; or of "alice", the book as characters.

    Raises:
        PlaygroundError: there is no such sample.
    """
    if name == "alice":
        return book_table()
    if name not in SAMPLES:
        raise PlaygroundError(f"There is no sample {name!r}: choose one of {', '.join(SAMPLES)}.")
    file = f"{name}.csv"
    data = resources.files(__package__).joinpath(file).read_bytes()
    table = read_table(data, file, CsvOptions(turn=False))
    if name == "elnino":
        table = _one_row_a_month(table)
    return dataclasses.replace(table, name=name, roles=SAMPLES[name].roles)


def _one_row_a_month(table: Table) -> Table:
    """One row per year with a column per month → one row per month, with columns "month" and "temperature"."""
    years = table.column("YEAR").values.astype(np.int64)
    months = (years[:, None] - 1970) * 12 + np.arange(12)  # (years, 12), counted from January 1970
    month_starts = months.ravel().astype("datetime64[M]").astype("datetime64[ns]")
    degrees = np.stack([table.column(month).values for month in MONTHS], axis=1)  # (years, 12)
    numbers = degrees.reshape(-1, 1)
    columns = Column("month", "time", month_starts), Column("temperature", "number", numbers[:, 0])
    return dataclasses.replace(table, numbers=numbers, columns=columns)
