"""Of the lessons on memory."""

from __future__ import annotations

import copy

import numpy as np
import torch


def gradient_left(run):  # at the first step, as a share of that at the last, with respect to h
    model = copy.deepcopy(run.model).double()
    recurrent, hidden, state = next(model.children()), [], None
    inputs, _ = run.batch_of(run.starts["valid"][:8])
    for x in inputs.double().split(1, dim=1):
        _, state = recurrent(x, state)
        h = state[0] if isinstance(state, tuple) else state
        h.retain_grad()
        hidden.append(h)
    model.head(h[-1]).sum().backward()
    first, last = (h.grad[0].norm(dim=-1).mean() for h in (hidden[0], hidden[-1]))
    return (first / last).item()


def vanishing_outcome(trained):
    errors = {f"{label} error": run.test_loss for label, run in trained.items()}
    return errors | {f"{label} gradient left": gradient_left(run) for label, run in trained.items()}


def exploding_outcome(trained):
    losses = trained["no_clip"].step_losses
    steps, largest = float(len(losses)), max(losses, default=0.0)
    return {"clip error": trained["clip"].test_loss, "no_clip steps": steps, "no_clip largest loss": largest}


def forget_bias_outcome(trained):
    return {f"{label} error": run.test_loss for label, run in trained.items()}


@torch.no_grad()
def parity_right(model, bits):  # (sequences, steps): after each bit, by the head at every step
    output, _ = next(model.children())(torch.from_numpy(bits[..., None].astype(np.float32)))
    return model.head(output).argmax(-1).numpy() == bits.cumsum(axis=1) % 2


def parity_outcome(trained):
    right, long = {}, {}
    for label, run in trained.items():
        bits = run.batch_of(run.starts["test"])[0][..., 0].numpy().astype(np.int64)
        right[f"{label} right"] = float(parity_right(run.model, bits).mean(axis=0)[-1])
        rng = np.random.default_rng((run.seed + 2**30) % 2**31)  # sequences that it was not trained on
        long[f"{label} right at 1000"] = float(parity_right(run.model, rng.integers(0, 2, (256, 1000)))[:, -1].mean())
    return right | long


@torch.no_grad()
def held_gates_outcome(trained):
    naive, errors = {"adding": 1 / 6, "flip": 1.0}, {}  # mean squared errors of the best constant
    for label, run in trained.items():
        inputs, targets = run.test
        squares = (run.model(inputs) - targets.flatten(-2)).square()
        errors[f"{label} error"] = (squares.double().mean() / naive[label.partition("_")[0]]).item()
    return errors
