"""What gates are worth to a model: its predictions with some altered, and with each frozen at its mean in turn.

A gate frozen at every step is a gate whose weights are zero, so the native kernel runs it, without a step loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from lstm_core.data.windows import Windows
from lstm_core.experiment import GATES, STATES, PlaygroundError
from lstm_core.forecasting.predict import predict
from lstm_core.forecasting.scores import evaluate_windows
from lstm_core.model.recurrent import SequenceModel, model_from_weights
from lstm_core.trace.gate_trace import trace_lstm
from lstm_core.trace.interventions import INPUT, Intervention, check_intervention, edit_input, trace_with
from lstm_core.training.batches import WindowTensors

MAX_TRACED_VALUES = 1 << 24  # numbers in the trace of a chunk of windows: 64 MiB in float32
SURE = 1 - 1e-12  # a gate nearer to its bounds than this is at them


@dataclass(frozen=True)
class Importance:
    """How the score on some windows changes when one gate no longer reacts to anything.

    intervention: the clamp that freezes the gate, each unit at its mean over these windows and their steps.
    """

    intervention: Intervention
    measure: str  # "RMSE", in the table's own units, or "accuracy"
    score: float  # without the intervention
    frozen_score: float  # with it

    @property
    def score_drop(self) -> float:
        """By how much the score got worse; negative where it got better."""
        return self.frozen_score - self.score if self.measure == "RMSE" else self.score - self.frozen_score


def predict_with_interventions(
    model: SequenceModel, windows: Windows, starts: np.ndarray, interventions: Sequence[Intervention]
) -> np.ndarray:
    """What `predict` returns for these windows, of a model whose LSTM runs with these interventions.

    (windows, output_steps, targets) in the table's own units, or class probabilities (windows, classes), in eval mode.

    Raises:
        PlaygroundError: an intervention does not fit the model or the windows.
    """
    altered = model_with_interventions(model, windows, interventions)
    return predict(altered if len(starts) else model, windows, starts)


def model_with_interventions(
    model: SequenceModel, windows: Windows, interventions: Sequence[Intervention]
) -> SequenceModel:
    """Another model in eval mode whose LSTM runs with these edits; the weights are the model's own.

    Raises:
        PlaygroundError: an edit does not fit the model or the windows.
    """
    for edit in interventions:
        check_intervention(edit, model.lstm, windows.spec.seq_len)

    inside = [edit for edit in interventions if edit.gate != INPUT]

    def run(lstm: nn.LSTM, x: Tensor) -> _Returned:
        trace = trace_with(lstm, x, inside)
        return trace.output, (trace.h_n, trace.c_n)

    def edited(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        x = inputs[0].clone()
        edit_input(x.transpose(0, 1), interventions)
        return x, *inputs[1:]

    altered = _sharing(model, model.state_dict())
    altered.lstm = _InChunks(altered.lstm, run)
    altered.register_forward_pre_hook(edited)  # a linear skip reads the edited input, too
    return altered


def gate_importance(model: SequenceModel, windows: Windows, starts: np.ndarray, limit: int = 256) -> list[Importance]:
    """Every gate of every layer and direction frozen in turn: how much worse is the model? Most harmful first.

    At most `limit` of the windows are used, evenly spread over `starts`; without any the list is empty. A
    frozen gate stays at its mean, unit by unit, over these windows and their steps in the unaltered model.

    Raises:
        PlaygroundError: a gate's mean is not a finite number.
    """
    if not len(starts):
        return []
    starts = starts[np.linspace(0, len(starts) - 1, min(limit, len(starts))).round().astype(int)]
    measure, score = _score(_sharing(model, model.state_dict()), windows, starts)
    importances = []
    for edit in _freezing(model, windows, starts):
        _, frozen_score = _score(_frozen(model, edit), windows, starts)
        importances.append(Importance(edit, measure, score, frozen_score))
    return sorted(importances, key=lambda importance: -importance.score_drop)


# A SequenceModel whose nn.LSTM is run in some other way: what `predict` asks of a model stays as it is.

_Returned = tuple[Tensor, tuple[Tensor, Tensor]]


class _InChunks(nn.Module):
    """Stands where a SequenceModel has its nn.LSTM: runs some of the batch at a time, so memory stays bounded."""

    def __init__(self, lstm: nn.LSTM, run: Callable[[nn.LSTM, Tensor], _Returned]) -> None:
        super().__init__()
        self.lstm, self.run = lstm, run

    def forward(self, x: Tensor, state: None = None) -> _Returned:  # windows begin with zeros here
        along, seq_len = (0, x.shape[1]) if self.lstm.batch_first else (1, x.shape[0])
        chunks = x.split(_at_once(self.lstm, seq_len), along)
        outputs, states = zip(*(self.run(self.lstm, chunk) for chunk in chunks), strict=True)
        h_n, c_n = (torch.cat(final_state, 1) for final_state in zip(*states, strict=True))
        return torch.cat(outputs, along), (h_n, c_n)


def _at_once(lstm: nn.LSTM, seq_len: int) -> int:
    """How many windows to trace at once, so that their trace has MAX_TRACED_VALUES numbers at most."""
    numbers = len(GATES + STATES) * lstm.hidden_size * len(lstm.all_weights) * seq_len
    return max(1, MAX_TRACED_VALUES // numbers)


def _sharing(model: SequenceModel, weights: dict[str, Tensor]) -> SequenceModel:
    """Another model in eval mode with these weights, most of them the model's own; that stays untouched."""
    spec = replace(model.spec, bias="lstm.bias_ih_l0" in weights)
    shared = model_from_weights(spec, model.sizes, weights)
    shared.lstm.flatten_parameters()  # one block, which cuDNN asks for; elsewhere it does nothing
    return shared


def _score(model: SequenceModel, windows: Windows, starts: np.ndarray) -> tuple[str, float]:
    """The measure's name and the score of a model of _sharing, whose LSTM is put in parts."""
    model.lstm = _InChunks(model.lstm, lambda lstm, x: lstm(x))
    score = evaluate_windows(model, windows, "", starts).model
    return ("accuracy", score.accuracy) if windows.classes else ("RMSE", score.rmse)


@torch.no_grad()
def _freezing(model: SequenceModel, windows: Windows, starts: np.ndarray) -> Iterator[Intervention]:
    """For every layer, direction and gate the clamp at its mean over these windows and their steps."""
    model = _sharing(model, model.state_dict())
    device = model.head.weight.device
    inputs = WindowTensors(windows, device, per_step=False).inputs
    total = 0
    for chunk in torch.from_numpy(starts).to(device).split(_at_once(model.lstm, windows.spec.seq_len)):
        trace = trace_lstm(model.lstm, model.to_module_layout(inputs(chunk)))
        sums = [trace.gate(name).sum((2, 3)).cpu().double() for name in GATES]
        total = total + torch.stack(sums, 2)  # (num_layers, num_directions, 4, hidden_size)
    means = total / (len(starts) * windows.spec.seq_len)
    if not means.isfinite().all():
        raise PlaygroundError(
            "This model's gates are not finite numbers on these windows: go back to weights from before the "
            "training diverged."
        )
    for layer, direction, k in np.ndindex(*means.shape[:3]):
        yield Intervention("clamp", GATES[k], tuple(means[layer, direction, k].tolist()), layer, direction)


def _frozen(model: SequenceModel, edit: Intervention) -> SequenceModel:
    """The model with a whole gate clamped at every step, by its weights alone: zeros, and a bias whose σ or tanh
    is the edit's value."""
    value = torch.tensor(edit.value, dtype=torch.float64)
    bias = value.clamp(-SURE, SURE).atanh() if edit.gate == "g" else value.clamp(1 - SURE, SURE).logit()
    size, at = model.lstm.hidden_size, GATES.index(edit.gate)
    weights = model.state_dict()
    if not model.spec.bias:
        for name, weight in model.state_dict().items():
            if "_ih_l" in name or "_hh_l" in name:
                weights[name.replace("weight", "bias")] = weight.new_zeros(len(weight))
    for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        name = f"lstm.{kind}_l{edit.layer}" + "_reverse" * edit.direction
        weights[name] = weights[name].clone()
        weights[name][at * size : (at + 1) * size] = bias.to(weights[name]) if kind == "bias_ih" else 0.0
    return _sharing(model, weights)
