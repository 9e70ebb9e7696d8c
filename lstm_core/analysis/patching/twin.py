"""The twin of a window: another one that differs in one thing and is predicted otherwise, for patching to compare.

Three ways to find one: another symbol at one step, another value of one input at one step, or the most similar window
with another outcome. The window itself is run B, its twin run A.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from lstm_core.analysis.attribution.explain import step_names
from lstm_core.analysis.readout import Output, readout_of
from lstm_core.data.number_format import minus_sign
from lstm_core.data.window_symbols import window_symbols
from lstm_core.data.windows import Windows
from lstm_core.experiment import PlaygroundError
from lstm_core.model.recurrent import SequenceModel

SAMPLE = 256  # windows at most that a spread or a twin is looked for in
VARIANTS, VARIANT_STEPS = 4096, 1 << 18  # altered windows, and their steps, at most that are tried
ROWS = 20_000  # training rows at most that an input's range is read from
BACK_SHARE = 0.2  # of the largest effect: so much a value further back must have
LOW, HIGH = 5, 95  # percentiles of an input in the training rows: what one value is set to


@dataclass(frozen=True, eq=False)
class Twin:
    """x: (seq_len, input_size) float32, scaled, run A; the window itself, run B, is windows.inputs."""

    kind: str  # of TWINS
    x: np.ndarray
    difference: str  # "P in place of T at step 26"
    steps: tuple[int, ...]  # at which the inputs differ
    output: Output  # what both are compared in, as explain takes it; of classes the window's less the twin's
    y_a: float  # in the head's scale
    y_b: float
    shown_a: float  # the predictions as the app shows them: in the target's own units; of classes as y_a and y_b
    shown_b: float
    start: int | None = None  # the twin's own first row, where it is a window of the data


def find_twin(
    model: SequenceModel,
    windows: Windows,
    start: int,
    kind: str | None = None,
    output: Output | None = None,
    step: int | None = None,
    at: int | None = None,
) -> Twin:
    """The twin of the window whose first row is `start`; kind: of TWINS, None for a symbol where inputs are symbols,
    else a value. output and step: as explain takes them. at: the step at which a symbol or a value is exchanged, None
    for the one that tells most.

    Raises:
        PlaygroundError: there is no such kind of twin of this window.
    """
    if model.spec.cell != "lstm":
        raise PlaygroundError(f"This is an nn.{model.spec.module_name}: choose a model with cell “lstm”.")
    kind = kind or twin_kinds(windows, start)[0]
    if kind not in TWINS:
        raise PlaygroundError(f"There is no kind of twin {kind!r}: choose one of {', '.join(TWINS)}.")
    return TWINS[kind](_Asked(model, windows, start, output, step, at))


def twin_kinds(windows: Windows, start: int) -> tuple[str, ...]:
    """Which kinds of twin this window can have."""
    return ("symbol", "window") if window_symbols(windows, start) is not None else ("value", "window")


def prediction_spread(
    model: SequenceModel, windows: Windows, output: Output, step: int | None = None, split: str | None = None
) -> float:
    """The standard deviation of this output over some of a split's windows, in the head's scale."""
    starts = _sample(windows, split or windows.last_split)
    return float(_predictions(model, windows.inputs(starts), output, step).std())


class _Asked:
    """A request for a twin, with what every kind needs of it.

    measure is what a twin is to change: the chosen output; of classes without one the log odds of the likeliest class,
    below 0 where another is. It then is compared in that class's logit less the twin's.
    """

    def __init__(
        self,
        model: SequenceModel,
        windows: Windows,
        start: int,
        output: Output | None,
        step: int | None,
        at: int | None,
    ) -> None:
        self.model, self.windows, self.start, self.step = model, windows, start, step
        self.x = windows.inputs(np.array([start]))[0]  # (seq_len, input_size)
        self.end = len(self.x) if step is None else step + 1  # of the steps that count
        self.places = range(self.end) if at is None else range(at, min(at + 1, self.end))  # where one may be exchanged
        self.output = 0 if output is None and not windows.classes else output
        self.outputs = _outputs(model, self.x[None], step)  # (1, output_size)
        self.is_signed = self.output is None or isinstance(self.output, tuple)
        self.y = float(self._measure(self.outputs)[0])

    def measure(self, x: np.ndarray) -> np.ndarray:
        """(windows,) float64."""
        return self._measure(_outputs(self.model, x, self.step))

    def _measure(self, outputs: torch.Tensor) -> np.ndarray:
        if self.output is not None:
            return _combined(self.model, outputs, self.output)
        logits, best = outputs.double(), int(self.outputs[0].argmax())
        others = torch.cat([logits[:, :best], logits[:, best + 1 :]], 1)
        return (logits[:, best] - others.logsumexp(1)).numpy()

    def best_of(self, y: np.ndarray) -> int:
        """Which measure is furthest from the window's own, one of the other sign before all others."""
        moved = np.abs(y - self.y)
        turned = (np.sign(y) != np.sign(self.y)) & self.is_signed
        return int(np.where(turned, moved + moved.max(initial=0), moved).argmax())

    def twin(self, kind: str, x: np.ndarray, difference: str, start: int | None = None) -> Twin:
        steps = tuple(np.flatnonzero((x != self.x).any(1)).tolist())
        both = torch.cat([_outputs(self.model, x[None], self.step), self.outputs])
        output = self.output
        if output is None:
            mine, its = int(both[1].argmax()), both[0].argsort(descending=True).tolist()
            output = (mine, next(k for k in its if k != mine))
        y = _combined(self.model, both, output).tolist()
        shown = y if self.windows.classes or not isinstance(output, int) else self._shown(both, start, output)
        return Twin(kind, x, difference, steps, output, *y, *shown, start)

    def _shown(self, outputs: torch.Tensor, start: int | None, output: int) -> list[float]:
        """Both in the target's own units; start: of the twin, None for the window's own."""
        rows = np.array([self.start if start is None else start, self.start]) + self.end - 1
        values = self.windows.inverse_transform(outputs.numpy(), rows)  # (2, output_steps, targets)
        return values.reshape(2, -1)[:, output].tolist()


@torch.no_grad()
def _outputs(model: SequenceModel, x: np.ndarray, step: int | None) -> torch.Tensor:
    """(windows, output_size), of a head at every step those of `step`, the last one if None."""
    device, training = model.head.weight.device, model.training
    model.eval()
    outputs = torch.cat([model(chunk.to(device)).cpu() for chunk in torch.from_numpy(x).split(SAMPLE)])
    model.train(training)
    return outputs[:, -1 if step is None else step] if model.spec.head == "per_step" else outputs


def _predictions(model: SequenceModel, x: np.ndarray, output: Output, step: int | None) -> np.ndarray:
    """(windows,) float64."""
    return _combined(model, _outputs(model, x, step), output)


def _combined(model: SequenceModel, outputs: torch.Tensor, output: Output) -> np.ndarray:
    return (outputs.double() @ readout_of(model.recurrent, model.head, output).mix).numpy()


def _sample(windows: Windows, split: str) -> np.ndarray:
    starts = windows.starts[split]
    return starts[np.unique(np.linspace(0, len(starts) - 1, SAMPLE).round().astype(int))]


def _symbol_twin(asked: _Asked) -> Twin:
    """Of all single symbols exchanged so that any three neighbours still occur in training, what moves the prediction
    most."""
    windows, size = asked.windows, asked.windows.input_size
    symbols = window_symbols(windows, asked.start)
    if symbols is None:
        raise PlaygroundError("The inputs are no symbols: choose a twin with another value, or another window.")
    read = np.array([0 if symbol is None else symbol + 1 for symbol in symbols])
    known = _triples(windows)
    tried = []
    for t in (t for t in asked.places if read[t]):
        for symbol in range(1, size + 1):
            near = np.concatenate([[0, 0], read])[t : t + 5]  # the symbol is the third, or there are fewer after it
            near[2] = symbol
            if symbol != read[t] and known.issuperset(_codes(near, size).tolist()):
                tried.append((t, symbol - 1))
    if not tried:
        raise PlaygroundError(f"No symbol {_where(asked)} can be exchanged for another that training has there.")
    tried = _latest(tried, len(read))
    x = np.repeat(asked.x[None], len(tried), axis=0)
    for row, (t, symbol) in enumerate(tried):
        order = np.arange(size)
        order[[symbol, read[t] - 1]] = read[t] - 1, symbol
        x[row, t] = x[row, t][order]
    best = asked.best_of(asked.measure(x))
    t, symbol = tried[best]
    names = windows.feature_names
    difference = f"{names[symbol]} in place of {names[read[t] - 1]} at step {t + 1}"
    return asked.twin("symbol", x[best], difference)


def _codes(read: np.ndarray, size: int) -> np.ndarray:
    """(…, steps − 2): one number for each three neighbours of (…, steps) symbols from 1 to size, 0 for none."""
    base = size + 1
    return (read[..., :-2] * base + read[..., 1:-1]) * base + read[..., 2:]


def _triples(windows: Windows) -> set[int]:
    """The codes of all three neighbours in some training windows, with nothing before the first symbol."""
    starts, count = windows.starts["train"], max(1, VARIANT_STEPS // windows.spec.seq_len)
    starts = starts[np.unique(np.linspace(0, len(starts) - 1, count).round().astype(int))]
    rows = windows.x[starts[:, None] + np.arange(windows.spec.seq_len)]  # (windows, seq_len, input_size)
    read = np.where(rows.any(2), rows.argmax(2) + 1, 0)
    return set(np.unique(_codes(np.pad(read, ((0, 0), (2, 0))), windows.input_size)).tolist())


def _value_twin(asked: _Asked) -> Twin:
    """Of all single values set to a low or a high one of the training rows what moves the prediction most; or a fifth
    as much, furthest back: what the last step does to the next one is no question of memory."""
    windows = asked.windows
    columns = windows.scaled_x[windows.split_of_row == 0]
    columns = columns[:: -(-len(columns) // ROWS)]
    low, high = np.nanpercentile(columns, (LOW, HIGH), axis=0)  # (input_size,)
    binary = [np.unique(column[np.isfinite(column)]) for column in columns.T]
    low, high = (
        np.array([values[at] if len(values) == 2 else bound for values, bound in zip(binary, bounds, strict=True)])
        for at, bounds in ((0, low), (-1, high))
    )
    cells = [
        (t, k, float(value)) for t in asked.places for k in range(windows.input_size) for value in (low[k], high[k])
    ]
    tried = [cell for cell in cells if np.float32(cell[2]) != asked.x[cell[0], cell[1]]]
    if not tried:
        raise PlaygroundError(f"There is no other value to try {_where(asked)}: choose another step, or a window.")
    tried = _latest(tried, len(asked.x))
    x = np.repeat(asked.x[None], len(tried), axis=0)
    for row, (t, k, value) in enumerate(tried):
        x[row, t, k] = value
    moved = np.abs(asked.measure(x) - asked.y)
    first = min(t for (t, _, _), one in zip(tried, moved, strict=True) if one >= BACK_SHARE * moved.max())
    best = int(np.where([t == first for t, _, _ in tried], moved, -1.0).argmax())
    t, k, value = tried[best]
    new, old = (
        minus_sign(f"{number * windows.x_scale[k] + windows.x_center[k] + 0.0:.4g}")
        for number in (value, asked.x[t, k])
    )
    difference = f"{windows.input_names[k]} = {new} in place of {old} at {step_names(windows, asked.start)[t]}"
    return asked.twin("value", x[best], difference)


def _window_twin(asked: _Asked) -> Twin:
    """Of some windows of the same split with another outcome, another class or more than a spread away, the one whose
    inputs are nearest."""
    windows = asked.windows
    split = next(name for name, starts in windows.starts.items() if asked.start in starts or name == windows.last_split)
    starts = _sample(windows, split)
    x = windows.inputs(starts)
    y = asked.measure(x)
    differs = np.sign(y) != np.sign(asked.y) if asked.is_signed else np.abs(y - asked.y) > y.std()
    distance = np.where(differs & (starts != asked.start), np.square(x - asked.x).sum((1, 2)), np.inf)
    best = int(distance.argmin())
    if not np.isfinite(distance[best]):
        raise PlaygroundError(
            f"None of {len(starts):,} windows of this split has another outcome: alter a value instead."
        )
    start = int(starts[best])
    count = int((x[best] != asked.x).any(1).sum())
    where = f"row {start:,}" if windows.time is None else windows.label(start)
    difference = (
        f"the window that begins at {where}, of {int(differs.sum()):,} with another outcome the most similar: "
        f"{count:,} of {len(asked.x):,} steps differ"
    )
    return asked.twin("window", x[best], difference, start)


def _where(asked: _Asked) -> str:
    return "of this window" if len(asked.places) == asked.end else "at this step"


def _latest(tried: list, seq_len: int) -> list:
    """As many of them as can be tried at once; of a long window those nearest to its end, which tell most."""
    return tried[-min(VARIANTS, max(64, VARIANT_STEPS // seq_len)) :]


TWINS: dict[str, Callable[[_Asked], Twin]] = {"symbol": _symbol_twin, "value": _value_twin, "window": _window_twin}
