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
from lstm_core.training.snapshots import Moment
from pages.shared.session import plain

ALL = "all six"  # pictures, instead of one
MOST_SEARCHED = 4000  # windows looked through for the worst and the best
MOST_SERIES = 4  # features drawn above the heatmaps
FINDS = {
    "worst": "The window with the largest error",
    "best": "The window with the smallest error",
    "random": "Any window",
}


@dataclass(frozen=True)
class Look:
    """What the person looks at: a window, a part of the model, and the moment of the training."""

    run: Run
    start: int  # first row of the window
    layer: int = 0
    direction: int = 0
    gate: str = ALL  # i, f, g, o, c, h or ALL
    step: int | None = None  # the optimiser step whose weights are meant; None: as they are now
    unit: int = 0

    @cached_property
    def moment(self) -> Moment:
        """The model and its gradients: the same for all that is drawn of this look, while a training goes on."""
        run = self.run
        if self.step is not None:
            return run.remembered("moments", (self.step,), lambda: run.moment(self.step))
        # Early stopping changes the weights, and no step tells: the status does.
        return run.remembered("moments", (run.step, run.status), run.moment)


def default_window(run: Run) -> int:
    """First row of the last window that there is."""
    return int(next(s[-1] for s in (run.windows.starts[p] for p in reversed(SPLITS)) if len(s)))


def inputs_of(look: Look) -> Tensor:
    """The window as the model reads it, (1, seq_len, input_size)."""
    return torch.from_numpy(look.run.windows.inputs(np.array([look.start])))


def trace_of(look: Look) -> GateTrace:
    """The trace of the window at that moment."""
    model = look.moment.model
    return look.run.remembered("traces", (look.moment, look.start),
                      lambda: trace_lstm(model.lstm, model.lstm_input(inputs_of(look))))  # fmt: skip


def find_window(run: Run, part: str, which: str, step: int | None = None) -> int:
    """The place among the part's windows of the worst, the best or a random one, for the weights of that step."""
    starts = run.windows.starts[part]
    if which == "random":
        return int(np.random.default_rng().integers(len(starts)))
    places = np.unique(np.linspace(0, len(starts) - 1, MOST_SEARCHED).astype(int))
    said = predict(run.moment(step).model, run.windows, starts[places])
    errors = window_errors(run.windows, starts[places], said)
    return int(places[errors.argmax() if which == "worst" else errors.argmin()])


def sentence(look: Look) -> str:
    """What the model says of this window beside the truth, as Markdown."""
    windows = look.run.windows
    starts = np.array([look.start])
    said, truth = predict(look.moment.model, windows, starts)[0], windows.truth(starts)[0]
    place = _place(windows, look.start)
    cell = look.run.experiment.model.cell.upper()
    if windows.classes:
        guess = int(said.argmax())
        return (
            f"{place}, the {cell} says **{plain(windows.classes[guess])}** ({said[guess]:.0%} sure); "
            f"the truth is **{plain(windows.classes[truth])}**."
        )
    name = plain(windows.spec.targets[0])
    return f"{place}, the {cell} says {name} = **{said[0, 0]:.4g}**; the truth is **{truth[0, 0]:.4g}**."


def _place(windows: Windows, start: int) -> str:
    row = int(windows.target_rows(np.array([start]))[0, 0])
    if windows.when is None:
        return f"For row {row:,}"
    when = windows.when[row]
    return "For " + (plain(str(when)[:16].replace("T", " ")) if when.dtype.kind == "M" else f"{when:g}")


def units_by_steps(trace: GateTrace, name: str, look: Look) -> np.ndarray:
    """(units, seq_len): one gate or state of the layer and direction that is looked at."""
    return trace.gate(name)[look.layer, look.direction, 0].float().cpu().numpy().T


def input_series(windows: Windows, start: int) -> dict[str, np.ndarray]:
    """The window's inputs by name: in the file's units if there is one feature, else scaled to share an axis."""
    rows = slice(start, start + windows.spec.seq_len)
    names = windows.spec.features[:MOST_SERIES]
    if len(windows.spec.features) == 1:
        return {names[0]: windows.x[rows, 0]}
    scaled = windows.inputs(np.array([start]))[0]
    return {f"{name} (scaled)": scaled[:, k] for k, name in enumerate(names)}
