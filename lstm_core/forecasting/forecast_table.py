"""A forecast as columns of a table: for the page, a CSV file and the command line."""

from __future__ import annotations

import csv
import io

import numpy as np

from lstm_core.data.spreadsheet import spreadsheet_text, unique_texts
from lstm_core.forecasting.future import LEVELS, Forecast, SeriesForecast


def forecast_columns(forecast: Forecast, group: str | None = None) -> dict[str, np.ndarray]:
    """Name → (rows,), a row for each series, target and step, in this order.

    time: ISO texts, empty where the times to come are not known; step: from 1, int64; forecast, lower_80, upper_80,
    lower_95, upper_95: float64, in the target's units; with several targets target, its name; with a sequence id
    (group: its column) the series' own, under that column's name.
    """
    parts = [_rows(one, forecast, k) for one in forecast.series for k in range(len(forecast.targets))]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if len(forecast.targets) == 1:
        del columns["target"]
    series = columns.pop("series")
    names = unique_texts([*columns, *([] if group is None else [group])])
    return dict(zip(names, [*columns.values(), *([] if group is None else [series])], strict=True))


def _rows(one: SeriesForecast, forecast: Forecast, target: int) -> dict[str, np.ndarray]:
    count = forecast.steps
    columns = {
        "time": np.full(count, "") if one.times is None else time_texts(one.times),
        "step": np.arange(1, count + 1),
        "forecast": one.values[:, target],
    }
    for level in LEVELS:
        columns[f"lower_{level * 100:.0f}"] = one.lower[level][:, target]
        columns[f"upper_{level * 100:.0f}"] = one.upper[level][:, target]
    return columns | {"target": np.full(count, forecast.targets[target]), "series": np.full(count, one.series)}


def time_texts(times: np.ndarray) -> np.ndarray:
    """(rows,) texts in ISO 8601, as short as all of them allow; of a time column of numbers, the numbers."""
    if times.dtype.kind != "M":
        return np.array([f"{value:.10g}" for value in times.tolist()])
    unit = next(unit for unit in ("D", "s", "ns") if (times.astype(f"M8[{unit}]") == times).all())
    return np.datetime_as_string(times, unit)


def forecast_csv(columns: dict[str, np.ndarray]) -> bytes:
    """forecast_columns as a CSV file in UTF-8; what is not known is empty, and no text is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(_cells(name, values) for name, values in columns.items()), strict=True))
    return text.getvalue().encode()


def _cells(name: str, values: np.ndarray) -> list[str]:
    if values.dtype.kind == "U":
        return [value if name == "time" else spreadsheet_text(value) for value in values.tolist()]
    return ["" if value != value else f"{value:.10g}" for value in values.tolist()]
