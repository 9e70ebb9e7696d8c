"""Of the lessons on tutorials."""

from __future__ import annotations

import copy

import numpy as np
import torch

from lstm_core.lessons.take_along.outcomes.common import outputs_of, targets_of


def first_lstm_outcome(trained):
    run, errors, zero_errors = trained["lstm"], {}, {}
    for split in ("train", "valid"):
        targets = targets_of(run, split).flatten().double()
        errors[split] = (outputs_of(run, split).flatten() - targets).square().mean().item()
        zero_errors[split] = targets.square().mean().item()
    return {"error seen": errors["train"], "error new": errors["valid"], "zero new": zero_errors["valid"]}


def minibatches_outcome(trained):
    gains = {}
    for label, run in trained.items():
        rows = run.starts["test"] + run.seq_len  # the day after each window
        predictions = outputs_of(run, "test").numpy() * run.y_scale + run.y_center  # (days, 5)
        targets, yesterday = run.y[rows].numpy(), run.y[rows - 1].numpy()
        error, naive = (np.sqrt(((x - targets) ** 2).mean(0)) for x in (predictions, yesterday))
        gains[f"gain {label.upper()}"] = float(1 - (error / naive).mean())
    return gains


@torch.no_grad()
def companies(run):  # what the unit predicts for company A and B, and their targets; each (2,)
    inputs, targets = run.batch_of(run.starts["train"])
    return copy.deepcopy(run.model).double()(inputs.double()).flatten(), targets.flatten()


def by_hand_outcome(trained):
    out, targets = companies(trained["hand"])
    return {"out_0": out[0].item(), "out_1": out[1].item(), "loss": (out - targets).square().mean().item()}


def nn_lstm_1_1_outcome(trained):
    figures = {}
    for label, prefix in (("nn_lstm", ""), ("hand", "hand ")):
        figures |= {f"{prefix}out_{k}": value.item() for k, value in enumerate(companies(trained[label])[0])}
    kept = [one.weights for one in trained["nn_lstm"].snapshots]
    differences = torch.stack([weights["lstm.bias_ih_l0"] - weights["lstm.bias_hh_l0"] for weights in kept])
    return figures | {"bias drift": (differences - differences[0]).abs().max().item()}


def drawn_state(run, rows, index):  # h_0 and c_0 from a standard normal, of these rows and this batch alone
    rng, shape = (
        np.random.default_rng((run.seed, 1, index)),
        (run.model.lstm.num_layers, rows, run.model.lstm.hidden_size),
    )
    return tuple(torch.from_numpy(rng.standard_normal(shape, np.float32)) for _ in "hc")


@torch.no_grad()
def state_life_outcome(trained):
    errors = {}
    for label, run in trained.items():
        separate = run.starts["valid"][:: run.seq_len]  # windows that do not overlap, in 8 streams
        rows = max(1, min(8, len(separate) // 2))
        streams, state, found = separate[: len(separate) // rows * rows].view(rows, -1).T, None, []
        for index, batch in enumerate(streams):
            inputs, targets = run.batch_of(batch)
            before = {"zero": None, "random": drawn_state(run, rows, index), "carried": state}[label]
            output, state = run.model.lstm(inputs, before)
            if index:  # nothing comes before a stream's first window
                found.append((run.model.head(output) - targets.flatten(-2)).square().mean())
        errors[label] = torch.stack(found).mean().item()
    return errors | {"floor": min(3, run.seq_len) / run.seq_len}  # the variance, 1, on the first three steps
