"""One scalar LSTM unit by hand: twelve parameters, plain Python floats, and every step's arithmetic.

It is nn.LSTM(1, 1) with one bias a gate: weights convert both ways, and the difference between the two is measured.
What both lessons by hand draw of a run of such a unit is here too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_core.analysis.step_arithmetic import GateArithmetic, StepArithmetic, added
from lstm_core.data.number_format import format_factor, format_number
from lstm_core.experiment import GATES, PlaygroundError
from lstm_core.figures.lines import Line
from lstm_core.figures.theme import RUN_COLORS
from lstm_core.lessons.figures import level, resample
from lstm_core.lessons.lesson import Outcome, generated_data

if TYPE_CHECKING:
    from torch import Tensor

    from lstm_core.runs.run import Run

NUMBERS = ("weight_ih", "weight_hh", "bias")  # of each gate
LSTM_PREFIX = "lstm."  # of the tensors' names in a SequenceModel
TOLERANCE = 0.1  # how close to its target an output counts as right
TWO_COMPANIES = generated_data("two_sequences", length=2, seq_len=4, train_share=0.95, valid_share=0.0)
COLORS = RUN_COLORS[:2]  # of company A and of company B


class GateWeights(NamedTuple):
    """activation(weight_ih · x + weight_hh · h + bias)."""

    weight_ih: float
    weight_hh: float
    bias: float


@dataclass(frozen=True)
class ScalarStep(StepArithmetic):
    """One step of the unit, written out with its weights: "1.63·0.5 + 2.70·(−0.12) + 1.62"."""

    unit: ScalarLSTM
    x: float
    h_before: float

    def sum_text(self, gate: str) -> str:
        """The pre-activation with its weights, input and h."""
        weight_ih, weight_hh, bias = getattr(self.unit, gate)
        products = ((weight_ih, self.x), (weight_hh, self.h_before))
        return added(*(f"{format_number(w)}·{format_factor(value)}" for w, value in products), format_number(bias))


@dataclass(frozen=True)
class ScalarLSTM:
    """The twelve numbers, by gate in PyTorch's order."""

    i: GateWeights
    f: GateWeights
    g: GateWeights
    o: GateWeights

    @staticmethod
    def from_numbers(numbers: Sequence[float]) -> ScalarLSTM:
        """From twelve numbers in a row: weight_ih, weight_hh and bias of i, then of f, g and o.

        Raises:
            PlaygroundError: not twelve, or one is not finite.
        """
        if len(numbers) != len(GATES) * len(NUMBERS) or not all(math.isfinite(value) for value in numbers):
            raise PlaygroundError("A unit by hand needs twelve numbers, three for each of i, f, g and o.")
        rows = [GateWeights(*map(float, numbers[k : k + 3])) for k in range(0, len(numbers), 3)]
        return ScalarLSTM(*rows)

    @staticmethod
    def from_tensors(weights: Mapping[str, Tensor]) -> ScalarLSTM:
        """From the weights of a SequenceModel around nn.LSTM(1, 1), by its names; of the two biases, their sum."""
        ih, hh = (weights[f"{LSTM_PREFIX}weight_{kind}_l0"].flatten().tolist() for kind in ("ih", "hh"))
        both = zip(*(weights[f"{LSTM_PREFIX}bias_{kind}_l0"].tolist() for kind in ("ih", "hh")), strict=True)
        rows = zip(ih, hh, map(sum, both), strict=True)
        return ScalarLSTM(*(GateWeights(*row) for row in rows))

    def to_numbers(self) -> tuple[float, ...]:
        """(12,): what from_numbers takes."""
        return tuple(value for gate in GATES for value in getattr(self, gate))

    def to_tensors(self) -> dict[str, Tensor]:
        """The weights of the same nn.LSTM(1, 1), by SequenceModel's names: the bias in bias_ih, 0 in bias_hh."""
        import torch

        ih, hh, bias = torch.tensor(self.to_numbers()).view(len(GATES), len(NUMBERS)).T  # (4,) each
        return {
            f"{LSTM_PREFIX}weight_ih_l0": ih[:, None],
            f"{LSTM_PREFIX}weight_hh_l0": hh[:, None],
            f"{LSTM_PREFIX}bias_ih_l0": bias,
            f"{LSTM_PREFIX}bias_hh_l0": torch.zeros_like(bias),
        }

    def step(self, x: float, h: float, c: float) -> ScalarStep:
        """One step from the state (h, c): Hochreiter & Schmidhuber (1997) with Gers et al.'s (2000) forget gate."""
        gates = {}
        for gate in GATES:
            weight_ih, weight_hh, bias = getattr(self, gate)
            activation = math.tanh if gate == "g" else _sigmoid
            value = activation(weight_ih * x + weight_hh * h + bias)
            gates[gate] = GateArithmetic(weight_ih * x, weight_hh * h, bias, value)
        i, f, g, o = (gates[gate].value for gate in GATES)
        new_c = f * c + i * g
        return ScalarStep(gates, c, new_c, o * math.tanh(new_c), self, x, h)

    def unroll(self, sequence: Sequence[float]) -> list[ScalarStep]:
        """Step after step, from a state of zeros."""
        steps: list[ScalarStep] = []
        for x in sequence:
            state = (steps[-1].h, steps[-1].c) if steps else (0.0, 0.0)
            steps.append(self.step(float(x), *state))
        return steps

    def predict(self, sequence: Sequence[float]) -> float:
        """The last step's h, which is the prediction."""
        return self.unroll(sequence)[-1].h


# What "Long Short-Term Memory with PyTorch + Lightning" starts from (seed 42: weights normal, biases 0), and what 5000
# epochs of Adam 1e-3 make of it; the video "Long Short-Term Memory (LSTM), Clearly Explained" counts with the latter.
TUTORIAL_START = ScalarLSTM(
    GateWeights(0.2303, 0.2345, 0.0),
    GateWeights(0.1288, 0.3367, 0.0),
    GateWeights(-0.1863, -1.1229, 0.0),
    GateWeights(-0.6380, 2.2082, 0.0),
)
TUTORIAL_END = ScalarLSTM(
    GateWeights(1.6525, 1.9983, 0.6204),
    GateWeights(1.6307, 2.7043, 1.6234),
    GateWeights(0.9393, 1.4122, -0.3217),
    GateWeights(-0.1943, 4.3848, 0.5935),
)


def max_difference_from_lstm(unit: ScalarLSTM, sequences: np.ndarray) -> float:
    """The largest difference of any h or c between this arithmetic and nn.LSTM(1, 1) with the same numbers.

    sequences: (batch, seq_len). nn.LSTM rounds to float32 at every step.
    """
    import torch

    with torch.device("meta"):  # its own weights are never drawn: they would come from the global generator
        lstm = torch.nn.LSTM(1, 1, batch_first=True)
    weights = {name.removeprefix(LSTM_PREFIX): value for name, value in unit.to_tensors().items()}
    lstm.load_state_dict(weights, assign=True)
    with torch.inference_mode():
        output, (_, c_n) = lstm(torch.tensor(sequences, dtype=torch.float32)[..., None])
    unrolled = [unit.unroll(sequence) for sequence in np.asarray(sequences).tolist()]
    h = np.array([[step.h for step in steps] for steps in unrolled])  # (batch, seq_len)
    c = np.array([steps[-1].c for steps in unrolled])  # (batch,)
    return float(max(np.abs(h - output[..., 0].numpy()).max(), np.abs(c - c_n[0, :, 0].numpy()).max()))


def training_sequences(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """The training sequences, (sequences, seq_len), and their targets, (sequences,)."""
    windows = run.windows
    starts = windows.starts["train"]
    return windows.inputs(starts)[..., 0], windows.targets(starts).reshape(len(starts))


def check_scalar_lstm(run: Run) -> None:
    """Raises PlaygroundError if the run's model is not one unit whose h is the prediction."""
    spec = run.experiment.model
    sizes = (spec.cell, spec.hidden_size, spec.num_layers, spec.num_directions, run.windows.input_size)
    if sizes != ("lstm", 1, 1, 1, 1) or "head" not in spec.frozen:
        raise PlaygroundError(
            "The current model is no longer one LSTM unit whose h is the prediction: press Restore pretrained "
            "model, or train the lesson again."
        )


def scalar_lstm_of(run: Run) -> ScalarLSTM:
    """The unit of a run of nn.LSTM(1, 1), with its current weights; of two biases, their sum.

    Raises:
        PlaygroundError: its model is something else.
    """
    check_scalar_lstm(run)
    return ScalarLSTM.from_tensors(run.current_model().state_dict())


def weight_history(run: Run) -> tuple[np.ndarray, list[dict[str, Tensor]]]:
    """Epochs (snapshots,) and the weights then, by SequenceModel's names; the last are the current ones.

    Raises:
        PlaygroundError: the run's model is not one unit.
    """
    check_scalar_lstm(run)
    snapshots = run.kept_and_now()
    epochs = np.array([snapshot.step for snapshot in snapshots]) / run.steps_per_epoch
    return epochs, [run.weights_by_name(snapshot.weights) for snapshot in snapshots]


def prediction_history(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Epochs (snapshots,) and the prediction then for each training sequence, (snapshots, sequences)."""
    epochs, weights = weight_history(run)
    units, sequences = map(ScalarLSTM.from_tensors, weights), training_sequences(run)[0].tolist()
    return epochs, np.array([[unit.predict(sequence) for sequence in sequences] for unit in units])


def outputs_by_step(run: Run) -> dict[str, list[tuple[int, float]]]:
    """out_0 and out_1, as the tutorial logs them: what the unit predicts for each company after some of the steps.

    {} of any other run.
    """
    data = run.experiment.data
    try:
        check_scalar_lstm(run)
    except PlaygroundError:
        return {}
    if (data.source, data.name) != (TWO_COMPANIES.source, TWO_COMPANIES.name):
        return {}
    epochs, predictions = prediction_history(run)
    steps = np.rint(epochs * run.steps_per_epoch).astype(int).tolist()
    return {f"out_{k}": list(zip(steps, values.tolist(), strict=True)) for k, values in enumerate(predictions.T)}


def outcome_of_one_unit(outcome: Callable[[dict[str, Run]], Outcome]) -> Callable[[dict[str, Run]], Outcome]:
    """The outcome, or why there is none: the model was changed on another page and is no longer one unit."""

    @wraps(outcome)
    def checked(runs: dict[str, Run]) -> Outcome:
        try:
            return outcome(runs)
        except PlaygroundError as error:
            return Outcome(False, str(error), {})

    return checked


def prediction_thumbnail(run: Run) -> list[np.ndarray]:
    """The prediction for each training sequence along the training."""
    epochs, predictions = prediction_history(run)
    return [resample(epochs, values) for values in predictions.T]


def target_lines(run: Run) -> list[Line]:
    """The target of each training sequence as a dashed line in its company's colour."""
    targets = training_sequences(run)[1]
    return [level(f"target {target:g}", target, {"": run}, "dash", COLORS[k]) for k, target in enumerate(targets)]


def _sigmoid(value: float) -> float:
    """Without overflow at either end."""
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))
