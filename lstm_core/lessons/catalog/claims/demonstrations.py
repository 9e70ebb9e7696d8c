"""Demonstrations of claims about nn.LSTM that need no training: each runs PyTorch and measures.

All have one signature, f(seed, size) -> Demonstration, and take milliseconds; the claims themselves stand in claims.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import plotly.graph_objects as go
import torch
from torch import nn

from lstm_core.figures.theme import SAID, TRAIN, TRUTH, figure_layout
from lstm_core.lessons.catalog.shapes.call import Setup
from lstm_core.lessons.catalog.shapes.drawing import blocks_figure
from lstm_core.lessons.catalog.shapes.outputs import anatomy, fresh, largest_difference, normal, small
from lstm_core.lessons.catalog.shapes.run_call import Report, run_setup
from lstm_core.model.rng import random_state, seeded_state

FEATURES, BATCH = 3, 4  # where the size that may be chosen is another one
TINY = 1e-6  # float32: what two ways to add up the same numbers may differ by
HEIGHT = 250


@dataclass(frozen=True)
class Demonstration:
    """What a run has shown.

    shown: whether the numbers bear the claim's verdict out. The page says so if they do not.
    """

    shown: bool
    sentence: str  # plain text with the measured numbers
    table: Mapping[str, Sequence] | None = None  # column → cells
    figure: go.Figure | None = None
    code: str = field(default="")  # the lines that a reader can run


def _tried(report: Report) -> str:
    """A lab call in a table's cell."""
    return "runs" if report.problem is None else f"{report.problem.kind}: {report.problem.text}"


def batch_first_default(seed: int, batch: int) -> Demonstration:
    lstm = fresh(seed, nn.LSTM, FEATURES, 5)
    x = normal(seed + 1, 6, batch, FEATURES)  # (seq_len, batch, input_size)
    output, (h_n, _) = lstm(x)
    other = fresh(seed, nn.LSTM, FEATURES, 5, batch_first=True)
    turned, (h_m, _) = other(x.transpose(0, 1))
    difference = largest_difference(output, turned.transpose(0, 1))
    return Demonstration(
        lstm.batch_first is False and difference < TINY,
        f"nn.LSTM({FEATURES}, 5).batch_first is {lstm.batch_first}. With the same weights both orders give the same "
        f"numbers, turned: largest difference {small(difference)}.",
        {"batch_first": ["False (default)", "True"], "input": [str((6, batch, FEATURES)), str((batch, 6, FEATURES))],
         "output": [str(tuple(output.shape)), str(tuple(turned.shape))],
         "h_n": [str(tuple(h_n.shape)), str(tuple(h_m.shape))]},
        code=f"lstm = nn.LSTM({FEATURES}, 5)\nlstm.batch_first  # {lstm.batch_first}",
    )  # fmt: skip


def batch_first_states(seed: int, batch: int) -> Demonstration:
    shapes = ((2, batch, 5), (batch, 2, 5))
    calls = [Setup(FEATURES, 5, batch_first=True, x=(batch, 6, FEATURES), h_0=h, c_0=h) for h in shapes]
    right, wrong = (run_setup(call) for call in calls)
    h_n = next(row.shape for row in right.rows if row.name == "h_n")
    return Demonstration(
        right.problem is None and wrong.problem is not None and h_n == shapes[0],
        f"With batch_first=True and two layers, h_n comes back as {h_n}: layers first, batch second, as ever.",
        {
            "h_0 and c_0": [str(shape) for shape in shapes],
            "what PyTorch does": [_tried(right), _tried(wrong)],
        },
        code="\n".join(right.code),
    )


def input_order(seed: int, steps: int) -> Demonstration:
    """Disturb one number and see what answers: later steps of the same sequence, and nothing else."""
    lstm = fresh(seed, nn.LSTM, FEATURES, 5)
    x = normal(seed + 1, steps, BATCH, FEATURES)
    other = x.clone()
    other[1, 2] += 1.0
    with torch.no_grad():
        change = (lstm(other)[0] - lstm(x)[0]).abs().amax(-1)  # (steps, BATCH)
    touched = change > 0
    expected = torch.zeros_like(touched)
    expected[1:, 2] = True
    figure = go.Figure(go.Heatmap(z=change.T.numpy(), colorscale="Cividis", xgap=3, ygap=3,
                                  colorbar={"title": "change", "thickness": 14}))  # fmt: skip
    figure.update_xaxes(title="axis 0 of output", dtick=1)
    figure.update_yaxes(title="axis 1 of output", dtick=1)
    return Demonstration(
        bool((touched == expected).all()),
        f"x is {tuple(x.shape)} and only x[1, 2] was changed. The change runs on along axis 0, to {int(touched.sum())} "
        "places, all at index 2 of axis 1: axis 0 is time, and axis 1 holds sequences that do not know each other.",
        figure=figure_layout(figure, HEIGHT).update_layout(hovermode="closest"),
    )


def two_axes(seed: int, steps: int) -> Demonstration:
    lstm = fresh(seed, nn.LSTM, FEATURES, 5)
    x = normal(seed + 1, steps, FEATURES)
    with torch.no_grad():
        plain, (h_n, _) = lstm(x)
        one = lstm(x[:, None])[0][:, 0]  # a batch of one sequence
        rows = lstm(x[None])[0][0]  # a batch of `steps` sequences of one step
    same, apart = largest_difference(plain, one), largest_difference(plain, rows)
    return Demonstration(
        same < TINY < apart and h_n.dim() == 2,
        f"The output for x of shape {tuple(x.shape)} is that of one sequence of {steps} steps (difference {small(same)}), "
        f"not of {steps} sequences of one step (difference {apart:.2f}). h_n has no batch axis either: {tuple(h_n.shape)}.",
        {"read as": ["x as it is", f"one sequence: {(steps, 1, FEATURES)}", f"a batch: {(1, steps, FEATURES)}"],
         "output, last row, first three units": [_row(each[-1]) for each in (plain, one, rows)]},
    )  # fmt: skip


def initialisation(seed: int, hidden_size: int) -> Demonstration:
    """weight_ih of nn.LSTM(4 H, H), where Xavier's bound is √(6/8H) and PyTorch's √(1/H)."""
    inputs = 4 * hidden_size
    lstm = fresh(seed, nn.LSTM, inputs, hidden_size)
    weights = np.sort(lstm.weight_ih_l0.detach().numpy().ravel())  # (4 H · inputs,)
    own, xavier = 1 / math.sqrt(hidden_size), math.sqrt(6 / (inputs + 4 * hidden_size))
    far = {bound: _distance(weights, bound) for bound in (own, xavier)}
    beyond = float((np.abs(weights) > xavier).mean())
    edges = np.linspace(-1.25 * own, 1.25 * own, 61)
    heights, _ = np.histogram(weights, edges, density=True)
    figure = go.Figure(
        go.Bar(x=(edges[1:] + edges[:-1]) / 2, y=heights, name="weight_ih_l0", marker_color=TRAIN)
    )
    for bound, name, color, dash in (
        (own, "U(−1/√H, 1/√H)", SAID, "solid"),
        (xavier, "Xavier", TRUTH, "dash"),
    ):
        x = [edges[0], -bound, -bound, bound, bound, edges[-1]]
        y = [0, 0, 1 / (2 * bound), 1 / (2 * bound), 0, 0]
        figure.add_scatter(x=x, y=y, name=name, mode="lines", line={"color": color, "width": 3, "dash": dash})
    figure.update_xaxes(title="weight")
    figure.update_yaxes(title="density")
    return Demonstration(
        np.abs(weights).max() <= own and far[own] < far[xavier],
        f"{len(weights):,} weights of nn.LSTM({inputs}, {hidden_size}), none larger than 1/√{hidden_size} = {own:.4f}. "
        f"{beyond:.0%} of them lie beyond Xavier's bound, {xavier:.4f}. Largest distance between the cumulative "
        f"distributions: {far[own]:.3f} from the uniform one, {far[xavier]:.3f} from Xavier's.",
        figure=figure_layout(figure, HEIGHT).update_layout(bargap=0, hovermode="closest"),
    )


def _distance(values: np.ndarray, bound: float) -> float:
    """Kolmogorov and Smirnov's distance of sorted values from U(−bound, bound)."""
    ranks = np.arange(1, len(values) + 1) / len(values)
    return float(np.abs(np.clip((values + bound) / (2 * bound), 0, 1) - ranks).max())


def two_biases(seed: int, hidden_size: int) -> Demonstration:
    lstm = fresh(seed, nn.LSTM, FEATURES, hidden_size)
    x = normal(seed + 1, 6, BATCH, FEATURES)
    before = lstm(x)[0]
    before.square().sum().backward()
    gradients = largest_difference(lstm.bias_ih_l0.grad, lstm.bias_hh_l0.grad)
    moved = normal(seed + 2, 4 * hidden_size)
    with torch.no_grad():
        lstm.bias_ih_l0 += moved
        lstm.bias_hh_l0 -= moved
        after = lstm(x)[0]
        lstm.bias_hh_l0 += moved  # now the sum itself has changed
        elsewhere = lstm(x)[0]
    same, apart = largest_difference(before, after), largest_difference(before, elsewhere)
    count = sum(p.numel() for p in lstm.parameters())
    needed = count - 4 * hidden_size
    return Demonstration(
        same < 1e-5 < apart and gradients < 1e-5,
        f"Random numbers were added to bias_ih_l0 and taken from bias_hh_l0: the output moved by {small(same)}. Added to one "
        f"alone, it moves by {apart:.2f}. Their gradients differ by {small(gradients)}: only the sum counts.",
        {"counted": ["PyTorch: two vectors", "textbook: one"], "biases": [8 * hidden_size, 4 * hidden_size],
         "all parameters": [count, needed]},
    )  # fmt: skip


def last_row(seed: int, steps: int) -> Demonstration:
    one, two = (anatomy(seed, num_layers=1, bidirectional=both, steps=steps) for both in (False, True))
    ends = ", ".join(f"{end.code} is h_n[{end.row}]" for end in two.endings)
    return Demonstration(
        one.last_row_difference < TINY < two.last_row_difference
        and all(end.difference < TINY for end in two.endings),
        f"Difference between output[-1] and h_n: {small(one.last_row_difference)} for one direction, "
        f"{two.last_row_difference:.2f} for two. The reverse direction ends at step 0: {ends}.",
        figure=blocks_figure(two, 280),
    )


def next_state(seed: int, hidden_size: int) -> Demonstration:
    """nn.LSTMCell by hand, with h_t carried on as the state, and wrongly as the input."""
    size = FEATURES
    lstm = fresh(seed, nn.LSTM, size, hidden_size)
    cell = fresh(seed, nn.LSTMCell, size, hidden_size)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in lstm.state_dict().items()})
    x = normal(seed + 1, 6, size)
    with torch.no_grad():
        output, _ = lstm(x)
        state, said = None, []
        for x_t in x:
            state = cell(x_t, state)
            said.append(state[0])
        right = largest_difference(torch.stack(said), output)
        fed = _fed_with_h(cell, len(x)) if hidden_size == size else None
    if fed is None:
        call = Setup(size, hidden_size, 1, x=(1, hidden_size), states="none")
        wrong = f"it does not even fit: {_tried(run_setup(call))}"
    else:
        wrong = f"other numbers, and x is never read: difference {largest_difference(fed, output):.2f}"
    return Demonstration(
        right < TINY and (fed is None or largest_difference(fed, output) > 1e-3),
        f"state = cell(x_t, state), step by step, repeats nn.LSTM({size}, {hidden_size}): difference {small(right)}.",
        {"h_t goes on as": ["hidden state of step t + 1", "input of step t + 1"],
         "what comes out": [f"nn.LSTM's own output: difference {small(right)}", wrong]},
        code="state = None\nfor x_t in x:\n    h_t, c_t = state = cell(x_t, state)",
    )  # fmt: skip


def _fed_with_h(cell: nn.LSTMCell, steps: int) -> torch.Tensor:
    """(steps, hidden_size): h_t as the next step's input, and its state left at zero; such a cell has equal sizes."""
    h, said = torch.zeros(cell.hidden_size), []
    for _ in range(steps):
        h, _c = cell(h)
        said.append(h)
    return torch.stack(said)


def single_layer_dropout(seed: int, percent: int) -> Demonstration:
    """dropout from 0 to 1 in hundredths, in one layer and in two."""
    dropout = percent / 100
    one = run_setup(Setup(FEATURES, 5, 1, dropout=dropout, x=(6, BATCH, FEATURES), states="none"))
    apart = [_train_and_eval(seed, layers, dropout) for layers in (1, 2)]
    said = [note.text for note in one.notes]
    return Demonstration(
        apart[0] == 0 and (apart[1] > 0) == (dropout > 0) and bool(said) == (dropout > 0),
        f"With dropout={dropout:g}, output in train() and in eval() differ by {small(apart[0])} with one layer and by "
        f"{apart[1]:.2f} with two." + (f" PyTorch warns when the one-layer module is made: “{said[0]}”" if said else ""),
        {"num_layers": [1, 2], "largest difference between train() and eval()": [f"{d:.4f}" for d in apart]},
    )  # fmt: skip


def _train_and_eval(seed: int, layers: int, dropout: float) -> float:
    x = normal(seed + 1, 6, BATCH, FEATURES)
    with random_state(seeded_state(seed)), torch.no_grad():
        lstm = nn.LSTM(FEATURES, 5, layers)
        lstm.dropout = dropout
        return largest_difference(lstm.train()(x)[0], lstm.eval()(x)[0])


def _row(values: torch.Tensor) -> str:
    return ", ".join(f"{value:+.4f}" for value in values[:3].tolist())
