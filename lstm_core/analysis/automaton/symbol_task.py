"""What windows say of a model that reads symbols: which they are, where words begin and end, and the true grammar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_core.analysis.automaton.machine import NONE, NextSymbolAutomaton
from lstm_core.analysis.automaton.network import SymbolNetwork
from lstm_core.data.generators import reber
from lstm_core.data.windows import Windows
from lstm_core.experiment import PlaygroundError
from lstm_core.model.recurrent import SequenceModel

MAX_VALUES = 8  # of a single feature that count as symbols
MAX_WINDOWS, MAX_NUMBERS = 2000, 1 << 22  # looked at: so many windows, and no more numbers in them
LEAD = 100  # steps of a stream that are read before a walk begins


@dataclass(frozen=True, eq=False)
class SymbolTask:
    """Symbols as a model reads and predicts them; first, last and end symbols as extract_next_symbol_automaton has
    them."""

    symbols: tuple[str, ...]
    inputs: np.ndarray  # (symbols, input_size), as the model reads them
    lead: np.ndarray  # (steps, input_size) read before each word
    predicts_next: bool  # whether the classes are the symbols themselves, in their order
    first: tuple[int, ...] | None
    last: tuple[int, ...]
    end: tuple[int, ...]
    truth: NextSymbolAutomaton | None  # the grammar that the symbols were drawn from, if it is known

    def network(self, model: SequenceModel) -> SymbolNetwork:
        return SymbolNetwork(model, self.inputs, self.lead)


def symbol_task(windows: Windows) -> SymbolTask:
    """The symbols of one-hot inputs, or of one feature that takes only a few values.

    Windows padded in front, with rows of zeros, are words: before each the model then reads as many zeros as stood in
    front of half of them. Windows that nothing ends are parts of a stream: a walk begins after 100 steps of one.

    Raises:
        PlaygroundError: the inputs are numbers, no symbols.
    """
    split = next(iter(split for split in ("train", "valid", "test") if len(windows.starts[split])))
    count = min(MAX_WINDOWS, max(1, MAX_NUMBERS // (windows.spec.seq_len * windows.input_size)))
    rows = windows.starts[split][:count, None] + np.arange(windows.spec.seq_len)
    names, values, symbols = _symbols(windows, rows)
    read = symbols >= 0
    padding = read.argmax(axis=1)
    predicts_next = windows.classes == names and windows.target is None
    inside = symbols[:, :-1]
    last = tuple(np.setdiff1d(symbols[:, -1], [*np.unique(inside), -1]).tolist())
    end = tuple(np.setdiff1d(np.arange(len(names)), np.unique(symbols)).tolist()) if predicts_next else ()
    end = tuple(symbol for symbol in end if (windows.y[rows] == symbol).any())
    scaled = ((values - windows.x_center) / windows.x_scale).astype(np.float32)
    if predicts_next and not padding.any() and not last and not end:
        lead, first = windows.scaled_x[rows[0]][:LEAD], None
        start = _state_of_grammar(symbols[0, :LEAD])
    else:
        zeros = ((0.0 - windows.x_center) / windows.x_scale).astype(np.float32)
        lead = np.tile(zeros, (int(np.median(padding)), 1))
        first, start = tuple(np.unique(symbols[np.arange(len(symbols)), padding]).tolist()), 0
    truth = _truth(windows, start) if predicts_next else None
    return SymbolTask(names, scaled, lead, predicts_next, first, last, end, truth)


def _symbols(windows: Windows, rows: np.ndarray) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Names, the raw input of each symbol (symbols, input_size), and those in the rows (−1 for a row of zeros)."""
    x = windows.x[rows]  # (windows, seq_len, input_size)
    if windows.input_size > 1 and np.isin(x, (0, 1)).all() and (x.sum(axis=2) <= 1).all() and x.any():
        return windows.input_names, np.eye(windows.input_size), np.where(x.any(axis=2), x.argmax(axis=2), -1)
    values = np.unique(x) if windows.input_size == 1 else np.empty(0)
    if not 2 <= len(values) <= MAX_VALUES:
        raise PlaygroundError(
            "An automaton needs inputs that are symbols: one-hot columns, or one column of at most "
            f"{MAX_VALUES} values. For numbers, look at the sketch by clusters."
        )
    return tuple(f"{value:g}" for value in values), values[:, None], np.searchsorted(values, x[..., 0])


def _state_of_grammar(symbols: np.ndarray) -> int | None:
    """Of the Reber grammar after these symbols, None if they are none of its."""
    if symbols.max(initial=0) >= len(reber.SYMBOLS):
        return None
    try:
        return int(reber.states_after(symbols[None])[0, -1])
    except PlaygroundError:  # symbols of something else
        return None


def _truth(windows: Windows, start: int | None) -> NextSymbolAutomaton | None:
    spec = windows.spec
    if spec.source != "generator" or windows.input_names != reber.SYMBOLS or start is None:
        return None
    arrows = reber.NEXT.tolist()
    if spec.name == "embedded_reber":
        arrows[-1] = [NONE] * len(reber.SYMBOLS)  # the last symbol that it predicts leads there, to the end
    elif spec.name != "continual_reber":
        return None
    return NextSymbolAutomaton(len(arrows), start, arrows)
