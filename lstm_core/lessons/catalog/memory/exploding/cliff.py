"""The cliff: the loss of one batch along its own gradient, from the weights with which a run was last any good.

A run keeps the weights of some of its steps, and seldom those. Of the run that ships they are shipped, too
(pretrained/exploding/cliff.safetensors, written by lessons/train.py); a run of the person's own is trained once more as
far as there. Either is taken only if the batch's loss is the one that the run recorded.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.number_format import format_significant
from lstm_core.experiment import PlaygroundError
from lstm_core.figures.theme import BRICK, GREY, VIOLET, figure_layout
from lstm_core.lessons.figures import new_figure
from lstm_core.lessons.lesson import PRETRAINED

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from torch import Tensor

    from lstm_core.model.recurrent import SequenceModel
    from lstm_core.runs.run import Run

FILE = "cliff.safetensors"
NAIVE = 1.0  # squared error of always predicting 0
MAX_REPLAYED = 400  # steps that are trained again for a picture: about a second
TOLERANCE = 1e-3  # of the recorded loss, between two machines
POINTS, EARLY_POINTS = 101, 41  # at which a loss is computed
MAX_RATIO = 2000  # of the losses drawn, for ticks at 1, 2 and 5 of each power of ten
BEHIND, BEYOND = 0.35, 1.15  # what is drawn, in lengths of the step that is not clipped
MIN_REACH = 0.25  # of such a step, for what is drawn


@dataclass(frozen=True, eq=False)
class Slice:
    """The loss of a batch on a line through some weights, along its negative gradient."""

    step: int  # the optimizer step that these weights were about to make, counted from 1
    norm: float  # of the gradient
    distances: np.ndarray  # (points,) from the weights, rising; negative: uphill
    losses: np.ndarray  # (points,)
    marks: tuple[float, float, float]  # of the distances: 0, and after a plain gradient step, clipped and whole

    @property
    def marked_losses(self) -> list[float]:
        return [float(self.losses[np.flatnonzero(self.distances == mark)[0]]) for mark in self.marks]


def training_batch(run: Run, step: int) -> tuple[Tensor, Tensor]:
    """The inputs and targets that optimizer step `step`, counted from 1, is made with."""
    import torch

    from lstm_core.training.batches import ShuffledBatches, WindowTensors

    windows, spec = run.windows, run.train_spec
    tensors = WindowTensors(windows, torch.device("cpu"), run.experiment.model.head == "per_step")
    order = ShuffledBatches(tensors, torch.from_numpy(windows.starts["train"]), spec.batch_size, spec.seed)
    epoch, index = divmod(step - 1, order.steps)
    for _ in range(epoch + 1):
        first = order.batch(0)
    return order.batch(index) if index else first


def last_good_step(run: Run) -> int | None:
    """The last step with a batch's loss below that of always predicting 0; None: there was none."""
    epochs, losses = run.curves["train_loss"].points()
    good = np.flatnonzero(losses < NAIVE)
    return round(epochs[good[-1]] * run.steps_per_epoch) if len(good) else None


def extra_files(runs: dict[str, Run]) -> dict[str, bytes]:
    """The weights before the last good step, of runs that were just trained: what ships as FILE."""
    from safetensors.torch import save

    run = runs["no_clip"]
    return {FILE: save(_trained_again(run, last_good_step(run)).state_dict())}


def _trained_again(run: Run, step: int) -> SequenceModel:
    """The model before step `step`."""
    from lstm_core.runs.run import Run

    again = Run.new(run.windows, run.experiment, run.table)
    again.train_here(step - 1)
    return again.current_model()


def _shipped(run: Run) -> SequenceModel | None:
    """The shipped weights, if they are those of a model such as the run's."""
    from safetensors.torch import load

    file, model = PRETRAINED.joinpath("exploding", FILE), run.current_model()
    weights = load(file.read_bytes()) if file.is_file() else {}
    sizes = {name: tensor.shape for name, tensor in weights.items()}
    if sizes != {name: tensor.shape for name, tensor in model.state_dict().items()}:
        return None
    model.load_state_dict(weights, assign=True)
    return model


def _models(run: Run, step: int, max_replayed: int) -> Iterator[SequenceModel]:
    """What may be the model before this step, at least effort first."""
    if run.snapshots.nearest(step - 1).step == step - 1:
        yield run.snapshot_at(step - 1).model
    if (model := _shipped(run)) is not None:
        yield model
    if step <= max_replayed:
        yield _trained_again(run, step)


def _moment(run: Run, max_replayed: int) -> tuple[int, SequenceModel]:
    """Which step is drawn, and the model before it: of a run that broke off its last good one, else the next one."""
    step = last_good_step(run) if run.status == "failed" else None
    if step is None:
        return run.step + 1, run.current_model()
    epochs, losses = run.curves["train_loss"].points()
    recorded = losses[np.argmin(np.abs(epochs * run.steps_per_epoch - step))]
    batch = training_batch(run, step)
    for model in _models(run, step, max_replayed):
        if abs(_loss(run, model, batch).item() - recorded) <= TOLERANCE * recorded:
            return step, model
    kept = [one for one in run.snapshots.steps if one < step]
    snapshot = run.snapshot_at(kept[-1])
    return snapshot.step + 1, snapshot.model


def _loss(run: Run, model: SequenceModel, batch: tuple[Tensor, Tensor]) -> Tensor:
    from lstm_core.training.loss import sequence_loss

    inputs, targets = batch
    return sequence_loss(run.loss_name, model(inputs), targets, run.experiment.model.head == "per_step")


def _along_gradient(
    run: Run, step: int, model: SequenceModel, limit: float, points: int, reach: float | None = None
) -> Slice:
    """reach: how far it is drawn; None: as far as the step goes that is not clipped, or MIN_REACH."""
    import torch
    from torch.nn.utils import parameters_to_vector, vector_to_parameters

    model, batch = copy.deepcopy(model), training_batch(run, step)
    parameters = list(model.parameters())
    gradient = torch.cat([one.flatten() for one in torch.autograd.grad(_loss(run, model, batch), parameters)])
    norm, start = gradient.norm().item(), parameters_to_vector(parameters).detach()
    if not (np.isfinite(norm) and norm > 0):
        raise PlaygroundError(f"The gradient at step {step:,} has no direction: its norm is {norm:g}.")
    lr = run.train_spec.lr
    marks, losses = (0.0, lr * min(norm, limit), lr * norm), []
    reach = reach or max(lr * norm, MIN_REACH)
    distances = np.unique([*np.linspace(-BEHIND * reach, BEYOND * reach, points), *marks])
    with torch.no_grad():
        for distance in distances.tolist():
            vector_to_parameters(start - distance / norm * gradient, parameters)
            losses.append(_loss(run, model, batch).item())
    return Slice(step, norm, distances, np.array(losses), marks)


def slices(run: Run, limit: float, max_replayed: int = MAX_REPLAYED) -> list[Slice]:
    """The moment that is drawn, and, of a run that broke off, one of half as many steps on the same scale.

    limit: of the norm, where it is clipped; max_replayed: steps that may be trained again, if need be; of a moment
    later than that, an earlier snapshot is drawn.

    Raises:
        PlaygroundError: the gradient has no direction.
    """

    def compute() -> list[Slice]:
        step, model = _moment(run, max_replayed)
        drawn = [_along_gradient(run, step, model, limit, POINTS)]
        if run.status == "failed":
            early = run.snapshot_at(step // 2)
            reach = drawn[0].distances[-1] / BEYOND
            drawn.append(_along_gradient(run, early.step + 1, early.model, limit, EARLY_POINTS, reach))
        return drawn

    return run.cached("cliff", (run.weights_key, run.status, run.train_spec.lr, limit, max_replayed), compute)


def cliff_figure(run: Run, limit: float) -> go.Figure:
    """What one plain gradient step does to the loss, whole and clipped; limit: of the norm, where it is clipped."""
    drawn = slices(run, limit)
    now, figure = drawn[0], new_figure()
    for one, color, dash in zip(drawn, (BRICK, GREY), ("solid", "dash"), strict=False):
        name = f"step {one.step:,}: norm {format_significant(one.norm)}"
        line = {"color": color, "width": 3, "dash": dash}
        figure.add_scatter(x=one.distances, y=one.losses, name=name, mode="lines", line=line)
    ends = (("before", GREY, "circle"), ("clipped", VIOLET, "diamond"), ("not clipped", BRICK, "x"))
    for (label, color, symbol), distance, loss in zip(ends, now.marks, now.marked_losses, strict=True):
        marker = {"color": color, "size": 14, "symbol": symbol, "line": {"width": 1, "color": "white"}}
        name = f"{label}: {format_significant(loss)}"
        figure.add_scatter(x=[distance], y=[loss], name=name, mode="markers", marker=marker)
    losses = np.concatenate([one.losses for one in drawn])
    losses = losses[np.isfinite(losses) & (losses > 0)]
    dtick = "D2" if len(losses) and losses.max() < MAX_RATIO * losses.min() else 1
    figure.update_xaxes(title="distance along the negative gradient")
    figure.update_yaxes(title="squared error of the batch", type="log", dtick=dtick, tickformat="~g")
    return figure_layout(figure, 380).update_layout(hovermode="closest")
