"""Which unit of an nn.LSTM does it: every unit's gates and states, ranked by how well they follow a signal.

A signal says something of every step of some windows: a number (the marker, a count, the sum so far) or a class (the
state of a grammar, the symbol to be remembered). Both are one least-squares fit of each unit's values on the signal:
its share of the variance is r² for a number and η² for a class. Nothing here draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from lstm_core.data.windows import Windows
from lstm_core.experiment import GATES, STATES, PlaygroundError
from lstm_core.model.recurrent import SequenceLSTM
from lstm_core.trace.gate_trace import GateTrace, trace_lstm
from lstm_core.training.batches import Batches

KINDS = GATES + STATES
CHUNK = 1 << 22  # numbers traced at once
FLAT = 1e-5  # times its largest value: a unit that varies less holds still but for float32's rounding


@dataclass(frozen=True)
class Found:
    """One gate or state of one unit, and how well it follows the signal: r in −1…1, or η² in 0…1."""

    kind: str  # i, f, g, o, c or h
    layer: int
    direction: int
    unit: int
    score: float

    def of(self, trace: GateTrace) -> np.ndarray:
        """(batch, seq_len): what it did in a trace of the model it was found in."""
        return trace.gate(self.kind)[self.layer, self.direction, :, :, self.unit].float().cpu().numpy()


def units_by_correlation(
    model: SequenceLSTM,
    windows: Windows,
    starts: np.ndarray,
    signal: np.ndarray,
    kinds: Sequence[str] = KINDS,
) -> list[Found]:
    """All units, those whose values go most with the signal first, or most against it: by |r|, Pearson's.

    signal: (windows, seq_len) numbers, one a step of the windows that begin at `starts`; NaN where a step is not to
    be looked at. So a signal of the last step alone asks what a unit knows at the end. kinds: which of i, f, g, o,
    c, h. A unit that never changes scores 0.

    Raises:
        PlaygroundError: the model is no LSTM, the signal has another shape, is looked at nowhere or never changes.
    """
    signal = np.asarray(signal, np.float64)
    looked = ~np.isnan(signal)
    centred = signal - signal[looked].mean() if looked.any() else signal  # float64 then keeps all its digits
    design = np.stack([np.ones_like(signal), centred], axis=-1)
    fit = _fit(model, windows, starts, design, looked, kinds)
    return _ranked(model, kinds, np.sign(fit.products[1]) * np.sqrt(fit.share))


def units_by_class(
    model: SequenceLSTM,
    windows: Windows,
    starts: np.ndarray,
    classes: np.ndarray,
    kinds: Sequence[str] = KINDS,
) -> list[Found]:
    """All units, those whose values tell the classes apart best first: by η², the share of a unit's variance that
    lies between the classes' means (Fisher's correlation ratio); 1 means that the class says the value exactly.

    classes: (windows, seq_len) whole numbers, −1 where a step is not to be looked at. Otherwise as
    units_by_correlation.
    """
    classes = np.asarray(classes)
    design = (classes[..., None] == np.unique(classes[classes >= 0])).astype(np.float64)
    return _ranked(model, kinds, _fit(model, windows, starts, design, classes >= 0, kinds).share)


def best(found: Sequence[Found], *kinds: str) -> Found:
    """The first of a ranking that is of one of these kinds."""
    return next(one for one in found if one.kind in kinds)


def trace_windows(model: SequenceLSTM, windows: Windows, starts: np.ndarray) -> GateTrace:
    """What every unit does in these windows, as the model sees them; batch k is the window at starts[k].

    Raises:
        PlaygroundError: the model is no LSTM.
    """
    if model.spec.cell != "lstm":
        raise PlaygroundError(f"This is an nn.{model.spec.module_name}: choose a model with cell “lstm”.")
    device = model.head.weight.device
    x = Batches(windows, device, every=False).inputs(torch.from_numpy(np.asarray(starts)).to(device))
    return trace_lstm(model.lstm, model.lstm_input(x))


@dataclass(frozen=True)
class _Fit:
    share: np.ndarray  # (values,) of each one's variance that the signal explains
    products: np.ndarray  # (columns of the design, values)


def _fit(model, windows, starts, design, looked, kinds) -> _Fit:
    """Least squares of every unit's every kind on the design (windows, seq_len, columns), in one pass over the
    traces; looked: (windows, seq_len) bool."""
    starts = np.asarray(starts)
    shape = (len(starts), windows.spec.seq_len)
    if looked.shape != shape:
        raise PlaygroundError(
            f"The signal is {looked.shape}: give one value a step of every window, {shape}."
        )
    kept = design[looked]
    if not len(kept) or len(np.unique(kept, axis=0)) < 2:
        raise PlaygroundError("The signal is the same at all steps: no unit could be seen to follow it.")
    gram, products, sums, squares, most = kept.T @ kept, 0.0, 0.0, 0.0, 0.0
    numbers = len(KINDS) * model.spec.num_layers * model.spec.num_directions * model.spec.hidden_size
    size = max(1, CHUNK // (shape[1] * numbers))
    for first in range(0, shape[0], size):
        chunk = slice(first, first + size)
        values = _values(trace_windows(model, windows, starts[chunk]), kinds, looked[chunk])
        products = products + design[chunk][looked[chunk]].T @ values
        sums, squares = sums + values.sum(0), squares + (values**2).sum(0)
        most = np.maximum(most, np.abs(values).max(0, initial=0.0))
    mean = sums / len(kept)
    explained = (products * np.linalg.solve(gram, products)).sum(0) - len(kept) * mean**2
    total = squares - len(kept) * mean**2
    still = total <= len(kept) * (FLAT * most) ** 2
    share = np.where(still, 0.0, explained / np.where(still, 1.0, total))
    return _Fit(share.clip(0.0, 1.0), products)


def _values(trace: GateTrace, kinds: Sequence[str], looked: np.ndarray) -> np.ndarray:
    """(steps looked at, values) float64, in the order kind, layer, direction, unit."""
    steps = torch.from_numpy(looked).to(trace.c.device)
    parts = [trace.gate(kind)[:, :, steps].movedim(2, 0).flatten(1) for kind in kinds]
    return torch.cat(parts, dim=1).double().cpu().numpy()


def _ranked(model: SequenceLSTM, kinds: Sequence[str], scores: np.ndarray) -> list[Found]:
    spec, places = model.spec, []
    for kind in kinds:
        width = spec.h_size if kind == "h" else spec.hidden_size
        places += [(kind, *place) for place in np.ndindex(spec.num_layers, spec.num_directions, width)]
    order = np.argsort(-np.abs(scores), kind="stable")
    return [Found(*places[k], float(scores[k])) for k in order]
