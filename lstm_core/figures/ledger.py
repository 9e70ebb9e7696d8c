"""A ledger as a picture: what each step added, stacked by input, and the sum on its way to the prediction."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lstm_core.analysis.attribution.explain import Ledger
from lstm_core.data.number_format import format_significant
from lstm_core.figures.theme import ACTUAL_COLOR, FEATURE_COLORS, PREDICTION_COLOR, figure_layout, plain_label

MAX_INPUTS = len(FEATURE_COLORS) - 1  # with a colour of their own, where there are more
MAX_BARS = 2000  # of all inputs together: several steps share a bar beyond it
MAX_NAME = 24  # characters of a name in a legend or on the axis
MAX_TICKS = 12  # steps with a name; all of up to MANY, where the names are short
MANY, SHORT = 40, 3


def ledger_figure(ledger: Ledger, step_signs: list[str] | None = None, height: int = 460) -> go.Figure:
    """Above the sum so far, from the constants to the prediction; below what each step added to it.

    step_signs: (seq_len,) short texts for the axis, such as symbols, in place of the ledger's own names of steps.
    """
    blocks = _blocks(*ledger.inputs.shape)
    added = np.add.reduceat(ledger.inputs, blocks, axis=0)  # (bars, input_size)
    names = _block_names(ledger.step_names, blocks)
    x = np.arange(1, len(blocks) + 1)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.42, 0.58], vertical_spacing=0.06)
    so_far = ledger.fixed_total + np.concatenate([[0.0], added.sum(1).cumsum()])
    figure.add_scatter(
        x=np.arange(len(so_far)),
        y=so_far,
        name="sum so far",
        mode="lines",
        line={"color": ACTUAL_COLOR, "width": 2.5, "shape": "hv" if len(x) <= MANY else "linear"},
        text=["the constants", *names],
        hovertemplate="after %{text}: %{y:.4~g}<extra></extra>",
        row=1,
        col=1,
    )
    for at, value, name, symbol, color in (
        (0, so_far[0], "constants", "square", ACTUAL_COLOR),
        (len(x), ledger.prediction, "prediction", "diamond", PREDICTION_COLOR),
    ):
        figure.add_scatter(
            x=[at],
            y=[value],
            name=f"{name}: {format_significant(value, 4)}",
            mode="markers",
            marker={"size": 12, "symbol": symbol, "color": color},
            hovertemplate=f"{name}: %{{y:.4~g}}<extra></extra>",
            row=1,
            col=1,
        )
    for name, values, color in _stacked(ledger, added):
        figure.add_bar(
            x=x,
            y=values,
            name=name,
            marker={"color": color, "line": {"width": 0}},
            text=names,
            textposition="none",
            hovertemplate="%{text}: %{y:+.4~g}",
            showlegend=len(ledger.input_names) > 1 and ledger.symbols is None,
            row=2,
            col=1,
        )
    figure.add_hline(0, line={"color": ACTUAL_COLOR, "width": 1}, row=2, col=1)
    ticks, texts = _ticks(names, step_signs if len(blocks) == len(ledger.steps) else None)
    figure.update_xaxes(tickvals=ticks, ticktext=texts, range=[-0.6, len(x) + 0.8])
    figure.update_yaxes(title="sum so far", row=1, col=1)
    figure.update_yaxes(title="added", row=2, col=1)
    figure_layout(figure, height).update_layout(barmode="relative", bargap=0.15 if len(x) <= 4 * MANY else 0)
    return figure.update_layout(hovermode="closest")


def _blocks(seq_len: int, inputs: int) -> np.ndarray:
    """The first step of each bar."""
    inputs = min(inputs, MAX_INPUTS + 1)
    return np.arange(0, seq_len, -(-seq_len // (MAX_BARS // inputs)))


def _block_names(names: tuple[str, ...], blocks: np.ndarray) -> list[str]:
    shown = [plain_label(name, MAX_NAME) for name in names]
    ends = [*(blocks[1:] - 1), len(names) - 1]
    return [shown[a] if a == b else f"{shown[a]} to {shown[b]}" for a, b in zip(blocks, ends, strict=True)]


def _stacked(ledger: Ledger, added: np.ndarray) -> list[tuple[str, np.ndarray, str]]:
    """Name, values and colour of each layer of bars: the inputs that add most, and all others as one."""
    if ledger.symbols is not None or added.shape[1] == 1:
        return [("added", added.sum(1), FEATURE_COLORS[0])]
    names = [plain_label(name, MAX_NAME) for name in ledger.input_names]
    if len(names) <= len(FEATURE_COLORS):
        return [(name, added[:, k], FEATURE_COLORS[k]) for k, name in enumerate(names)]
    order = np.argsort(-np.abs(ledger.inputs).sum(0), kind="stable")
    layers = [(names[k], added[:, k], FEATURE_COLORS[at]) for at, k in enumerate(order[:MAX_INPUTS])]
    rest = order[MAX_INPUTS:]
    return [*layers, (f"{len(rest):,} other inputs", added[:, rest].sum(1), FEATURE_COLORS[-1])]


def _ticks(names: list[str], signs: list[str] | None) -> tuple[list[int], list[str]]:
    """Positions and texts on the axis; 0 is the constants."""
    texts = [plain_label(sign, MAX_NAME) for sign in signs] if signs else names
    all_fit = len(texts) <= MANY and max(map(len, texts)) <= SHORT
    stride = 1 if all_fit else -(-len(texts) // MAX_TICKS)
    at = list(range(len(texts) - 1, -1, -stride))[::-1]
    return [0, *(k + 1 for k in at)], ["constants", *(texts[k] for k in at)]
