"""Unit search: the gates and states of all units of an nn.LSTM, ranked by how well they follow a signal.

A signal has a value at every step of some windows: a number (the marker, a count, the sum so far) or a class (the
state of a grammar, the symbol to be remembered). Both are one least-squares fit of each unit's values on the signal:
its share of the variance is r² for a number and η² for a class. Nothing here draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from lstm_core.data.windows import Windows
from lstm_core.experiment import GATES, STATES, PlaygroundError
from lstm_core.model.recurrent import SequenceModel
from lstm_core.trace.gate_trace import GateTrace, trace_lstm
from lstm_core.training.batches import WindowTensors

SEARCHABLE = GATES + STATES
CHUNK = 1 << 22  # numbers traced at once
FLAT = 1e-5  # times its largest value: a unit that varies less holds still but for float32's rounding


@dataclass(frozen=True)
class UnitMatch:
    """One gate or state of one unit, and how well it follows the signal: r in −1…1, or η² in 0…1."""

    gate: str  # i, f, g, o, c or h
    layer: int
    direction: int
    unit: int
    score: float

    def values_in(self, trace: GateTrace) -> np.ndarray:
        """(batch, seq_len): what it did in a trace of the model it was found in."""
        return trace.gate(self.gate)[self.layer, self.direction, :, :, self.unit].float().cpu().numpy()


def rank_by_correlation(
    model: SequenceModel, windows: Windows, starts: np.ndarray, signal: np.ndarray, kinds: Sequence[str] = SEARCHABLE
) -> list[UnitMatch]:
    """All units, those whose values go most with the signal first, or most against it: by |r|, Pearson's.

    signal: (windows, seq_len) numbers, one a step of the windows that begin at `starts`; NaN where a step is not to
    be looked at. So a signal of the last step alone asks what a unit knows at the end. kinds: which of i, f, g, o,
    c, h. A unit that never changes scores 0.

    Raises:
        PlaygroundError: the model is no LSTM, the signal has another shape, is looked at nowhere or never changes.
    """
    signal = np.asarray(signal, np.float64)
    mask = ~np.isnan(signal)
    centred = signal - signal[mask].mean() if mask.any() else signal  # float64 then keeps all its digits
    design = np.stack([np.ones_like(signal), centred], axis=-1)
    fit = _fit(model, windows, starts, design, mask, kinds)
    return _ranked(fit, kinds, np.sign(fit.products[1]) * np.sqrt(fit.share))


def best_match_by_signal(trace: GateTrace, signals: Mapping[str, np.ndarray], gate: str) -> dict[str, UnitMatch]:
    """For each signal the top layer's unit whose `gate` correlates most with it, up or down (Pearson's r).

    signals: (batch, seq_len) each, by name; one that never changes is left out.
    """
    values = trace.gate(gate)[-1].float().cpu().numpy()  # (num_directions, batch, seq_len, hidden_size)
    directions, _, _, units = values.shape
    columns = _standardized(np.moveaxis(values, 0, 2).reshape(-1, directions * units))
    matches = {}
    for name, signal in signals.items():
        if np.ptp(signal) == 0:
            continue
        correlations = _standardized(signal.reshape(-1)) @ columns / len(columns)
        direction, unit = divmod(int(np.abs(correlations).argmax()), units)
        score = float(correlations[direction * units + unit])
        matches[name] = UnitMatch(gate, trace.h.shape[0] - 1, direction, unit, score)
    return matches


def _standardized(values: np.ndarray) -> np.ndarray:
    """Mean 0 and standard deviation 1 along the first axis; what never changes becomes 0."""
    deviation = values.std(0)
    return (values - values.mean(0)) / np.where(deviation > 0, deviation, np.inf)


def rank_by_class(
    model: SequenceModel, windows: Windows, starts: np.ndarray, classes: np.ndarray, kinds: Sequence[str] = SEARCHABLE
) -> list[UnitMatch]:
    """All units, those whose values tell the classes apart best first: by η², the share of a unit's variance that
    lies between the classes' means (Fisher's correlation ratio); 1 means that the class determines the value.

    classes: (windows, seq_len) whole numbers, −1 where a step is not to be looked at. Otherwise as
    rank_by_correlation.
    """
    classes = np.asarray(classes)
    design = (classes[..., None] == np.unique(classes[classes >= 0])).astype(np.float64)
    fit = _fit(model, windows, starts, design, classes >= 0, kinds)
    return _ranked(fit, kinds, fit.share)


def trace_windows(model: SequenceModel, windows: Windows, starts: np.ndarray) -> GateTrace:
    """Every unit's gates and states in these windows; batch k is the window at starts[k].

    Raises:
        PlaygroundError: the model is no LSTM.
    """
    if model.spec.cell != "lstm":
        raise PlaygroundError(f"This is an nn.{model.spec.module_name}: choose a model with cell “lstm”.")
    device = model.head.weight.device
    x = WindowTensors(windows, device, per_step=False).inputs(torch.from_numpy(np.asarray(starts)).to(device))
    return trace_lstm(model.lstm, model.to_module_layout(x))


@dataclass(frozen=True)
class _Fit:
    share: np.ndarray  # (values,) of each one's variance that the signal explains
    products: np.ndarray  # (columns of the design, values)
    sizes: dict[str, tuple[int, int, int]]  # (layers, directions, units) of each kind


def _window_traces(model: SequenceModel, windows: Windows, starts: np.ndarray) -> Iterator[tuple[slice, GateTrace]]:
    """The traces of these windows, so many at once that they fit in memory."""
    spec, starts = model.spec, np.asarray(starts)
    numbers = len(SEARCHABLE) * spec.num_layers * spec.num_directions * spec.hidden_size
    size = max(1, CHUNK // (windows.spec.seq_len * numbers))
    for first in range(0, len(starts), size):
        yield slice(first, first + size), trace_windows(model, windows, starts[first : first + size])


def _fit(
    model: SequenceModel,
    windows: Windows,
    starts: np.ndarray,
    design: np.ndarray,
    mask: np.ndarray,
    kinds: Sequence[str],
) -> _Fit:
    """Least squares of every unit's every kind on the design (windows, seq_len, columns), in one pass over the traces.

    mask: (windows, seq_len) bool, the steps that count.
    """
    shape = (len(starts), windows.spec.seq_len)
    if mask.shape != shape:
        raise PlaygroundError(f"The signal is {mask.shape}: give one value a step of every window, {shape}.")
    rows = design[mask]
    if not len(rows) or len(np.unique(rows, axis=0)) < 2:
        raise PlaygroundError("The signal is the same at all steps: no unit could be seen to follow it.")
    gram, products, sums, squares, max_abs = rows.T @ rows, 0.0, 0.0, 0.0, 0.0
    sizes = {}
    for chunk, trace in _window_traces(model, windows, starts):
        sizes = {kind: (*trace.gate(kind).shape[:2], trace.gate(kind).shape[-1]) for kind in kinds}
        values = _values(trace, kinds, mask[chunk])
        products = products + design[chunk][mask[chunk]].T @ values
        sums, squares = sums + values.sum(0), squares + (values**2).sum(0)
        max_abs = np.maximum(max_abs, np.abs(values).max(0, initial=0.0))
    mean = sums / len(rows)
    explained = (products * np.linalg.solve(gram, products)).sum(0) - len(rows) * mean**2
    total = squares - len(rows) * mean**2
    is_constant = total <= len(rows) * (FLAT * max_abs) ** 2
    share = np.where(is_constant, 0.0, explained / np.where(is_constant, 1.0, total))
    return _Fit(share.clip(0.0, 1.0), products, sizes)


def _values(trace: GateTrace, kinds: Sequence[str], mask: np.ndarray) -> np.ndarray:
    """(steps looked at, values) float64, in the order kind, layer, direction, unit."""
    steps = torch.from_numpy(mask).to(trace.c.device)
    values = [trace.gate(kind)[:, :, steps].movedim(2, 0).flatten(1) for kind in kinds]
    return torch.cat(values, dim=1).double().cpu().numpy()


def _ranked(fit: _Fit, kinds: Sequence[str], scores: np.ndarray) -> list[UnitMatch]:
    positions = [(kind, *position) for kind in kinds for position in np.ndindex(fit.sizes[kind])]
    order = np.argsort(-np.abs(scores), kind="stable")
    return [UnitMatch(*positions[k], float(scores[k])) for k in order]
