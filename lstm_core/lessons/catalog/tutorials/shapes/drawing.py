"""Figures of what nn.LSTM returns: the blocks of output beside h_n, and a padded batch beside its packed rows."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from lstm_core.figures.diagram import box, label
from lstm_core.figures.theme import (
    ACTUAL_COLOR,
    BRICK,
    FEATURE_COLORS,
    FONT_SIZE,
    LIME,
    SIGNED_SCALE,
    VIOLET,
    figure_layout,
)
from lstm_core.lessons.catalog.tutorials.shapes.outputs import LSTMOutputs, PackedComparison

HIGHLIGHT = (VIOLET, LIME)  # the forward direction's end, the reverse one's
SEQUENCE_COLORS = tuple(f"{color}66" for color in FEATURE_COLORS)  # pale: the theme's own text stands on them
PACKED_END, PADDED_END = VIOLET, BRICK  # where a sequence ends, and where the padded run reads h_n


def outputs_figure(outputs: LSTMOutputs, height: int = 330) -> go.Figure:
    """h of one sequence, a column a step and a band of units a layer and direction, with h_n at its right.

    What h_n holds is highlighted on both sides. A frame is around what output holds; the bands below it are pale.
    """
    layers, directions, steps, hidden = outputs.h.shape
    max_abs = float(np.abs(outputs.h).max())
    style = {"zmin": -max_abs, "zmax": max_abs, "colorscale": SIGNED_SCALE, "showscale": False, "xgap": 2}
    style |= {"hoverongaps": False, "hovertemplate": "%{z:.3f}<extra></extra>"}
    figure = go.Figure()
    ticks, names, top_of_band = [], [], 0.0
    for end in sorted(outputs.final_states, key=lambda e: (-e.layer, e.direction)):  # output's own order, at the top
        inside = end.layer < layers - 1
        values = outputs.h[end.layer, end.direction].T  # (hidden, steps)
        gap, state = np.full((hidden, 1), np.nan), outputs.h_n[end.row][:, None]
        both = np.concatenate([values, gap, state], axis=1)  # (hidden, steps + 2)
        is_highlighted = np.isin(np.arange(steps + 2), (end.step, steps + 1))
        for mask, opacity in ((is_highlighted, 1.0), (~is_highlighted, 0.2 if inside else 0.6)):
            z, y = np.where(mask, both, np.nan), top_of_band - np.arange(hidden)
            figure.add_heatmap(z=z, x=np.arange(steps + 2), y=y, opacity=opacity, **style)
        for x in (end.step, steps + 1):
            edges = (x - 0.5, x + 0.5), (top_of_band - hidden + 0.5, top_of_band + 0.5)
            figure.add_shape(box(*edges, HIGHLIGHT[end.direction], 5))
        ticks.append(top_of_band - (hidden - 1) / 2)
        direction = "" if directions == 1 else (", forward →", ", reverse ←")[end.direction]
        names.append(f"layer {end.layer}{' (inside)' * inside}{direction}")
        figure.add_annotation(label(steps + 1.6, ticks[-1], f"h_n[{end.row}]", FONT_SIZE, xanchor="left"))
        top_of_band -= hidden + 1
    figure.add_shape(box((-0.6, steps - 0.4), (1.0 - directions * (hidden + 1), 0.8), ACTUAL_COLOR))
    figure.add_annotation(
        label((steps - 1) / 2, 0.9, f"<b>output {outputs.shapes['output']}</b>", FONT_SIZE, yanchor="bottom")
    )
    figure.add_annotation(label(steps + 1, 0.9, f"<b>h_n {outputs.shapes['h_n']}</b>", FONT_SIZE, yanchor="bottom"))
    step_names = [f"step {t + 1}" for t in range(steps)]
    figure.update_xaxes(tickvals=list(range(steps)), ticktext=step_names, range=[-0.7, steps + 2.9])
    figure.update_yaxes(tickvals=ticks, ticktext=names, range=[top_of_band + 0.4, 0.9])
    figure.update_xaxes(showgrid=False, zeroline=False).update_yaxes(showgrid=False, zeroline=False)
    return figure_layout(figure, height).update_layout(hovermode="closest", margin={"t": 30, "b": 6})


def packing_figure(packing: PackedComparison) -> go.Figure:
    """The padded batch, a colour for each sequence, padding empty; below it PackedSequence.data in its order."""
    longest, count = max(packing.lengths), len(packing.lengths)
    figure = go.Figure()
    for k, length in enumerate(packing.lengths):
        for step in range(longest):
            _cell(figure, step, -k, f"{_letter(k)}{step + 1}" if step < length else "0", k if step < length else None)
        figure.add_shape(box((length - 1.5, length - 0.5), (-k - 0.46, -k + 0.46), PACKED_END, 5))
        if length < longest:
            figure.add_shape(box((longest - 1.47, longest - 0.53), (-k - 0.4, -k + 0.4), PADDED_END, 3, dash="dot"))
    x, wide = 0.0, longest / max(sum(packing.lengths) + 0.3 * longest, 1)
    middles = []
    for size, group in zip(packing.batch_sizes, _by_step(packing), strict=True):
        middles.append(x + size * wide / 2 - 0.5)
        for sequence, step in group:
            _cell(figure, x + wide / 2 - 0.5, -count - 0.7, f"{_letter(sequence)}{step + 1}", sequence, wide)
            x += wide
        x += 0.3 * wide
    for middle, size in zip(middles, packing.batch_sizes, strict=True):
        figure.add_annotation(label(middle, -count - 1.5, str(size), FONT_SIZE))
    figure.update_xaxes(visible=False, range=[-0.6, longest - 0.4])
    ticks = [-k for k in range(count)] + [-count - 0.7, -count - 1.5]
    names = [f"sequence {_letter(k)}" for k in range(count)] + ["packed .data", ".batch_sizes"]
    figure.update_yaxes(tickvals=ticks, ticktext=names, showgrid=False, zeroline=False, range=[-count - 1.9, 0.6])
    return figure_layout(figure, 300).update_layout(margin={"t": 6, "b": 6}, hovermode=False)


def _by_step(packing: PackedComparison) -> list[list[tuple[int, int]]]:
    """Rows of .data in groups of one step each."""
    ends = np.cumsum(packing.batch_sizes)
    return [list(packing.order[end - size : end]) for end, size in zip(ends, packing.batch_sizes, strict=True)]


def _letter(sequence: int) -> str:
    return chr(ord("A") + sequence)


def _cell(figure: go.Figure, x: float, y: float, text: str, sequence: int | None, wide: float = 1.0) -> None:
    """One element: coloured by its sequence, or the empty frame of padding."""
    color = None if sequence is None else SEQUENCE_COLORS[sequence % len(SEQUENCE_COLORS)]
    edges = (x - wide / 2, x + wide / 2), (y - 0.42, y + 0.42)
    figure.add_shape(box(*edges, ACTUAL_COLOR, 1, fillcolor=color, layer="below"))
    figure.add_annotation(label(x, y, text, FONT_SIZE))
