"""What the Gates page asks of a run: a window, its trace, and what the model says of it."""

from __future__ import annotations

import numpy as np
import torch

from lstm_core.experiment import SPLITS
from lstm_core.horizon import Horizon, memory_horizon, steps_back
from lstm_core.predictions import predict, window_errors
from lstm_core.runs import Run
from lstm_core.trace import GateTrace, trace_lstm
from lstm_core.windows import Windows
from pages.shared.session import plain

KEPT = 8  # traces a run remembers
MOST_SEARCHED = 4000  # windows looked through for the worst and the best
MOST_SERIES = 4  # features drawn above the heatmaps
FINDS = {
    "worst": "The window with the largest error",
    "best": "The window with the smallest error",
    "random": "Any window",
}


def default_window(run: Run) -> int:
    """First row of the last window that there is."""
    return int(next(s[-1] for s in (run.trainer.windows.starts[p] for p in reversed(SPLITS)) if len(s)))


def trace_of(run: Run, start: int) -> tuple[GateTrace, int]:
    """The trace of the window that starts at this row, on the weights of now, and the step they are from."""
    step = run.trainer.step
    known = run.memo.setdefault("traces", {})
    if (step, start) not in known:
        model = run.model()
        x = torch.from_numpy(run.trainer.windows.inputs(np.array([start])))
        known[step, start] = trace_lstm(model.lstm, model.lstm_input(x))
        for old in list(known)[:-KEPT]:
            known.pop(old, None)
    return known[step, start], step


def horizon_of(run: Run, start: int) -> Horizon:
    """How far back the prediction for this window looks: of a regression's first number, or of the likeliest class."""
    windows, model = run.trainer.windows, run.model()
    starts = np.array([start])
    likeliest = int(predict(model, windows, starts)[0].argmax()) if windows.classes else 0
    return memory_horizon(model, torch.from_numpy(windows.inputs(starts)), likeliest)


def horizon_sentence(horizon: Horizon) -> str:
    """How many steps back the gradient of the input has faded."""
    half, hundredth = (steps_back(horizon.d_x[0], share) for share in (0.5, 0.01))
    seq_len = horizon.d_x.shape[1]
    if hundredth >= seq_len:
        return (
            "It looks back over the whole window: even its first step has more than 1 % of the strongest influence "
            f"(half of it fades within {half} steps of the end)."
        )
    return (
        f"Steps more than **{half}** before the end have less than half of the strongest influence on the "
        f"prediction, steps more than **{hundredth}** before it less than 1 %: what lies further back is as good as "
        "forgotten."
    )


def find_window(run: Run, part: str, which: str) -> int:
    """The place among the part's windows of the worst, the best or a random one."""
    starts = run.trainer.windows.starts[part]
    if which == "random":
        return int(np.random.default_rng().integers(len(starts)))
    places = np.unique(np.linspace(0, len(starts) - 1, MOST_SEARCHED).astype(int))
    errors = window_errors(run.trainer.windows, starts[places],
                           predict(run.model(), run.trainer.windows, starts[places]))  # fmt: skip
    return int(places[errors.argmax() if which == "worst" else errors.argmin()])


def sentence(run: Run, start: int) -> str:
    """What the model says of this window beside the truth, as Markdown."""
    windows = run.trainer.windows
    starts = np.array([start])
    said, truth = predict(run.model(), windows, starts)[0], windows.truth(starts)[0]
    place = _place(windows, start)
    if windows.classes:
        guess = int(said.argmax())
        return (
            f"{place}, the LSTM says **{plain(windows.classes[guess])}** ({said[guess]:.0%} sure); "
            f"the truth is **{plain(windows.classes[truth])}**."
        )
    name = plain(windows.spec.targets[0])
    return f"{place}, the LSTM says {name} = **{said[0, 0]:.4g}**; the truth is **{truth[0, 0]:.4g}**."


def _place(windows: Windows, start: int) -> str:
    row = int(windows.target_rows(np.array([start]))[0, 0])
    if windows.when is None:
        return f"For row {row:,}"
    when = windows.when[row]
    return "For " + (plain(str(when)[:16].replace("T", " ")) if when.dtype.kind == "M" else f"{when:g}")


def input_series(windows: Windows, start: int) -> dict[str, np.ndarray]:
    """The window's inputs by name: in the file's units if there is one feature, else scaled to share an axis."""
    rows = slice(start, start + windows.spec.seq_len)
    names = windows.spec.features[:MOST_SERIES]
    if len(windows.spec.features) == 1:
        return {names[0]: windows.x[rows, 0]}
    scaled = windows.inputs(np.array([start]))[0]
    return {f"{name} (scaled)": scaled[:, k] for k, name in enumerate(names)}
