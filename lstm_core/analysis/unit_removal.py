"""How many units a model needs: they are taken out one after the other, the one that costs least first.

A unit whose h is frozen at its mean m is a constant: its columns in the matrices that read it leave, and m times each
of them goes into the bias that is added there. What is left is an ordinary nn.LSTM with fewer units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from lstm_core.analysis.window_score import KEPT, Scale, WindowScore, spread_starts
from lstm_core.data.number_format import format_percent
from lstm_core.data.windows import Windows
from lstm_core.experiment import GATES, STATES, ModelSpec, PlaygroundError
from lstm_core.model.recurrent import SequenceModel, model_from_weights
from lstm_core.trace.gate_trace import trace_lstm
from lstm_core.training.batches import WindowTensors

LIMIT = 256  # windows
CANDIDATES = 16  # units that are tried for each that leaves: those that seem to matter least
MAX_TRACED_VALUES = 1 << 23  # numbers in the trace of a chunk of windows

Place = tuple[int, int, int]  # layer, direction, unit


@dataclass(frozen=True)
class Removal:
    """One step: which units left, numbered as in the model that the step began with, and h at which each is frozen."""

    places: tuple[Place, ...]  # one of each layer and direction
    constants: tuple[float, ...]
    units: int  # that each layer and direction has left
    score: float


@dataclass(frozen=True)
class UnitRemoval:
    """How the score went while units left. scale.full is the score of the whole model."""

    hidden_size: int
    rows: int  # layers · directions, each of which loses a unit at each step
    steps: tuple[Removal, ...]
    scale: Scale
    windows: int

    @property
    def units(self) -> tuple[int, ...]:
        """Falling, from hidden_size on."""
        return (self.hidden_size, *(step.units for step in self.steps))

    @property
    def scores(self) -> tuple[float, ...]:
        """The score with so many units."""
        return (self.scale.full, *(step.score for step in self.steps))

    @property
    def units_needed(self) -> int:
        """The fewest units from which on all keep KEPT of the lead over an answer without a memory."""
        needed = self.hidden_size
        for units, score in zip(self.units, self.scores, strict=True):
            if self.scale.lead_kept(score) < KEPT:
                break
            needed = units
        return needed


def remove_greedily(
    model: SequenceModel,
    windows: Windows,
    starts: np.ndarray,
    keep: int = 1,
    candidates: int = CANDIDATES,
    limit: int = LIMIT,
    progress: Callable[[float], None] = lambda share: None,
) -> UnitRemoval:
    """Take units out until `keep` are left in each layer and direction; of the candidates for each step the one that
    raises the loss least.

    nn.LSTM has as many units in every layer and direction, so that each step takes one out of every one of them, one
    after the other. A unit is frozen at the mean of its h over these windows and their steps, in the model as it is by
    then; so it is before the first step, too, where the others begin at 0. candidates: those whose h varies least,
    times the length of the columns that read it. At most `limit` windows, evenly spread over starts. progress: called
    with the share done; what it raises ends this.

    Raises:
        PlaygroundError: the model is no LSTM or has a projection, there is no window, or keep or candidates is not
            possible.
    """
    _check(model, keep, candidates)
    starts = spread_starts(starts, limit)
    score = WindowScore(windows, starts)
    scale, current, steps = score.scale(model), freeze_units(model, {}), []
    total = model.spec.hidden_size - keep
    places_per_step = model.spec.num_layers * model.spec.num_directions
    for done in range(total):
        mean, deviation = _h_statistics(current, windows, starts)
        frozen: dict[Place, float] = {}
        for row in range(places_per_step):
            progress((done + row / places_per_step) / total)
            layer, direction = divmod(row, model.spec.num_directions)
            units = _least_read(current, layer, direction, deviation[layer, direction])[:candidates]
            constants = {(layer, direction, unit): float(mean[layer, direction, unit]) for unit in units}
            losses = {place: _loss_without(current, place, constant, score) for place, constant in constants.items()}
            place = min(losses, key=losses.get)
            frozen[place] = constants[place]
            _fold(dict(current.named_parameters()), current.spec, place, constants[place])
        current = remove_units(current, frozen)
        left, after = current.spec.hidden_size, score.of(current).score
        steps.append(Removal(tuple(frozen), tuple(frozen.values()), left, after))
    return UnitRemoval(model.spec.hidden_size, places_per_step, tuple(steps), scale, len(starts))


def smaller_model(model: SequenceModel, removal: UnitRemoval, units: int) -> SequenceModel:
    """The model with so many units in each layer and direction, as the removal left it; to be saved as any other.

    Raises:
        PlaygroundError: it was not left with so many units.
    """
    if units not in removal.units:
        raise PlaygroundError(
            f"There was no step with {units} units: choose {removal.units[-1]} to {removal.units[0]}."
        )
    current = freeze_units(model, {})
    for step in removal.steps[: removal.units.index(units)]:
        current = remove_units(current, dict(zip(step.places, step.constants, strict=True)))
    return current


def freeze_units(model: SequenceModel, constants: dict[Place, float]) -> SequenceModel:
    """A copy of the same size, with biases, in which nothing reads these units: where one was read, its constant is.

    constants: (layer, direction, unit) → its h.
    """
    weights = {name: weight.clone() for name, weight in model.state_dict().items()}
    if not model.spec.bias:
        for name in [name for name in weights if name.startswith("lstm.weight")]:
            weights[name.replace("weight", "bias")] = weights[name].new_zeros(len(weights[name]))
    for place, constant in constants.items():
        _fold(weights, model.spec, place, constant)
    return model_from_weights(replace(model.spec, bias=True, frozen=()), model.sizes, weights)


@torch.no_grad()
def _fold(weights: dict[str, Tensor], spec: ModelSpec, place: Place, constant: float) -> None:
    """Freeze a unit in these weights themselves."""
    for matrix, bias, column in _readers(spec, place):
        read, added = weights[matrix], weights[bias]
        added.copy_(added.double() + constant * read[:, column].double())
        read[:, column] = 0.0


@torch.no_grad()
def _loss_without(model: SequenceModel, place: Place, constant: float, score: WindowScore) -> float:
    """The loss with one unit more frozen; the model is as it was afterwards."""
    weights, readers = dict(model.named_parameters()), _readers(model.spec, place)
    saved = [(weights[matrix][:, column].clone(), weights[bias].clone()) for matrix, bias, column in readers]
    _fold(weights, model.spec, place, constant)
    loss = score.of(model).loss
    for (matrix, bias, column), (read, added) in zip(readers, saved, strict=True):
        weights[matrix][:, column] = read
        weights[bias].copy_(added)
    return loss


def remove_units(model: SequenceModel, constants: dict[Place, float]) -> SequenceModel:
    """The smaller model in which these units, as many of each layer and direction, are constants.

    constants: (layer, direction, unit) → its h. The weights are those of an ordinary nn.LSTM with biases.

    Raises:
        PlaygroundError: the units are not as many of each layer and direction, or all of them.
    """
    spec = model.spec
    rows = [(layer, d) for layer in range(spec.num_layers) for d in range(spec.num_directions)]
    gone = {row: sorted(unit for *place, unit in constants if tuple(place) == row) for row in rows}
    counts = {len(units) for units in gone.values()}
    if len(counts) != 1 or max(counts) >= spec.hidden_size:
        raise PlaygroundError(
            "nn.LSTM has as many units in each layer and direction: remove the same number of each, but not all."
        )
    left = {row: _without(gone[row], spec.hidden_size) for row in rows}
    weights = dict(freeze_units(model, constants).state_dict())
    for (layer, direction), units in left.items():
        suffix = f"_l{layer}" + "_reverse" * direction
        gates = torch.cat([units + k * spec.hidden_size for k in range(len(GATES))])
        for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            weights[f"lstm.{kind}{suffix}"] = weights[f"lstm.{kind}{suffix}"][gates]
        weights[f"lstm.weight_hh{suffix}"] = weights[f"lstm.weight_hh{suffix}"][:, units]
    for layer in range(spec.num_layers):
        columns = torch.cat([left[layer, d] + d * spec.hidden_size for d in range(spec.num_directions)])
        for matrix in _above(spec, layer):
            weights[matrix] = weights[matrix][:, columns]
    size = spec.hidden_size - counts.pop()
    return model_from_weights(replace(spec, hidden_size=size, bias=True, frozen=()), model.sizes, weights)


def removal_sentence(removal: UnitRemoval) -> str:
    """How many units are enough, in one plain sentence."""
    scale, size = removal.scale, removal.hidden_size
    if not scale.has_lead:
        return (
            f"Here the model ({scale.measure} {scale.text(scale.full)}) is no better than {scale.answer} "
            f"({scale.text(scale.without)}): there is nothing that its units are needed for."
        )
    needed = removal.units_needed
    each = " in each layer and direction" if removal.rows > 1 else ""
    if needed == size:
        after = removal.scores[1] if len(removal.scores) > 1 else scale.full
        return (
            f"All {size} units{each} are needed: without one the model's {scale.measure} goes from "
            f"{scale.text(scale.full)} to {scale.text(after)}."
        )
    at = removal.scores[removal.units.index(needed)]
    return (
        f"{needed} of the {size} units{each} are enough to keep {format_percent(KEPT, 0)} of the model's lead over "
        f"{scale.answer} ({scale.measure} {scale.text(at)}, {scale.text(scale.full)} with all), without training again."
    )


def _check(model: SequenceModel, keep: int, candidates: int) -> None:
    spec = model.spec
    if spec.cell != "lstm":
        raise PlaygroundError(f"This is an nn.{spec.module_name}: choose a model with cell “lstm”.")
    if spec.proj_size:
        raise PlaygroundError(
            f"This model projects its h to {spec.proj_size} numbers, so that no unit has an h of its own: choose one "
            "with proj_size 0."
        )
    if not 1 <= keep <= spec.hidden_size:
        raise PlaygroundError(f"keep is {keep}: choose 1 to {spec.hidden_size} units.")
    if candidates < 1:
        raise PlaygroundError(f"candidates is {candidates}: try at least 1 unit at each step.")


def _above(spec: ModelSpec, layer: int) -> list[str]:
    """The matrices that read a layer from above."""
    if layer == spec.num_layers - 1:
        return ["head.weight"]
    return [f"lstm.weight_ih_l{layer + 1}" + "_reverse" * d for d in range(spec.num_directions)]


def _readers(spec: ModelSpec, place: Place) -> list[tuple[str, str, int]]:
    """(matrix, the bias beside it, the column for this unit) of all that read it."""
    layer, direction, unit = place
    suffix = f"_l{layer}" + "_reverse" * direction
    column = direction * spec.hidden_size + unit
    above = [(name, name.replace("weight", "bias"), column) for name in _above(spec, layer)]
    return [(f"lstm.weight_hh{suffix}", f"lstm.bias_hh{suffix}", unit), *above]


def _least_read(model: SequenceModel, layer: int, direction: int, deviation: np.ndarray) -> list[int]:
    """The units of a layer and direction, those first whose variation reaches least of what reads them."""
    spec, weights = model.spec, model.state_dict()
    columns = {matrix: column for matrix, _, column in _readers(spec, (layer, direction, 0))}
    read = [weights[matrix][:, column : column + spec.hidden_size] for matrix, column in columns.items()]
    length = torch.cat(read).double().norm(dim=0).cpu().numpy()
    return np.argsort(deviation * length, kind="stable").tolist()


@torch.no_grad()
def _h_statistics(model: SequenceModel, windows: Windows, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of h over these windows and their steps, (layers, directions, hidden_size)."""
    spec, device = model.spec, model.head.weight.device
    inputs = WindowTensors(windows, device, per_step=False).inputs
    numbers = len(GATES + STATES) * spec.hidden_size * spec.num_layers * spec.num_directions * windows.spec.seq_len
    total, squares = 0.0, 0.0
    for chunk in torch.from_numpy(starts).to(device).split(max(1, MAX_TRACED_VALUES // numbers)):
        h = trace_lstm(model.lstm, model.to_module_layout(inputs(chunk))).h.double()
        total, squares = total + h.sum((2, 3)).cpu(), squares + h.square().sum((2, 3)).cpu()
    count = len(starts) * windows.spec.seq_len
    mean = total / count
    return mean.numpy(), (squares / count - mean.square()).clamp_min(0).sqrt().numpy()


def _without(gone: Sequence[int], size: int) -> Tensor:
    return torch.tensor([unit for unit in range(size) if unit not in gone])
