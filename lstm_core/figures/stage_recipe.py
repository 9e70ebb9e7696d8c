"""How the model's inputs are made of the table's columns that it does not read as they are: a target behind a start,
and features known ahead.

From this the browser makes them anew of a changed table (stage/touch/derive.js) and of rows to come (stage/ahead/), as
forecast_target.py and model_inputs.py do in Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lstm_core.data.forecast_target import SEASONAL
from lstm_core.data.model_inputs import read_ahead
from lstm_core.data.start import rows_before
from lstm_core.data.windows import Windows, known_ahead

MADE = "{} is made of the {} and cannot be grabbed."  # of what the app adds to a table


def input_columns(windows: Windows) -> Iterator[tuple[str, list[int]]]:
    """Each feature with the places of the inputs that are made of it, as model_inputs makes them."""
    ahead, at = known_ahead(windows.table, windows.spec), 0
    for name in windows.feature_names:
        count = 1
        if name in ahead:
            count = len(read_ahead(windows.offsets))
        elif windows.target is not None and name in windows.spec.targets:
            count = len(_derived(windows, windows.spec.targets.index(name)))
        yield name, list(range(at, at + count))
        at += count
    assert at == windows.input_size


def stage_recipes(windows: Windows, start: int) -> tuple[list[dict[str, Any]], list[np.ndarray]]:
    """(recipes, arrays) of the window that starts at this row: a recipe, which is JSON, for each feature that the model
    does not read as it is.

    "name", "columns": the feature and its inputs. Of a feature known ahead: "offsets", which row after its own each
    input is, and "why": "" or the sentence why the table has no such value. Of a target behind a start "why" is "" and
    "index": which target; "derived": what each input is; "log", "series": z = (log y − center) / scale; "scale":
    (output_steps,) of what the start leaves; "start": all that it takes to go on from the row before the window.

    The arrays, of starts alone, each number as a float32 and what is lost of it by that: what the start remembers of
    the rows before the window, and z in its rows, (seq_len,).
    """
    recipes, arrays = [], []
    ahead = known_ahead(windows.table, windows.spec)
    for name, columns in input_columns(windows):
        about = {"name": name, "columns": columns, "why": ""}
        if name in ahead:
            recipes.append(about | {"why": _why(windows, name), "offsets": read_ahead(windows.offsets).tolist()})
        elif windows.target is not None and name in windows.spec.targets:
            recipe, memory = _started(windows, windows.spec.targets.index(name), start)
            recipes.append(about | recipe)
            arrays += memory
    return recipes, arrays


def exactly(values: np.ndarray) -> np.ndarray:
    """(rows,) float64 → (2, rows) float32: the numbers, and what is lost of them by that."""
    near = values.astype(np.float32)
    return np.stack([near, (values - near).astype(np.float32)])


def _why(windows: Windows, name: str) -> str:
    if not windows.table.column(name).known_ahead:
        return ""
    is_series = windows.spec.series_id_input and name.startswith(f"{windows.spec.group} = ")
    return MADE.format(name, "series" if is_series else "time stamp")


def _derived(windows: Windows, target: int) -> list[str]:
    """What ForecastTarget.inputs makes of a target, in its order."""
    start = windows.target.starts[target]
    reaches = start.season > windows.spec.seq_len and start.kind in SEASONAL
    return ["error", *["change"] * (start.kind != "last"), *["seasonError"] * reaches]


def _started(windows: Windows, index: int, first: int) -> tuple[dict[str, Any], list[np.ndarray]]:
    """first: the window's first row; the one before it is of the same sequence, or the start were not known there."""
    target, last = windows.target, first - 1
    begin = int(windows.groups[np.searchsorted(windows.groups, first, side="right") - 1])
    start, (level, season, slope) = target.starts[index], target.states[index]
    is_smooth, steps = start.kind == "smooth", windows.output_steps
    rows = max(1, start.season)
    if start.kind == "season_change":
        rows = start.season * -(-steps // start.season) + 1
    errors = start.season if "seasonError" in _derived(windows, index) else 0
    known = target.known[:, index]
    recipe = {
        "index": index,
        "derived": _derived(windows, index),
        "log": target.log,
        "series": [0.0, 1.0],
        "scale": target.scale[:, index].tolist(),
        "start": {
            "kind": start.kind,
            "season": start.season,
            "mean": start.mean,
            "weights": [start.level_weight, start.season_weight, start.slope_weight],
            "slope": float(slope[last]),
            # rows left of the season after the first known one
            "second": begin + int(np.isfinite(known[begin:]).argmax()) + 2 * start.season - first,
            "rows": rows,
            "errors": errors,
        },
    }
    if target.series is not None:
        recipe["series"] = [float(part[last, index]) for part in (target.series.center, target.series.scale)]
    memory = [_past(state, begin, last, rows) for state in ((level, season) if is_smooth else (level,))]
    memory.append(_past(known, begin, last, 1))
    if errors:
        before = start.values_after(target.states[index], windows.groups, np.array([1]))[:, 0]
        memory.append(_past(known - rows_before(before, windows.groups, 1), begin, last, errors))
    return recipe, [exactly(values) for values in (*memory, known[first : first + windows.spec.seq_len])]


def _past(values: np.ndarray, begin: int, last: int, rows: int) -> np.ndarray:
    """(rows,): the last ones up to the row `last`, NaN before the sequence begins."""
    past = values[max(begin, last + 1 - rows) : last + 1]
    return np.concatenate([np.full(rows - len(past), np.nan), past])
