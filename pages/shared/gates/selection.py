"""What every view of the Gates page is given, a Look, and what they all ask of it: the model, the trace, the words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from lstm_core.data.windows import Windows
from lstm_core.experiment import SPLITS
from lstm_core.forecasting.metrics import window_errors
from lstm_core.forecasting.predict import predict
from lstm_core.runs.run import Run
from lstm_core.trace.gate_trace import GateTrace, trace_lstm
from lstm_core.training.snapshots import ModelSnapshot
from pages.shared.session.messages import escape_markdown

ALL = "all six"  # pictures, instead of one
MAX_SEARCHED = 4000  # windows looked through for the worst and the best
MAX_SERIES = 4  # features drawn above the heatmaps
WINDOW_SEARCHES = {
    "worst": "The window with the largest error",
    "best": "The window with the smallest error",
    "random": "Any window",
}


@dataclass(frozen=True)
class Selection:
    """What the person looks at: a window, a part of the model, and the moment of the training."""

    run: Run
    start: int  # first row of the window
    layer: int = 0
    direction: int = 0
    gate: str = ALL  # i, f, g, o, c, h or ALL
    step: int | None = None  # the optimiser step whose weights are meant; None: as they are now
    unit: int = 0

    @cached_property
    def snapshot(self) -> ModelSnapshot:
        """The model and its gradients: the same for all that is drawn of this look, while a training goes on."""
        run = self.run
        if self.step is not None:
            return run.cached("moments", (self.step,), lambda: run.snapshot_at(self.step))
        # Early stopping changes the weights, and no step tells: the status does.
        return run.cached("moments", (run.step, run.status), run.snapshot_at)


def last_window(run: Run) -> int:
    """First row of the last window that there is."""
    return int(next(s[-1] for s in (run.windows.starts[p] for p in reversed(SPLITS)) if len(s)))


def window_input(selection: Selection) -> Tensor:
    """The window as the model reads it, (1, seq_len, input_size)."""
    return torch.from_numpy(selection.run.windows.inputs(np.array([selection.start])))


def window_trace(selection: Selection) -> GateTrace:
    """The trace of the window at that moment."""
    model = selection.snapshot.model
    return selection.run.cached(
        "traces",
        (selection.snapshot, selection.start),
        lambda: trace_lstm(model.lstm, model.to_module_layout(window_input(selection))),
    )


def find_window(run: Run, split: str, search: str, step: int | None = None) -> int:
    """The place among the part's windows of the worst, the best or a random one, for the weights of that step."""
    starts = run.windows.starts[split]
    if search == "random":
        return int(np.random.default_rng().integers(len(starts)))
    indices = np.unique(np.linspace(0, len(starts) - 1, MAX_SEARCHED).astype(int))
    predictions = predict(run.snapshot_at(step).model, run.windows, starts[indices])
    errors = window_errors(run.windows, starts[indices], predictions)
    return int(indices[errors.argmax() if search == "worst" else errors.argmin()])


def prediction_text(selection: Selection) -> str:
    """What the model says of this window beside the truth, as Markdown."""
    windows = selection.run.windows
    starts = np.array([selection.start])
    predictions, targets = predict(selection.snapshot.model, windows, starts)[0], windows.targets(starts)[0]
    label = _target_text(windows, selection.start)
    cell = selection.run.experiment.model.cell.upper()
    if windows.classes:
        guess = int(predictions.argmax())
        return (
            f"{label}, the {cell} says **{escape_markdown(windows.classes[guess])}** ({predictions[guess]:.0%} sure); "
            f"the truth is **{escape_markdown(windows.classes[targets])}**."
        )
    name = escape_markdown(windows.spec.targets[0])
    return f"{label}, the {cell} says {name} = **{predictions[0, 0]:.4g}**; the truth is **{targets[0, 0]:.4g}**."


def _target_text(windows: Windows, start: int) -> str:
    row = int(windows.target_rows(np.array([start]))[0, 0])
    if windows.time is None:
        return f"For row {row:,}"
    time = windows.time[row]
    return "For " + (escape_markdown(str(time)[:16].replace("T", " ")) if time.dtype.kind == "M" else f"{time:g}")


def activations(trace: GateTrace, name: str, selection: Selection) -> np.ndarray:
    """(units, seq_len): one gate or state of the layer and direction that is looked at."""
    return trace.gate(name)[selection.layer, selection.direction, 0].float().cpu().numpy().T


def input_series(windows: Windows, start: int) -> dict[str, np.ndarray]:
    """The window's inputs by name: in the file's units if there is one feature, else scaled to share an axis."""
    rows = slice(start, start + windows.spec.seq_len)
    names = windows.spec.features[:MAX_SERIES]
    if len(windows.spec.features) == 1:
        return {names[0]: windows.x[rows, 0]}
    scaled = windows.inputs(np.array([start]))[0]
    return {f"{name} (scaled)": scaled[:, k] for k, name in enumerate(names)}
