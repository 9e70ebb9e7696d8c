"""What every view of the Gates page shows, a Selection, and what they share: the snapshot, the trace, the sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lstm_core.data.number_format import format_percent, minus_sign
from lstm_core.data.windows import Windows
from lstm_core.figures.symbols import symbol_texts
from lstm_core.forecasting.predict import predict
from lstm_core.forecasting.scores import window_errors
from lstm_core.runs.run import Run
from lstm_core.trace.gate_trace import GateTrace, trace_lstm
from lstm_core.training.snapshots import ModelSnapshot, Snapshot
from pages.shared.session.messages import escape_markdown

ALL = "all six"  # heatmaps, instead of one
MAX_SEARCHED = 4000  # windows, evenly spread, among which the worst and the best are searched
MAX_SERIES = 4  # features drawn above the heatmaps
WINDOW_SEARCHES = {
    "worst": "The window with the largest error",
    "best": "The window with the smallest error",
    "random": "A random window",
}


def cell_name(cell: str) -> str:
    return f"a {cell.upper()}" if cell == "gru" else f"an {cell.upper()}"


@dataclass(frozen=True)
class Selection:
    """What is shown: a window, a layer, direction and gate of the model, and a step of the training."""

    run: Run
    start: int  # first row of the window
    layer: int = 0
    direction: int = 0
    gate: str = ALL  # i, f, g, o, c, h or ALL
    step: int | None = None  # the optimiser step whose weights are shown; None: the current ones
    unit: int = 0

    @cached_property
    def snapshot(self) -> ModelSnapshot:
        """The model and its gradients: the same one for everything drawn of this selection, even during training."""
        run = self.run
        if self.step is not None:
            return run.cached("snapshots", (self.step,), lambda: run.snapshot_at(self.step))
        return run.cached("snapshots", run.weights_key, run.snapshot_at)


def weights_moment(run: Run, step: int) -> str:
    """Of which moment the weights at a step are: "step 516", or "epoch 28, the best" where those have come back."""
    best = best_epoch_shown(run) if step == run.step else None
    if best == "refit":
        return "the refit"
    return f"step {step:,}" if best is None else f"epoch {best:,}, the best"


def best_epoch_shown(run: Run) -> int | str | None:
    """Whose weights a training has ended with: the best epoch, or "refit"; None for those of its last step."""
    if run.refitted and run.best_epoch and not run.is_active:
        return "refit"
    return run.best_epoch if run.step and not run.is_active and run.has_best_weights else None


def by_snapshot(run: Run, kind: str, key: tuple, compute: Callable[[Snapshot], Any]) -> dict[Snapshot, Any]:
    """compute(snapshot) of every snapshot that the run keeps; each is computed once for this kind and key."""
    cached = run.cached(kind, key, dict)
    snapshots = [run.snapshots.nearest(step) for step in run.snapshots.steps]
    results = {snapshot: cached.get(snapshot) or compute(snapshot) for snapshot in snapshots}
    run.cache.setdefault(kind, {})[key] = results  # those that the run has dropped go with the old ones
    return results


def last_window(run: Run) -> int:
    """First row of the last window of the last split that is shown."""
    return int(run.windows.starts[run.shown_splits[-1]][-1])


def window_input(selection: Selection) -> Tensor:
    """The window as the model reads it, (1, seq_len, input_size)."""
    return torch.from_numpy(selection.run.windows.inputs(np.array([selection.start])))


def window_trace(selection: Selection) -> GateTrace:
    """The trace of the window through the selected snapshot."""
    model = selection.snapshot.model
    return selection.run.cached(
        "traces",
        (selection.snapshot, selection.start),
        lambda: trace_lstm(model.lstm, model.to_module_layout(window_input(selection))),
    )


def find_window(run: Run, split: str, search: str, step: int | None = None) -> int:
    """The index, within the split, of the worst, the best or a random window for the weights of that step."""
    starts = run.windows.starts[split]
    if search == "random":
        return int(np.random.default_rng().integers(len(starts)))
    indices = np.unique(np.linspace(0, len(starts) - 1, MAX_SEARCHED).astype(int))
    predictions = predict(run.snapshot_at(step).model, run.windows, starts[indices])
    errors = window_errors(run.windows, starts[indices], predictions)
    return int(indices[errors.argmax() if search == "worst" else errors.argmin()])


def prediction_text(selection: Selection) -> str:
    """The prediction for this window and the target, as Markdown: "2008: predicted **24.63**, actual **2.9**."."""
    windows = selection.run.windows
    starts = np.array([selection.start])
    predictions, targets = predict(selection.snapshot.model, windows, starts)[0], windows.targets(starts)[0]
    label = _target_text(windows, selection.start)
    if windows.classes:
        guess = int(predictions.argmax())
        probability = format_percent(predictions[guess], 0)
        return (
            f"{label}: predicted **{escape_markdown(windows.classes[guess])}** ({probability}), "
            f"actual **{escape_markdown(windows.classes[targets])}**."
        )
    if len(windows.spec.targets) > 1:
        label += f", {escape_markdown(windows.spec.targets[0])}"
    predicted, actual = (minus_sign(f"{values[0, 0]:.4g}") for values in (predictions, targets))
    return f"{label}: predicted **{predicted}**, actual **{actual}**."


def _target_text(windows: Windows, start: int) -> str:
    row = int(windows.target_rows(np.array([start]))[0, 0])
    label = windows.label(row)
    return escape_markdown(label[:1].upper() + label[1:])


def activations(trace: GateTrace, name: str, selection: Selection) -> np.ndarray:
    """One gate or state of the selected layer and direction, (units, seq_len)."""
    return trace.gate(name)[selection.layer, selection.direction, 0].float().cpu().numpy().T


def window_read(windows: Windows, start: int) -> dict[str, Any]:
    """The window's inputs as gate_heatmaps takes them: symbols where they are one-hot, else series."""
    symbols = symbol_texts(windows, start)
    return {"symbols": symbols} if symbols else {"series": input_series(windows, start)}


def input_series(windows: Windows, start: int) -> dict[str, np.ndarray]:
    """The window's features by name, (seq_len,) each: in the file's units if there is one, else scaled.

    With a start the model reads what that leaves of a target; here the target itself is drawn.
    """
    rows = slice(start, start + windows.spec.seq_len)
    names = windows.feature_names[:MAX_SERIES]
    if len(windows.feature_names) == 1:
        return {names[0]: windows.features[rows, 0]}
    return {f"{name} (scaled)": windows.scaled_features[rows, k] for k, name in enumerate(names)}
