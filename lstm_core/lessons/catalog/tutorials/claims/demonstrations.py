"""Demonstrations of claims about nn.LSTM that need no training: each runs PyTorch and measures.

All have one signature, f(seed, size) -> Demonstration, and take milliseconds; the claims themselves stand in claims.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import torch
from torch import nn

from lstm_core.data.number_format import format_percent, format_significant
from lstm_core.figures.theme import ACTUAL_COLOR, PREDICTION_COLOR, TRAIN_COLOR, figure_layout
from lstm_core.lessons.catalog.tutorials.shapes.call import LSTMCall
from lstm_core.lessons.catalog.tutorials.shapes.drawing import outputs_figure
from lstm_core.lessons.catalog.tutorials.shapes.outputs import (
    compare_outputs,
    max_abs_difference,
    seeded_module,
    seeded_randn,
)
from lstm_core.lessons.catalog.tutorials.shapes.run_call import CallReport, run_call
from lstm_core.model.rng import rng_scope, rng_state

FEATURES, BATCH = 3, 4  # where the size that may be chosen is another one
TINY = 1e-6  # float32: what two ways to add up the same numbers may differ by
HEIGHT = 250


@dataclass(frozen=True)
class Demonstration:
    """What a run measured."""

    confirmed: bool  # whether the numbers bear the claim's verdict out; the page warns if they do not
    summary: str  # plain text with the measured numbers
    table: Mapping[str, Sequence] | None = None  # column → cells
    figure: go.Figure | None = None
    code: str = ""  # the lines that a reader can run


def _result_text(report: CallReport) -> str:
    """What became of a lab call, for a table's cell."""
    return "runs" if report.problem is None else f"{report.problem.kind}: {report.problem.text}"


def batch_first_default(seed: int, batch: int) -> Demonstration:
    lstm = seeded_module(seed, nn.LSTM, FEATURES, 5)
    x = seeded_randn(seed + 1, 6, batch, FEATURES)  # (seq_len, batch, input_size)
    output, (h_n, _) = lstm(x)
    batch_first_lstm = seeded_module(seed, nn.LSTM, FEATURES, 5, batch_first=True)
    transposed, (transposed_h_n, _) = batch_first_lstm(x.transpose(0, 1))
    difference = max_abs_difference(output, transposed.transpose(0, 1))
    return Demonstration(
        lstm.batch_first is False and difference < TINY,
        f"nn.LSTM({FEATURES}, 5).batch_first is {lstm.batch_first}. With the same weights both orders give the same "
        f"numbers, turned: largest difference {format_significant(difference, 1)}.",
        {
            "batch_first": ["False (default)", "True"],
            "input": [str((6, batch, FEATURES)), str((batch, 6, FEATURES))],
            "output": [str(tuple(output.shape)), str(tuple(transposed.shape))],
            "h_n": [str(tuple(h_n.shape)), str(tuple(transposed_h_n.shape))],
        },
        code=f"lstm = nn.LSTM({FEATURES}, 5)\nlstm.batch_first  # {lstm.batch_first}",
    )


def batch_first_states(seed: int, batch: int) -> Demonstration:
    shapes = ((2, batch, 5), (batch, 2, 5))
    calls = [LSTMCall(FEATURES, 5, batch_first=True, x=(batch, 6, FEATURES), h_0=h, c_0=h) for h in shapes]
    right, wrong = (run_call(call) for call in calls)
    h_n = next(row.shape for row in right.rows if row.name == "h_n")
    lstm = seeded_module(seed, nn.LSTM, FEATURES, 5, 2, batch_first=True)
    x, states = (
        seeded_randn(seed + 1, 2, 6, FEATURES),
        seeded_randn(seed + 2, 2, 2, 2, 5),
    )  # as many sequences as layers
    with torch.no_grad():
        silent = max_abs_difference(*(lstm(x, (h, c))[0] for h, c in (states, states.transpose(1, 2))))
    return Demonstration(
        right.problem is None and wrong.problem is not None and h_n == shapes[0] and silent > TINY,
        f"With batch_first=True and two layers, h_n comes back as {h_n}: layers first, batch second, as ever. With two "
        f"sequences the wrong order fits, too: no error, and an output that is off by up to {silent:.2f}.",
        {
            "h_0 and c_0": [*map(str, shapes), "(2, 2, 5), axes swapped"],
            "what PyTorch does": [_result_text(right), _result_text(wrong), f"runs: output off by up to {silent:.2f}"],
        },
        code="\n".join(right.code),
    )


def input_order(seed: int, steps: int) -> Demonstration:
    """Change one number of the input: only later steps of the same sequence may change."""
    lstm = seeded_module(seed, nn.LSTM, FEATURES, 5)
    x = seeded_randn(seed + 1, steps, BATCH, FEATURES)
    changed_input = x.clone()
    changed_input[1, 2] += 1.0
    with torch.no_grad():
        change = (lstm(changed_input)[0] - lstm(x)[0]).abs().amax(-1)  # (steps, BATCH)
    changed_features = change > 0
    expected = torch.zeros_like(changed_features)
    expected[1:, 2] = True
    figure, colorbar = go.Figure(), {"title": "change", "thickness": 14}
    figure.add_heatmap(z=change.T.numpy(), colorscale="Cividis", xgap=3, ygap=3, colorbar=colorbar)
    figure.update_xaxes(title="axis 0 of output", dtick=1)
    figure.update_yaxes(title="axis 1 of output", dtick=1)
    return Demonstration(
        bool((changed_features == expected).all()),
        f"x is {tuple(x.shape)} and only x[1, 2] was changed. The change runs on along axis 0, to "
        f"{int(changed_features.sum())} places, all at index 2 of axis 1: axis 0 is time, and axis 1 holds sequences "
        "that do not know each other.",
        figure=figure_layout(figure, HEIGHT).update_layout(hovermode="closest"),
    )


def two_axes(seed: int, steps: int) -> Demonstration:
    lstm = seeded_module(seed, nn.LSTM, FEATURES, 5)
    x = seeded_randn(seed + 1, steps, FEATURES)
    with torch.no_grad():
        plain, (h_n, _) = lstm(x)
        unsqueezed = lstm(x[:, None])[0][:, 0]  # a batch of one sequence
        rows = lstm(x[None])[0][0]  # a batch of `steps` sequences of one step
    difference_to_one, difference_to_rows = (max_abs_difference(plain, other) for other in (unsqueezed, rows))
    return Demonstration(
        difference_to_one < TINY < difference_to_rows and h_n.dim() == 2,
        f"The output for x of shape {tuple(x.shape)} is that of one sequence of {steps} steps (difference "
        f"{format_significant(difference_to_one, 1)}), not of {steps} sequences of one step (difference "
        f"{difference_to_rows:.2f}). h_n has no batch axis either: {tuple(h_n.shape)}.",
        {
            "read as": ["x as it is", f"one sequence: {(steps, 1, FEATURES)}", f"a batch: {(1, steps, FEATURES)}"],
            "output, last row, first three units": [_row(output[-1]) for output in (plain, unsqueezed, rows)],
        },
    )


def initialisation(seed: int, hidden_size: int) -> Demonstration:
    """weight_ih of nn.LSTM(4 H, H), where Xavier's bound is √(6/8H) and PyTorch's √(1/H)."""
    inputs = 4 * hidden_size
    lstm = seeded_module(seed, nn.LSTM, inputs, hidden_size)
    weights = np.sort(lstm.weight_ih_l0.detach().numpy().ravel())  # (4 H · inputs,)
    pytorch_bound, xavier_bound = 1 / math.sqrt(hidden_size), math.sqrt(6 / (inputs + 4 * hidden_size))
    distances = {bound: _distance(weights, bound) for bound in (pytorch_bound, xavier_bound)}
    beyond = float((np.abs(weights) > xavier_bound).mean())
    edges = np.linspace(-1.25 * pytorch_bound, 1.25 * pytorch_bound, 61)
    heights, _ = np.histogram(weights, edges, density=True)
    figure = go.Figure(go.Bar(x=(edges[1:] + edges[:-1]) / 2, y=heights, name="weight_ih_l0", marker_color=TRAIN_COLOR))
    for bound, name, color, dash in (
        (pytorch_bound, "U(−1/√H, 1/√H)", PREDICTION_COLOR, "solid"),
        (xavier_bound, "Xavier", ACTUAL_COLOR, "dash"),
    ):
        x = [edges[0], -bound, -bound, bound, bound, edges[-1]]
        y = [0, 0, 1 / (2 * bound), 1 / (2 * bound), 0, 0]
        figure.add_scatter(x=x, y=y, name=name, mode="lines", line={"color": color, "width": 3, "dash": dash})
    figure.update_xaxes(title="weight")
    figure.update_yaxes(title="density")
    return Demonstration(
        np.abs(weights).max() <= pytorch_bound and distances[pytorch_bound] < distances[xavier_bound],
        f"{len(weights):,} weights of nn.LSTM({inputs}, {hidden_size}), none larger than 1/√{hidden_size} = "
        f"{pytorch_bound:.4f}. {format_percent(beyond, 0)} of them lie beyond Xavier's bound, {xavier_bound:.4f}. "
        f"Largest distance between the cumulative distributions: {distances[pytorch_bound]:.3f} from the uniform one, "
        f"{distances[xavier_bound]:.3f} from Xavier's.",
        _bounds(seed),
        figure=figure_layout(figure, HEIGHT).update_layout(bargap=0, hovermode="closest"),
    )


def _bounds(seed: int) -> dict[str, list[str]]:
    """The bounds of nn.LSTM(10, 20, 2), the module of the tutorial that makes the claim, and its largest weights."""
    lstm = seeded_module(seed, nn.LSTM, 10, 20, 2)
    table = {"nn.LSTM(10, 20, 2)": [], "largest |weight|": [], "PyTorch's bound": [], "Xavier's bound": []}
    for name in ("weight_ih_l0", "weight_hh_l0"):
        weight = getattr(lstm, name)
        bounds = 1 / math.sqrt(lstm.hidden_size), math.sqrt(6 / sum(weight.shape))
        cells = name, *(f"{number:.4f}" for number in (weight.abs().max().item(), *bounds))
        for column, cell in zip(table.values(), cells, strict=True):
            column.append(cell)
    return table


def _distance(values: np.ndarray, bound: float) -> float:
    """Kolmogorov and Smirnov's distance of sorted values from U(−bound, bound)."""
    ranks = np.arange(1, len(values) + 1) / len(values)
    return float(np.abs(np.clip((values + bound) / (2 * bound), 0, 1) - ranks).max())


def two_biases(seed: int, hidden_size: int) -> Demonstration:
    lstm = seeded_module(seed, nn.LSTM, FEATURES, hidden_size)
    x = seeded_randn(seed + 1, 6, BATCH, FEATURES)
    before = lstm(x)[0]
    before.square().sum().backward()
    gradients = max_abs_difference(lstm.bias_ih_l0.grad, lstm.bias_hh_l0.grad)
    moved = seeded_randn(seed + 2, 4 * hidden_size)
    with torch.no_grad():
        lstm.bias_ih_l0 += moved
        lstm.bias_hh_l0 -= moved
        after = lstm(x)[0]
        lstm.bias_hh_l0 += moved  # now the sum itself has changed
        one_bias_moved = lstm(x)[0]
    moved_difference, changed_difference = (max_abs_difference(before, output) for output in (after, one_bias_moved))
    count = sum(p.numel() for p in lstm.parameters())
    distinct_count = count - 4 * hidden_size
    return Demonstration(
        moved_difference < 1e-5 < changed_difference and gradients < 1e-5,
        "Random numbers were added to bias_ih_l0 and taken from bias_hh_l0: the output moved by "
        f"{format_significant(moved_difference, 1)}. Added to one alone, it moves by {changed_difference:.2f}. Their "
        f"gradients differ by {format_significant(gradients, 1)}: only the sum counts.",
        {
            "counted": ["PyTorch: two vectors", "textbook: one"],
            "biases": [8 * hidden_size, 4 * hidden_size],
            "all parameters": [count, distinct_count],
        },
    )


def last_row(seed: int, steps: int) -> Demonstration:
    unidirectional, bidirectional = (
        compare_outputs(seed, num_layers=1, bidirectional=both, steps=steps) for both in (False, True)
    )
    ends = ", ".join(f"{end.code} is h_n[{end.row}]" for end in bidirectional.final_states)
    return Demonstration(
        unidirectional.last_row_difference < TINY < bidirectional.last_row_difference
        and all(end.difference < TINY for end in bidirectional.final_states),
        f"Difference between output[-1] and h_n: {format_significant(unidirectional.last_row_difference, 1)} for one "
        f"direction, {bidirectional.last_row_difference:.2f} for two. The reverse direction ends at the first "
        f"step: {ends}.",
        figure=outputs_figure(bidirectional, 280),
    )


def next_state(seed: int, hidden_size: int) -> Demonstration:
    """nn.LSTMCell by hand, with h_t passed on as the state, and wrongly as the input."""
    size = FEATURES
    lstm = seeded_module(seed, nn.LSTM, size, hidden_size)
    cell = seeded_module(seed, nn.LSTMCell, size, hidden_size)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in lstm.state_dict().items()})
    x = seeded_randn(seed + 1, 6, size)
    with torch.no_grad():
        output, _ = lstm(x)
        state, outputs = None, []
        for x_t in x:
            state = cell(x_t, state)
            outputs.append(state[0])
        difference = max_abs_difference(torch.stack(outputs), output)
        fed_back = _fed_with_h(cell, len(x)) if hidden_size == size else None
    if fed_back is None:
        call = LSTMCall(size, hidden_size, 1, x=(1, hidden_size), states="none")
        wrong = f"it does not even fit: {_result_text(run_call(call))}"
    else:
        wrong = f"other numbers, and x is never read: difference {max_abs_difference(fed_back, output):.2f}"
    return Demonstration(
        difference < TINY and (fed_back is None or max_abs_difference(fed_back, output) > 1e-3),
        f"state = cell(x_t, state), step by step, repeats nn.LSTM({size}, {hidden_size}): difference "
        f"{format_significant(difference, 1)}.",
        {
            "h_t goes on as": ["hidden state of step t + 1", "input of step t + 1"],
            "what comes out": [f"nn.LSTM's own output: difference {format_significant(difference, 1)}", wrong],
        },
        code="state = None\nfor x_t in x:\n    h_t, c_t = state = cell(x_t, state)",
    )


def _fed_with_h(cell: nn.LSTMCell, steps: int) -> torch.Tensor:
    """(steps, hidden_size): h_t as the next step's input, and its state left at zero; such a cell has equal sizes."""
    h, outputs = torch.zeros(cell.hidden_size), []
    for _ in range(steps):
        h, _c = cell(h)
        outputs.append(h)
    return torch.stack(outputs)


def single_layer_dropout(seed: int, percent: int) -> Demonstration:
    """dropout from 0 to 1 in hundredths, in one layer and in two."""
    dropout = percent / 100
    report = run_call(LSTMCall(FEATURES, 5, 1, dropout=dropout, x=(6, BATCH, FEATURES), states="none"))
    differences = [_train_and_eval(seed, layers, dropout) for layers in (1, 2)]
    warnings = [note.text for note in report.notes]
    return Demonstration(
        differences[0] == 0 and (differences[1] > 0) == (dropout > 0) and bool(warnings) == (dropout > 0),
        f"With dropout={dropout:g}, output in train() and in eval() differ by {format_significant(differences[0], 1)} "
        f"with one layer and by {differences[1]:.2f} with two."
        + (f" PyTorch warns when the one-layer module is made: “{warnings[0]}”" if warnings else ""),
        {"num_layers": [1, 2], "largest difference between train() and eval()": [f"{d:.4f}" for d in differences]},
    )


def _train_and_eval(seed: int, layers: int, dropout: float) -> float:
    x = seeded_randn(seed + 1, 6, BATCH, FEATURES)
    with rng_scope(rng_state(seed)), torch.no_grad():
        lstm = nn.LSTM(FEATURES, 5, layers)
        lstm.dropout = dropout
        return max_abs_difference(lstm.train()(x)[0], lstm.eval()(x)[0])


def _row(values: torch.Tensor) -> str:
    return ", ".join(f"{value:+.4f}" for value in values[:3].tolist())
