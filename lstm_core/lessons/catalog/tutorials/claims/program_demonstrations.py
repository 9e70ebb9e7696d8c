"""Demonstrations of errors in the tutorials' own programs that need no training: the very call is run and measured.

The signature is that of demonstrations.py; these take milliseconds, too.
"""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go
import torch
from torch import nn

from lstm_core.data.number_format import format_significant
from lstm_core.figures.theme import ACTUAL_COLOR, GATE_COLORS, PREDICTION_COLOR, figure_layout
from lstm_core.lessons.catalog.tutorials.claims.demonstrations import FEATURES, HEIGHT, TINY, Demonstration
from lstm_core.lessons.catalog.tutorials.shapes.outputs import max_abs_difference, seeded_module, seeded_randn
from lstm_core.lessons.catalog.tutorials.shapes.run_call import caught_warnings
from lstm_core.trace.gate_trace import trace_lstm

INPUTS, UNITS, TARGETS, STEPS = 10, 20, 5, 7  # of the tutorial's model, and the steps of a batch of windows
OPEN_BIAS = 50.0  # σ of it is 1 in float64
KEPT_SHARE = 0.05  # of the last step's influence; less is as good as forgotten


def view_as_one_sequence(seed: int, batch: int) -> Demonstration:
    """seq.view(len(seq), -1) on a batch of rows and on a batch of windows, through nn.LSTM(10, 20) and nn.Linear."""
    lstm, head = seeded_module(seed, nn.LSTM, INPUTS, UNITS), seeded_module(seed + 1, nn.Linear, UNITS, TARGETS)
    x, targets = seeded_randn(seed + 2, batch, INPUTS), seeded_randn(seed + 3, batch, TARGETS)

    def forward(rows: torch.Tensor) -> torch.Tensor:
        return head(lstm(rows.view(len(rows), -1))[0][-1])

    changed = x.clone()
    changed[-2] += 1.0
    with torch.no_grad(), caught_warnings() as caught:
        output = forward(x)
        moved = max_abs_difference(forward(changed), output)
        loss = nn.functional.mse_loss(output, targets).item()
        per_row = head(lstm(x[None])[0][-1])  # seq_len 1
    warned = [str(warning.message) for warning in caught if "target size" in str(warning.message)]
    error = ""
    try:
        forward(seeded_randn(seed + 2, batch, STEPS, INPUTS))
    except RuntimeError as raised:
        error = str(raised)
    return Demonstration(
        output.shape == (TARGETS,) and moved > 0 and bool(warned) and bool(error) and per_row.shape == targets.shape,
        f"{batch} rows of {INPUTS} numbers give one output of {TARGETS}, {tuple(output.shape)}, in place of "
        f"{tuple(targets.shape)}: the rows were read as {batch} steps of one sequence, and changing the last but one "
        f"row moves the output by {format_significant(moved)}. MSELoss stretches that one row over all {batch} "
        f"targets and returns {loss:.3f}, with a warning only.",
        {
            "the batch": [str(tuple(x.shape)), str((batch, STEPS, INPUTS)), str((1, *x.shape))],
            "what comes out": [
                f"{tuple(output.shape)}, and a loss. {warned[0].splitlines()[0] if warned else ''}",
                f"RuntimeError: {error}",
                f"{tuple(per_row.shape)}: one step of each row, no view",
            ],
        },
        code="lstm_out, _ = self.lstm(seq.view(len(seq), -1))  # the tutorial's line\n"
        "lstm_out, _ = self.lstm(seq)  # batch_first=True and seq of shape (batch, seq_len, input_size)",
    )


def mean_of_squares(seed: int, targets: int) -> Demonstration:
    batch = 16
    errors = seeded_randn(seed, batch, targets)
    total = errors.square().sum().item()
    loss = nn.functional.mse_loss(errors, torch.zeros_like(errors)).item()
    by_samples, by_elements = total / batch, total / errors.numel()
    return Demonstration(
        abs(loss - by_elements) < TINY < abs(loss - by_samples),
        f"Squared errors of {batch} samples with {targets} targets each: their sum is {total:.3f}. nn.MSELoss gives "
        f"{loss:.4f}, which is the sum divided by {errors.numel()} elements; divided by {batch} samples it would be "
        f"{by_samples:.4f}.",
        {
            "divided by": ["elements", "samples"],
            "loss": [f"{by_elements:.4f}", f"{by_samples:.4f}"],
            "nn.MSELoss": [f"{loss:.4f}", ""],
        },
    )


def state_drawn_anew(seed: int, steps: int) -> Demonstration:
    """nn.LSTM(3, 3) step by step and at once: from the same state, from another one of torch.randn, from zeros."""
    size = FEATURES
    lstm, x = seeded_module(seed, nn.LSTM, size, size), seeded_randn(seed + 1, steps, 1, size)
    first, second = ((seeded_randn(seed + k, 1, 1, size), seeded_randn(seed + k + 1, 1, 1, size)) for k in (2, 4))
    with torch.no_grad():
        outputs, state = [], first
        for x_t in x.split(1):
            output, state = lstm(x_t, state)
            outputs.append(output)
        stepwise = torch.cat(outputs)
        same, anew, clean, default = (lstm(x, hx)[0] for hx in (first, second, (torch.zeros(1, 1, size),) * 2, None))
    same_difference, anew_difference = (max_abs_difference(stepwise, other) for other in (same, anew))
    return Demonstration(
        same_difference < TINY < anew_difference and torch.equal(clean, default),
        f"Step by step and at once give the same outputs from the same state: difference "
        f"{format_significant(same_difference, 1)}. With the state drawn anew between them, as in the tutorial, they "
        f"differ by {anew_difference:.2f}. A clean state is zeros, and leaving it out gives exactly those.",
        {
            "initial state of the second run": ["the first run's", "torch.randn again", "zeros", "left out"],
            "largest difference from the first run": [
                f"{max_abs_difference(stepwise, other):.4f}" for other in (same, anew, clean, default)
            ],
        },
        code="out, hidden = lstm(inputs)  # from zeros",
    )


def last_hidden_state(seed: int, steps: int) -> Demonstration:
    """How much of each step is left in the last h of an untrained nn.LSTM: ∏ f, and a change of that step's input."""
    lstm = seeded_module(seed, nn.LSTM, FEATURES, 8).double()  # float32 rounds the early steps' influence to 0
    x = seeded_randn(seed + 1, steps, 1, FEATURES).double()
    changed = x.repeat(1, steps, 1)  # (steps, one sequence for each changed step, features)
    changed[torch.arange(steps), torch.arange(steps)] += 1.0
    with torch.no_grad():
        final_change = (lstm(changed)[1][0][0] - lstm(x)[1][0][0]).norm(dim=-1).numpy()  # (steps,)
        f = trace_lstm(lstm, x).f[0, 0, 0].numpy()  # (steps, 8)
    later = np.concatenate([f[1:], np.ones_like(f[:1])])[::-1].cumprod(axis=0)[::-1].max(axis=1)  # (steps,)
    influence = final_change / final_change[-1]
    figure, at = go.Figure(), np.arange(1, steps + 1)
    for name, values, color in (
        ("change of the last h, of the last step's", influence, PREDICTION_COLOR),
        ("product of the forget gates after the step, best unit", later, GATE_COLORS["f"]),
    ):
        y = np.where(values > 0, values, np.nan)
        figure.add_scatter(x=at, y=y, name=name, mode="lines", line={"color": color, "width": 3})
    figure.update_xaxes(title="step whose input is changed")
    figure.update_yaxes(title="share left at the end", type="log", dtick=2, exponentformat="power")
    return Demonstration(
        influence[0] < KEPT_SHARE and later[0] < KEPT_SHARE,
        f"Adding 1 to the first of {steps} inputs moves the last h by {format_significant(float(influence[0]))} of "
        f"what the same change of the last input does. Of c, the forget gates leave "
        f"{format_significant(float(later[0]))} of the first step, in the unit that keeps most.",
        figure=figure_layout(figure, HEIGHT),
    )


def largest_output(seed: int, steps: int) -> Demonstration:
    """nn.LSTM(1, 1) in float64 with every gate and the candidate at 1: the largest h that so many steps allow."""
    lstm = seeded_module(seed, nn.LSTM, 1, 1).double()
    with torch.no_grad():
        lstm.bias_ih_l0.fill_(OPEN_BIAS)
        output, (h_n, c_n) = lstm(seeded_randn(seed + 1, steps, 1, 1).double())
    h, c, limit = h_n.item(), c_n.item(), math.tanh(steps)
    figure = go.Figure()
    line = {"color": GATE_COLORS["h"], "width": 3}
    h_t = output[:, 0, 0].numpy()
    figure.add_scatter(x=np.arange(1, steps + 1), y=h_t, name="h", mode="lines+markers", line=line)
    figure.add_hline(1, line={"color": ACTUAL_COLOR, "width": 2, "dash": "dash"})
    figure.update_xaxes(title="step", dtick=1)
    figure.update_yaxes(title="h", range=[0, 1.05])
    return Demonstration(
        h < 1 and abs(h - limit) < TINY,
        f"With i, f, g and o all at 1, c grows by 1 a step and is {c:g} after {steps}. Then h = o·tanh(c) = "
        f"tanh({steps}), {format_significant(1 - h)} below 1, and no weights give more.",
        figure=figure_layout(figure, HEIGHT),
    )
