"""Values to come of the features that are known ahead, read from a CSV file: a plan, a calendar of prices."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np
import pandas as pd

from lstm_core.data.series_rows import listed, time_text
from lstm_core.experiment import DataSpec, PlaygroundError

MAX_BYTES = 10_000_000
DELIMITERS = (",", ";", "\t")


def read_known_values(
    data: bytes, name: str, spec: DataSpec, series: Sequence[str], times: Sequence[np.ndarray | None], steps: int
) -> tuple[dict[str, np.ndarray], str]:
    """(feature → (series, steps) float64, NaN where the file is silent; a sentence of what was read).

    The file has the columns of the spec's features that are known ahead, or some of them; the time column, by which
    its rows find their place; and, with several series, the sequence id: without it each row holds for all of them.
    Without times to come, its rows follow one another from step 1 on.

    series: their names; times: of each its times to come, (steps,).

    Raises:
        PlaygroundError: a name, a time, a series or a number does not fit.
    """
    if len(data) > MAX_BYTES:
        raise PlaygroundError(f"{name!r} is too large for values to come: give one row for each time.")
    frame = _cells(data, name)
    present = [feature for feature in spec.known_future if feature in frame]
    has_times = spec.time is not None and times[0] is not None
    wanted = [*([spec.time] if has_times else []), *spec.known_future]
    strange = [column for column in frame if column not in (*wanted, spec.time, spec.group)]
    if not present or (has_times and spec.time not in frame):
        lacking = "none of the features known ahead" if not present else f"no column {spec.time!r}"
        raise PlaygroundError(
            f"{name!r} has {lacking}: name its columns {listed(wanted, 6)}, exactly so, in its first line."
        )
    numbers = {feature: _numbers(frame[feature], feature, name) for feature in present}
    of_series = _series_of_rows(frame, spec, series, name)
    steps_of_rows = _steps(frame, spec, series, times, name) if has_times else [np.arange(len(frame))] * len(series)
    result = {feature: np.full((len(series), steps), np.nan) for feature in present}
    used = np.zeros(len(frame), bool)
    for k in range(len(series)):
        rows = np.flatnonzero(of_series[k] & (steps_of_rows[k] >= 0) & (steps_of_rows[k] < steps))
        used[rows] = True
        for feature in present:
            result[feature][k, steps_of_rows[k][rows]] = numbers[feature][rows]
    if not used.any():
        first, last = (time_text(times[0][at]) for at in (0, steps - 1))
        raise PlaygroundError(f"{name!r} has none of the {steps:,} times to come, {first} to {last}: give these.")
    return result, _sentence(name, used, present, strange)


def _cells(data: bytes, name: str) -> pd.DataFrame:
    """All cells as texts."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    head = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=head.count)
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(cell.strip() for cell in row)]
    header = [cell.strip() for cell in rows[0]] if rows else []
    if len(rows) < 2 or len(set(header)) < len(header):
        problem = "has no rows of values" if len(rows) < 2 else "has two columns of one name"
        raise PlaygroundError(f"{name!r} {problem}: its first line names the columns, each other one is a row.")
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise PlaygroundError(
                f"Row {number:,} of {name!r} has {len(row)} cells, its header {len(header)}: mend it."
            )
    return pd.DataFrame([[cell.strip() for cell in row] for row in rows[1:]], columns=header)


def _numbers(cells: pd.Series, feature: str, name: str) -> np.ndarray:
    plain = cells.str.replace(",", ".", regex=False) if not cells.str.contains(r"\.").any() else cells
    values = pd.to_numeric(plain, errors="coerce").to_numpy(np.float64, copy=True)
    _refuse_cells(cells, ~np.isfinite(values) & (cells != "").to_numpy(), f"is no number of {feature!r}", name)
    return values


def _refuse_cells(cells: pd.Series, bad: np.ndarray, problem: str, name: str) -> None:
    if bad.any():
        row = int(bad.argmax())
        raise PlaygroundError(f"Row {row + 2:,} of {name!r}: {cells.iloc[row][:40]!r} {problem}.")


def _series_of_rows(frame: pd.DataFrame, spec: DataSpec, series: Sequence[str], name: str) -> list[np.ndarray]:
    """Of each series, (rows,) bool: its rows."""
    if spec.group is None or spec.group not in frame or len(series) < 2:
        return [np.ones(len(frame), bool)] * len(series)
    ids = frame[spec.group]
    _refuse_cells(ids, ~ids.isin(series).to_numpy(), f"is none of the series of {spec.group!r}", name)
    return [(ids == one).to_numpy() for one in series]


def _steps(
    frame: pd.DataFrame, spec: DataSpec, series: Sequence[str], times: Sequence[np.ndarray | None], name: str
) -> list[np.ndarray]:
    """Of each series, (rows,): which of its times to come a row is, from 0; −1 for none."""
    cells = frame[spec.time]
    if times[0].dtype.kind == "M":
        parsed = pd.to_datetime(cells, errors="coerce", format="mixed", utc=True).dt.tz_localize(None)
        parsed = parsed.to_numpy("M8[ns]")
        bad = np.isnat(parsed)
    else:
        parsed = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64)
        bad = np.isnan(parsed)
    _refuse_cells(cells, bad, f"is no time of {spec.time!r}", name)
    return [
        np.full(len(frame), -1) if own is None else pd.Index(own).get_indexer(parsed.astype(own.dtype))
        for own in times[: len(series)]
    ]


def _sentence(name: str, used: np.ndarray, present: list[str], strange: list[str]) -> str:
    text = f"{used.sum():,} rows of {name!r} give values of {listed(present, 6)}."
    left = int((~used).sum())
    if left:
        text += f" {left:,} {'row is' if left == 1 else 'rows are'} of other times, and not used."
    if strange:
        text += f" Not used: {'the column' if len(strange) == 1 else 'the columns'} {listed(strange, 6)}."
    return text
