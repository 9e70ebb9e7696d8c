"""What the stage needs to go on past a window: which inputs the predictions become, and the true rows.

The browser feeds a model its own predictions from this (stage/ahead/) and from stage_recipe.py;
forecasting/future.py does the same in Python past a table's end.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lstm_core.data.window_symbols import window_symbols
from lstm_core.data.windows import Windows, known_ahead
from lstm_core.experiment import ModelSpec
from lstm_core.figures.stage_recipe import exactly, input_columns

MAX_ROWS = 200  # that the stage goes on for
MIN_TRUE_ROWS, MAX_NUMBERS = 50, 16_000  # true rows of a wide table: so many at least, else so many numbers at most
CHECKED_ROWS = 2_000  # around a window, on which a class is found to be the next symbol
OUT_OF_ORDER = "After a step this model does not predict the symbol that comes next, so its answer is no next input."
BOTH_WAYS = (
    "A bidirectional model also reads the window from its end: each new row would change all that its reverse "
    "direction has read, so it cannot go on row by row."
)
NO_INPUT = "This model predicts classes, and a class is none of its inputs: there is nothing to feed back."
OWN_ROW = "This model predicts the window's own last row (horizon 0), so its prediction is no next row."


def stage_future(windows: Windows, spec: ModelSpec, start: int) -> tuple[dict[str, Any], list[np.ndarray]]:
    """(header, arrays) of going on past the window that starts at this row; the header is JSON.

    "why": the sentence why this model cannot go on, "" where it can; nothing else is sent then. "rows": those that the
    table has after the window, MAX_ROWS at most. Of symbols: "map", the input that each class is; "on", "off": a 1 and
    a 0 of each input as the model reads them; "truth": the inputs that come, one a row; "carries": whether the state is
    carried on, as a model with an output at every step has learned it, or the window slides. Of numbers: "known": the
    inputs that are read at their targets' time; "fed": of each target that is read, how its predictions are fed back:
    "index" and "columns", its inputs, and without a start how an output becomes its value.

    The arrays, of numbers alone, all float32: the model's inputs in the rows after the window (rows, input_size), NaN
    where a row lacks one; the first target in these rows (rows,); with a start z of each of "fed" there, exactly.
    """
    if spec.bidirectional:
        return {"why": BOTH_WAYS}, []
    if windows.classes:
        return _symbols(windows, spec, start), []
    target = windows.spec.targets[0]
    if not windows.spec.horizon:
        return {"why": OWN_ROW}, []
    if target not in windows.feature_names:
        return {"why": f"The model does not read its own target, {target}, so its predictions are no inputs."}, []
    return _numbers(windows, start)


def _symbols(windows: Windows, spec: ModelSpec, start: int) -> dict[str, Any]:
    names = list(windows.input_names)
    if window_symbols(windows, start) is None or not set(windows.classes) <= set(names):
        return {"why": NO_INPUT}
    inputs = np.array([names.index(name) for name in windows.classes])
    last, first = start + windows.spec.seq_len - 1, max(0, start - CHECKED_ROWS)
    rows = np.arange(first, min(windows.rows - 1, last + CHECKED_ROWS))
    agrees, says = _next_symbols(windows, inputs, rows)
    own, following = (np.searchsorted(windows.groups, rows + more, side="right") for more in (0, 1))
    inside = says & (own == following)
    if not inside.any() or not agrees[inside].all():
        return {"why": OUT_OF_ORDER}
    truth = _true_symbols(windows, inputs, last, agrees[last - first :])
    on, off = (((value - windows.x_center) / windows.x_scale).astype(np.float32).tolist() for value in (1.0, 0.0))
    carries = spec.head == "per_step"
    return {"why": "", "rows": len(truth), "map": inputs.tolist(), "on": on, "off": off, "truth": truth} | {
        "carries": carries
    }


def _next_symbols(windows: Windows, inputs: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of these rows: whether the class after each is the symbol that the next row reads; whether there are both."""
    offset = int(windows.offsets[0])
    predicted = np.minimum(rows + offset, windows.rows - 1)
    classes, following = windows.y[predicted], windows.x[rows + 1]
    says = (classes >= 0) & following.any(1)
    return says & (inputs[classes] == following.argmax(1)), says


def _true_symbols(windows: Windows, inputs: np.ndarray, last: int, agrees: np.ndarray) -> list[int]:
    """The inputs in the rows after `last`, as far as they are known; agrees: of each row from `last` on, whether its
    class is what the next row reads. A text that is cut into sequences goes on in the next one."""
    end = windows.rows
    if not windows.table.groups_in_order:
        end = int(windows.groups[np.searchsorted(windows.groups, last, side="right")])
    count = int(np.append(agrees, False).argmin()) + 1  # the class of the last row that agrees no more is known, too
    first = last + int(windows.offsets[0])
    classes = windows.y[first : min(end, first + min(count, MAX_ROWS))]
    return inputs[classes[: int(np.append(classes, -1).argmin())]].tolist()


def _numbers(windows: Windows, start: int) -> tuple[dict[str, Any], list[np.ndarray]]:
    last = start + windows.spec.seq_len - 1
    end = int(windows.groups[np.searchsorted(windows.groups, start, side="right")])
    most = min(MAX_ROWS, max(MIN_TRUE_ROWS, MAX_NUMBERS // windows.input_size))
    after = slice(last + 1, min(end, last + 1 + most))
    arrays = [windows.scaled_x[after], windows.y[after, 0].astype(np.float32)]
    known, fed = [], []
    for name, columns in input_columns(windows):
        if name in known_ahead(windows.table, windows.spec):
            known += columns
        elif name in windows.spec.targets:
            index = windows.spec.targets.index(name)
            one = {"index": index, "columns": columns}
            if windows.target is None:
                steps = windows.output_steps
                one |= {"center": float(windows.y_center[index]), "scale": [float(windows.y_scale[index])] * steps}
            else:
                arrays.append(exactly(windows.target.known[after, index]))
            fed.append(one)
    return {"why": "", "rows": after.stop - after.start, "known": known, "fed": fed}, arrays
