"""A trained model's prediction of a window, as the app shows it, told as a sum in the target's own units.

Three ways to divide it: the ledger, when the cells were written, and integrated gradients. What the app does around the
LSTM is in the sum, too: a linear skip's share of each input, the start or the scaler's centre, and the biases. With a
logarithm a prediction is start · exp(Σ items): each item gets its share of the difference by the logarithmic mean
(prediction − start) / ln(prediction / start), as in index decomposition (Ang 2004, "Decomposition analysis for
policymaking in energy").
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lstm_core.analysis.attribution.integrated_gradients import IntegratedGradients, integrate
from lstm_core.analysis.attribution.ledger import contributions
from lstm_core.analysis.attribution.writes import writes
from lstm_core.analysis.readout import Output, readout_of
from lstm_core.data.number_format import format_significant
from lstm_core.data.window_symbols import window_symbols
from lstm_core.data.windows import Windows
from lstm_core.experiment import PlaygroundError
from lstm_core.model.recurrent import SequenceModel

SURE = 1e-3  # of what the model adds to its start: a larger error of the sum is refused
CENTERS = {"standard": "mean of the training rows", "minmax": "minimum of the training rows"}


Progress = Callable[[float], None]


def _silent(share: float) -> None:
    pass


@dataclass(frozen=True, eq=False)
class Ledger:
    """The parts of one prediction, in the target's own units, or of a logit where the model predicts classes."""

    inputs: np.ndarray  # (seq_len, input_size) float64; of writes (seq_len, 1)
    constants: np.ndarray  # (seq_len,): biases of the cells' candidates, which depend on no input
    fixed: Mapping[str, float]  # what depends on no step, by name: the start or centre, biases
    prediction: float  # as it is shown
    predicted: str  # what it is of: "sunspots, 1 row ahead", "logit of T less that of P"
    input_names: tuple[str, ...]  # (input_size,)
    step_names: tuple[str, ...]  # (seq_len,): the time of a row, its symbol or its number
    skip: np.ndarray | None = None  # (seq_len, input_size): the linear skip's share of inputs
    symbols: tuple[int | None, ...] | None = None  # of one-hot inputs: which is read, None before a sequence
    points: int = 0  # of integrated gradients

    @property
    def steps(self) -> np.ndarray:
        """(seq_len,): what each step's inputs have added."""
        return self.inputs.sum(1)

    @property
    def fixed_total(self) -> float:
        """All that depends on no input."""
        return math.fsum([*self.constants, *self.fixed.values()])

    @property
    def total(self) -> float:
        return math.fsum([*self.inputs.ravel(), *self.constants, *self.fixed.values()])

    @property
    def error(self) -> float:
        """The sum less the prediction."""
        return self.total - self.prediction


@dataclass(frozen=True)
class _Parts:
    """In the head's scale: what a method gives of the output's number."""

    inputs: np.ndarray
    constants: np.ndarray
    fixed: dict[str, float]
    names: tuple[str, ...]
    points: int = 0


def explain(
    model: SequenceModel,
    windows: Windows,
    start: int,
    output: Output | None = None,
    step: int | None = None,
    method: str = "ledger",
    progress: Progress = _silent,
) -> Ledger:
    """The prediction that the model makes of the window whose first row is `start`, in eval mode, as a sum.

    output: of a regression the number of the head's output (step ahead · targets + target), 0 if None; of classes one
    class for its logit, a tuple (a, b) for the difference of two, None for the likeliest less the second. step: of a
    head at every step, whose prediction is meant; None is the last. method: one of METHODS; all but "gradients" are of
    an LSTM. progress: of "gradients", called with the share done; what it raises ends this.

    Raises:
        PlaygroundError: there is no such output, step or method, the model is no LSTM, or the parts are so large that
            they cancel to nothing but rounding.
    """
    if method not in METHODS:
        raise PlaygroundError(f"There is no method {method!r}: choose one of {', '.join(METHODS)}.")
    if model.spec.cell != "lstm" and method != "gradients":
        raise PlaygroundError(f"This is an nn.{model.spec.module_name}: choose a model with cell “lstm”.")
    model, seq_len = _on_cpu(model), windows.spec.seq_len
    x = torch.from_numpy(windows.inputs(np.array([start]))[0])  # (seq_len, input_size)
    if model.spec.head == "per_step":
        step = seq_len - 1 if step is None else step
    elif step is not None:
        raise PlaygroundError("This model predicts after a window's last step: leave step empty.")
    with torch.no_grad():
        outputs = model(x[None])[0]
    if step is not None:
        if step not in range(seq_len):
            raise PlaygroundError(f"There is no step {step}: choose one of 0 to {seq_len - 1}.")
        outputs = outputs[step]
    chosen = chosen_output(windows, outputs, output)
    mix = readout_of(model.recurrent, model.head, chosen).mix.numpy()
    parts = METHODS[method](model, x, chosen, step, progress)
    skip = _skip(model, seq_len, mix)
    if skip is not None and method != "gradients":
        parts.fixed["bias of the linear skip"] = skip[1]
        if method == "writes":
            parts.fixed["linear skip"] = float((skip[0] * x.numpy()).sum())
        else:
            parts.inputs[:] += skip[0] * x.numpy()
    fixed, factor, prediction = _own_units(windows, start, seq_len if step is None else step + 1, outputs, mix)
    ledger = Ledger(
        inputs=parts.inputs * factor,
        constants=parts.constants * factor,
        fixed=fixed | {name: value * factor for name, value in parts.fixed.items() if value},
        prediction=prediction,
        predicted=output_name(windows, chosen),
        input_names=parts.names or windows.input_names,
        step_names=step_names(windows, start),
        skip=None if skip is None or method == "writes" else skip[0] * x.numpy() * factor,
        symbols=_symbols(windows, start),
        points=parts.points,
    )
    if method != "gradients":
        _refuse_rounding(ledger, sum(fixed.values()))
    return ledger


def _on_cpu(model: SequenceModel) -> SequenceModel:
    return copy.deepcopy(model).cpu().eval()


def chosen_output(windows: Windows, outputs: Tensor, output: Output | None) -> Output:
    """outputs: (output_size,) of one prediction; output: as explain takes it."""
    if output is not None or not windows.classes:
        return 0 if output is None else output
    order = outputs.argsort(descending=True).tolist()
    return tuple(order[:2])


def output_name(windows: Windows, output: Output) -> str:
    """What is predicted, in few words."""
    if windows.classes:
        names = windows.classes
        if isinstance(output, int):
            return f"logit of {names[output]}"
        if isinstance(output, tuple):
            return f"logit of {names[output[0]]} less that of {names[output[1]]}"
        return "weighted sum of the logits"
    if not isinstance(output, int):
        return "combination of the outputs"
    ahead, target = divmod(output, len(windows.spec.targets))
    offset = int(windows.offsets[ahead])
    when = f", {offset} row{'s' * (offset != 1)} ahead" if offset else ""
    return windows.spec.targets[target] + when


def step_names(windows: Windows, start: int) -> tuple[str, ...]:
    """(seq_len,): what the window's steps are called: "1987", "T (step 3)", "step 3"."""
    symbols, names = window_symbols(windows, start), []
    for t in range(windows.spec.seq_len):
        if symbols is not None and symbols[t] is not None:
            names.append(f"{windows.feature_names[symbols[t]]} (step {t + 1})")
        else:
            names.append(f"step {t + 1}" if windows.time is None else windows.label(start + t))
    return tuple(names)


def _symbols(windows: Windows, start: int) -> tuple[int | None, ...] | None:
    symbols = window_symbols(windows, start)
    return None if symbols is None else tuple(symbols)


def _own_units(
    windows: Windows, start: int, steps: int, outputs: Tensor, mix: np.ndarray
) -> tuple[dict[str, float], float, float]:
    """What is predicted where the head gives 0, by name; what a unit of its scale is worth; and the prediction.

    steps: how many of the window's rows were read.
    """
    if windows.classes:
        return {}, 1.0, float(outputs.double().numpy() @ mix)
    output = int(mix.argmax())
    if mix[output] != 1 or np.abs(mix).sum() != 1:
        raise PlaygroundError("A regression is explained one output at a time: give the number of one.")
    row, size, u = np.array(start + steps - 1), len(outputs), float(outputs[output])

    def own(scaled: np.ndarray) -> float:
        return float(windows.inverse_transform(scaled, row).reshape(-1)[output])

    zero, prediction = own(np.zeros(size)), own(outputs.double().numpy())
    one, target = own(np.ones(size)), windows.target
    if target is not None and target.log:
        rate = math.log(one / zero)
        factor = zero * (math.expm1(rate * u) / u if u else rate)
    else:
        factor = one - zero
    if target is not None:
        name = f"start: {target.starts[output % len(windows.spec.targets)].describe()}"
    else:
        name = CENTERS.get(windows.spec.scaling, "")
    return {name: zero} if name else {}, factor, prediction


def _refuse_rounding(ledger: Ledger, start: float) -> None:
    """Raises PlaygroundError where the sum is not the prediction, since what is added up is too large."""
    allowed = SURE * abs(ledger.prediction - start) + 1e-6 * max(1.0, abs(ledger.prediction))
    if not abs(ledger.error) <= allowed:
        largest = max(float(np.abs(values).max(initial=0)) for values in (ledger.inputs, ledger.constants))
        raise PlaygroundError(
            f"The parts of this prediction reach {format_significant(largest)} and cancel one another to "
            f"{format_significant(ledger.prediction, 3)}: nothing can be read from them. Choose an earlier step, a "
            "shorter window or integrated gradients."
        )


def _skip(model: SequenceModel, seq_len: int, mix: np.ndarray) -> tuple[np.ndarray, float] | None:
    """A linear skip's weights (seq_len, input_size) and bias for the chosen output."""
    if not model.spec.linear_skip:
        return None
    weight, bias = (tensor.detach().double().numpy() for tensor in (model.skip.weight, model.skip.bias))
    return (mix @ weight).reshape(seq_len, -1), float(mix @ bias)


def _ledger_parts(model: SequenceModel, x: Tensor, output: Output, step: int | None, progress: Progress) -> _Parts:
    result = contributions(model.lstm, model.head, x, output, step=step)
    fixed = {"bias of the output head": result.bias}
    return _Parts(result.inputs, result.constants, fixed, ())


def _write_parts(model: SequenceModel, x: Tensor, output: Output, step: int | None, progress: Progress) -> _Parts:
    result = writes(model.lstm, model.head, x, output, step=step)
    fixed = {"bias of the output head": result.bias}
    return _Parts(result.steps[:, None], np.zeros(len(x)), fixed, ("written to c",))


def _gradient_parts(model: SequenceModel, x: Tensor, output: Output, step: int | None, progress: Progress) -> _Parts:
    mix, exact = readout_of(model.recurrent, model.head, output).mix, copy.deepcopy(model).double()

    def function(batch: Tensor) -> Tensor:
        outputs = exact(batch)
        return (outputs if step is None else outputs[:, step]) @ mix

    spec = model.spec
    width = 2 * spec.gate_size * spec.num_layers * spec.num_directions
    result: IntegratedGradients = integrate(function, x.double(), torch.zeros_like(x).double(), width, progress)
    fixed = {"prediction for inputs of 0 in the model's scale": result.baseline_prediction}
    return _Parts(result.inputs, np.zeros(len(x)), fixed, (), result.points)


METHODS: dict[str, Callable[[SequenceModel, Tensor, Output, int | None, Progress], _Parts]] = {
    "ledger": _ledger_parts,
    "writes": _write_parts,
    "gradients": _gradient_parts,
}
