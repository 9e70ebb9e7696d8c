"""Demonstrations of claims about training: each trains small models with the playground's own Trainer, in seconds;
one_step is the tutorial's own loop.

The signature is that of demonstrations.py; since they take longer, the page runs them on a click.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import plotly.graph_objects as go
import torch
from torch import nn

from lstm_core.data.generators import generate
from lstm_core.data.number_format import format_percent
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.figures.theme import ACTUAL_COLOR, CELL_COLORS, PREDICTION_COLOR, TRAIN_COLOR, VALID_COLOR, figure_layout
from lstm_core.lessons.catalog.tutorials.claims.demonstrations import HEIGHT, Demonstration
from lstm_core.lessons.catalog.tutorials.shapes.outputs import seeded_randn
from lstm_core.model.rng import rng_scope, rng_state
from lstm_core.training.checkpoint import load_checkpoint, resume_trainer, save_checkpoint
from lstm_core.training.trainer import Trainer

SEEDS = 5  # models of each kind in the comparison
PRINTED_EPOCHS = 12
TASKS = {  # generator → (length, seq_len, epochs): small enough to wait for
    "adding_problem": (400, 12, 10),
    "square": (200, 16, 12),
}


def _windows(name: str, length: int, seq_len: int, seed: int) -> Windows:
    spec = DataSpec(source="generator", name=name, length=length, seq_len=seq_len, noise=0.0, seed=seed)
    table = generate(spec)
    return make_windows(table, dataclasses.replace(spec, **dataclasses.asdict(table.roles) | {"seq_len": seq_len}))


def _trainer(
    windows: Windows, seed: int, epochs: int, cell: str = "lstm", hidden_size: int = 8, batch_size: int = 32
) -> Trainer:
    spec = ModelSpec(cell=cell, hidden_size=hidden_size, seed=seed)
    train = TrainSpec(lr=0.01, epochs=epochs, batch_size=batch_size, seed=seed, device="cpu", patience=0)
    return Trainer(windows, Experiment(windows.spec, spec, train))


def resume_or_transfer(seed: int, epochs: int) -> Demonstration:
    """One run without a break, the same run from its file at half time, and the trained LSTM moved to other data."""
    sine, saw = (_windows(name, 240, 16, seed) for name in ("sine", "sawtooth"))
    half, straight = _trainer(sine, seed, epochs), _trainer(sine, seed, 2 * epochs)
    straight_losses, first_losses = _losses(straight), _losses(half)
    resumed = resume_trainer(load_checkpoint(save_checkpoint(half, {})), sine)
    resumed.change(epochs=2 * epochs)
    resumed_losses = _losses(resumed)
    transferred = _trainer(saw, seed, epochs)
    weights = dict(half.model.named_parameters())
    transferred.set_weights({name: w for name, w in weights.items() if name.startswith("lstm.")})  # a fresh head
    transfer_losses = _losses(transferred)
    identical = first_losses + resumed_losses == straight_losses
    figure = go.Figure()
    for name, first, losses, color, width, dash in (
        ("one run without a break", 1, straight_losses, ACTUAL_COLOR, 8, "solid"),
        ("resumed from its file", len(first_losses) + 1, resumed_losses, PREDICTION_COLOR, 3, "solid"),
        ("transfer: new data, new head, new Adam", len(first_losses) + 1, transfer_losses, TRAIN_COLOR, 3, "dash"),
    ):
        x = np.arange(first, first + len(losses)) / straight.steps_per_epoch
        line = {"color": color, "width": width, "dash": dash}
        figure.add_scatter(x=x, y=losses, name=name, mode="lines", line=line)
    figure.add_vline(epochs, line={"color": ACTUAL_COLOR, "width": 1.5, "dash": "dot"})
    figure.update_xaxes(title="epoch")
    figure.update_yaxes(title="training loss of each batch", type="log")
    return Demonstration(
        identical and transfer_losses != resumed_losses[: len(transfer_losses)],
        f"Resumed at epoch {epochs}, the {len(resumed_losses)} losses that follow are "
        f"{'bit for bit' if identical else 'NOT'} those of the run that never stopped. The transfer is another "
        f"training: its first loss is {transfer_losses[0]:.3f}, where the resumed run has {resumed_losses[0]:.3f}.",
        figure=figure_layout(figure, HEIGHT + 20),
    )


def lstm_and_gru(seed: int, hidden_size: int) -> Demonstration:
    """LSTM and GRU of one size on two tasks, SEEDS seeds each; the lowest validation loss counts."""
    figure, table = go.Figure(), {"task": [], "LSTM, median": [], "GRU, median": [], "LSTM better in": []}
    gru_wins = 0
    for index, (task, (length, seq_len, epochs)) in enumerate(TASKS.items()):
        best = {"lstm": [], "gru": []}
        for model_seed in range(seed, seed + SEEDS):
            windows = _windows(task, length, seq_len, model_seed)
            for cell, losses in best.items():
                trainer = _trainer(windows, model_seed, epochs, cell=cell, hidden_size=hidden_size)
                _losses(trainer)
                losses.append(trainer.early_stopping.best_loss)
        lstm, gru = (np.array(losses) for losses in best.values())
        table["task"].append(task.replace("_", " "))
        table["LSTM, median"].append(f"{np.median(lstm):.3g}")
        table["GRU, median"].append(f"{np.median(gru):.3g}")
        table["LSTM better in"].append(f"{(lstm < gru).sum()} of {SEEDS} seeds")
        gru_wins += int((gru < lstm).sum())
        for shift, (cell, losses) in zip((-0.15, 0.15), best.items(), strict=True):
            x, marker = np.full(SEEDS, index + shift), {"size": 13, "color": CELL_COLORS[cell], "opacity": 0.8}
            style = {"mode": "markers", "marker": marker, "showlegend": not index}
            figure.add_scatter(x=x, y=losses, name=cell.upper(), **style)
    runs = len(TASKS) * SEEDS
    figure.update_xaxes(tickvals=list(range(len(TASKS))), ticktext=table["task"], range=[-0.5, len(TASKS) - 0.5])
    figure.update_yaxes(title="lowest validation loss", type="log", dtick="D2")
    return Demonstration(
        gru_wins > 0,
        f"{hidden_size} units, equal epochs and learning rate: of {runs} pairs with equal seed and data the LSTM is "
        f"better in {runs - gru_wins}, the GRU in {gru_wins}. The order hangs on the task, the seed and when one "
        "stops.",
        table,
        figure_layout(figure, HEIGHT - 20).update_layout(hovermode="closest"),
    )


def last_batch_and_epoch(seed: int, batch_size: int) -> Demonstration:
    """One training: the loss of each epoch's last batch, as tutorials print it, and the mean over its batches."""
    windows = _windows("square", 200, 16, seed)
    trainer = _trainer(windows, seed, PRINTED_EPOCHS, batch_size=batch_size)
    losses = np.array(_losses(trainer)).reshape(PRINTED_EPOCHS, -1)  # (epochs, batches)
    sizes = np.full(losses.shape[1], batch_size)
    sizes[-1] = len(windows.starts["train"]) - batch_size * (len(sizes) - 1)  # the last batch may be smaller
    means, last = np.average(losses, axis=1, weights=sizes), losses[:, -1]
    rises = [int((np.diff(values) > 0).sum()) for values in (last, means)]
    off = float(np.abs(last / means - 1).max())
    figure, epochs = go.Figure(), np.arange(1, PRINTED_EPOCHS + 1)
    for name, values, color in (("last batch", last, PREDICTION_COLOR), ("mean over the epoch", means, ACTUAL_COLOR)):
        figure.add_scatter(x=epochs, y=values, name=name, mode="lines+markers", line={"color": color, "width": 3})
    figure.update_xaxes(title="epoch")
    figure.update_yaxes(title="loss", rangemode="tozero")
    return Demonstration(
        off > 0.05,
        f"{losses.shape[1]} batches an epoch, the last one of {sizes[-1]} windows. Its loss is off by up to "
        f"{format_percent(off, 0)} of the epoch's mean. From one epoch to the next it rises {rises[0]} times in "
        f"{PRINTED_EPOCHS - 1}, the mean {rises[1]} times.",
        figure=figure_layout(figure, HEIGHT),
    )


def one_step(seed: int, steps: int) -> Demonstration:
    """A tutorial's whole training, one step of Adam at 0.01 on random targets, and the steps that it leaves out."""
    with rng_scope(rng_state(seed)):
        lstm, head = nn.LSTM(10, 20, 2, batch_first=True), nn.Linear(20, 1)
    shapes = (16, 5, 10), (16, 1), (500, 5, 10), (500, 1)
    x, y, new_x, new_y = (seeded_randn(seed + k, *shape) for k, shape in enumerate(shapes, 1))

    def loss_of(inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return nn.functional.mse_loss(head(lstm(inputs)[0][:, -1]), targets)

    optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()], lr=0.01)
    losses, new_losses = [], []
    for step in range(steps + 1):
        loss = loss_of(x, y)
        losses.append(loss.item())
        with torch.no_grad():
            new_losses.append(loss_of(new_x, new_y).item())
        if step < steps:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    figure, at = go.Figure(), np.arange(steps + 1)
    for name, values, color in (
        ("its own 16 sequences", losses, TRAIN_COLOR),
        ("500 new ones", new_losses, VALID_COLOR),
    ):
        figure.add_scatter(x=at, y=values, name=name, mode="lines", line={"color": color, "width": 3})
    figure.add_vline(1, line={"color": ACTUAL_COLOR, "width": 2, "dash": "dot"})
    figure.update_xaxes(title="step of Adam; dotted: where the tutorial stops")
    figure.update_yaxes(title="mean squared error", rangemode="tozero")
    return Demonstration(
        losses[1] > 0.7 * losses[0] and losses[-1] < 0.7 * losses[1],
        f"One step takes the loss from {losses[0]:.3f} to {losses[1]:.3f}, {steps} steps to {losses[-1]:.3f}. On 500 "
        f"new sequences it goes from {new_losses[0]:.3f} to {new_losses[-1]:.3f}: with random targets, a falling "
        "training loss is memorising.",
        figure=figure_layout(figure, HEIGHT),
    )


def _losses(trainer: Trainer) -> list[float]:
    """Train to the end; the loss of every batch."""
    return [record["train_loss"] for record in trainer]
