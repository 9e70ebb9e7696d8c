"""Data types → plotly figures, and the colours of gates and parts, once. Nothing here knows a page."""

from __future__ import annotations

import html
from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from lstm_core.curves import thin
from lstm_core.experiment import SPLITS
from lstm_core.windows import Windows

# Okabe and Ito's colours: told apart by colour-blind eyes, on white and on black
GATE_COLORS = {"i": "#0072B2", "f": "#D55E00", "g": "#009E73", "o": "#CC79A7", "c": "#E69F00", "h": "#56B4E9"}
GATE_NAMES = {
    "i": "input gate", "f": "forget gate", "g": "cell candidate", "o": "output gate",
    "c": "cell state", "h": "hidden state",
}  # fmt: skip
CELL_COLORS = {"lstm": "#0072B2", "gru": "#E69F00", "rnn": "#CC79A7"}
CELL_DASHES = {"lstm": "solid", "gru": "dash", "rnn": "dot"}  # told apart without any colour, too
SPLIT_COLORS = {"train": "#0072B2", "valid": "#E69F00", "test": "#009E73"}
SPLIT_NAMES = {"train": "training", "valid": "validation", "test": "test"}
TRUTH, SAID, TRAIN, VALID = "#8A8F98", "#D55E00", "#56B4E9", "#E69F00"
SIGNED_SCALE = "RdBu_r"
GATE_SCALE = "Cividis"
FONT_SIZE = 15
MOST_POINTS = 2000  # of one line of a picture
FAINTEST = 1e-9  # share of its largest below which a gradient is not drawn any more
MOST_NAMES = 10  # of classes beside an axis: more would be written over each other
MOST_CELLS = 256  # units or steps drawn one by one in a heatmap


def figure_layout(figure: go.Figure, height: int) -> go.Figure:
    """The house's look: big type, no wasted margin, the page's own background."""
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        font={"size": FONT_SIZE},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": {"size": FONT_SIZE}},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hovermode="x unified",
    )
    figure.update_xaxes(automargin=True, tickfont={"size": FONT_SIZE - 1})
    return figure.update_yaxes(automargin=True, tickfont={"size": FONT_SIZE - 1})


def text(name: str, longest: int = 40) -> str:
    """A name from a file as plotly may show it: no HTML and no $formula$, and of bearable length."""
    short = name if len(name) <= longest else name[: longest - 1] + "…"
    return html.escape(short, quote=False).replace("$", "&#36;")  # plotly knows no &quot;


def row_axis(windows: Windows, rows: np.ndarray) -> np.ndarray:
    """What stands under these rows: the time column, or, without one or with several groups, row numbers."""
    plain = windows.when is None or windows.spec.group is not None
    return rows if plain else windows.when[rows]


def row_title(windows: Windows) -> str:
    plain = windows.when is None or windows.spec.group is not None
    return "row" if plain else text(windows.spec.time)


def split_figure(windows: Windows, start: int | None, height: int = 300) -> go.Figure:
    """The first target over all rows, coloured by part, and one window's place marked.

    start: first row of the window that is marked, None for none.
    """
    column = 0
    values = np.where(windows.y < 0, np.nan, windows.y) if windows.classes else windows.y[:, column]
    figure = go.Figure()
    lonely = np.isnan(values).mean() > 0.5  # such as one answer a sequence: a line would join nothing
    for k, part in enumerate(SPLITS):
        rows = np.flatnonzero((windows.part_of_row == k) & ~(lonely & np.isnan(values)))
        if not len(rows):
            continue
        drawn, y = thin(rows, values[rows].astype(np.float64), MOST_POINTS)
        breaks = np.flatnonzero(np.diff(drawn) > max(2, 4 * len(rows) // MOST_POINTS)) + 1
        y = np.insert(y, breaks, np.nan)  # parts of several groups interleave: no line from one to the next
        drawn = np.insert(drawn, breaks, drawn[breaks - 1] if len(breaks) else [])
        figure.add_scatter(
            x=row_axis(windows, drawn), y=y.astype(np.float32), name=f"{SPLIT_NAMES[part]} ({len(rows):,} rows)",
            mode="markers" if windows.classes or lonely else "lines", connectgaps=False,
            line={"color": SPLIT_COLORS[part], "width": 2}, marker={"color": SPLIT_COLORS[part], "size": 4},
        )  # fmt: skip
    if windows.classes:
        apart = -(-len(windows.classes) // MOST_NAMES)
        places = list(range(0, len(windows.classes), apart))
        figure.update_yaxes(tickvals=places, ticktext=[text(windows.classes[k], 16) for k in places])
    if start is not None:
        seen = _edges(windows, np.array([start, start + windows.spec.seq_len - 1]))
        said = _edges(windows, windows.target_rows(np.array([start]))[0][[0, -1]])
        figure.add_vrect(*seen, fillcolor=TRUTH, opacity=0.3, line_width=0)
        figure.add_vrect(*said, fillcolor=SAID, opacity=0.9, line_color=SAID, line_width=3)
    figure.update_xaxes(title=row_title(windows))
    figure.update_yaxes(title=text(windows.spec.targets[column]))
    return figure_layout(figure, height)


def _edges(windows: Windows, rows: np.ndarray) -> list:
    """row_axis for a shape: plotly draws none between numpy's own times."""
    return [str(at) if isinstance(at, np.datetime64) else at for at in row_axis(windows, rows)]


def window_figure(windows: Windows, start: int, height: int = 300) -> go.Figure:
    """One window: what the model sees (every feature) and what it must say."""
    rows = np.arange(start, start + windows.spec.seq_len)
    figure = go.Figure()
    for k, name in enumerate(windows.spec.features[:6]):
        seen, y = thin(rows, windows.x[rows, k].astype(np.float64), MOST_POINTS)
        figure.add_scatter(x=row_axis(windows, seen), y=y, name=f"sees {text(name)}", mode="lines+markers",
                           marker={"size": 5}, line={"width": 2})  # fmt: skip
    wanted = windows.target_rows(np.array([start]))[0]
    truth = windows.truth(np.array([start]))[0]
    if windows.classes:
        label = text(windows.classes[truth], 30)
        figure.add_vline(_edges(windows, wanted)[0], line={"color": SAID, "width": 3})
        figure.add_annotation(x=row_axis(windows, wanted)[0], y=1, yref="paper", xanchor="right", showarrow=False,
                              text=f"must say: <b>{label}</b>", font={"size": FONT_SIZE + 1, "color": SAID})  # fmt: skip
    else:
        for k, name in enumerate(windows.spec.targets[:6]):
            figure.add_scatter(x=row_axis(windows, wanted), y=truth[:, k], name=f"must say {text(name)}",
                               mode="markers", marker={"size": 12, "color": SAID, "symbol": "diamond"})  # fmt: skip
    figure.update_xaxes(title=row_title(windows))
    return figure_layout(figure, height)


def gate_heatmap(
    trace, gate: str, layer: int = 0, direction: int = 0, sample: int = 0, height: int = 300
) -> go.Figure:
    """Units × steps of one gate or state of a GateTrace, as an interactive figure."""
    values = getattr(trace, gate)[layer, direction, sample].float().cpu().numpy().T  # (units, seq_len)
    strides = [max(1, -(-size // MOST_CELLS)) for size in values.shape]
    values = values[:: strides[0], :: strides[1]]
    signed = gate in ("g", "c", "h")
    most = float(np.nanmax(np.abs(values), initial=1e-6)) if gate == "c" else 1.0
    figure = go.Figure(
        go.Heatmap(
            z=values, x0=0, dx=strides[1], y0=0, dy=strides[0],
            zmin=-most if signed else 0, zmax=most, colorscale=SIGNED_SCALE if signed else GATE_SCALE,
            colorbar={"thickness": 14, "tickfont": {"size": FONT_SIZE - 1}},
            hovertemplate="step %{x}, unit %{y}: %{z:.3f}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(title="step")
    figure.update_yaxes(title="unit")
    return figure_layout(figure, height).update_layout(hovermode="closest")


def horizon_figure(
    horizon, layer: int = 0, direction: int = 0, sample: int = 0, height: int = 320
) -> go.Figure:
    """A horizon.Horizon's gradients by step, each divided by its largest, beside what the forget gates let through.

    Divided, since x, h and c have units of their own: what counts is how each falls off towards the past. nn.GRU
    and nn.RNN have neither c nor forget gates.
    """
    place = layer, direction, sample
    lines = [
        ("|∂ŷ/∂x|", horizon.d_x[sample], TRUTH, "solid"),
        ("|∂ŷ/∂h|", horizon.d_h[place], GATE_COLORS["h"], "solid"),
    ]
    if horizon.d_c is not None:
        lines.append(("|∂ŷ/∂c|", horizon.d_c[place], GATE_COLORS["c"], "solid"))
        lines.append(("product of f to the end", horizon.forget_product[place], GATE_COLORS["f"], "dash"))
    figure, least = go.Figure(), 0.5
    for name, values, color, dash in lines:
        share = _share_of_largest(values) if dash == "solid" else np.where(values > 0, values, np.nan)
        least = np.nanmin(share, initial=least)
        steps, share = thin(np.arange(len(share)), share, MOST_POINTS)
        figure.add_scatter(x=steps, y=share, name=name, line={"color": color, "width": 2.5, "dash": dash},
                           mode="lines+markers" if len(share) < 3 else "lines")  # fmt: skip
    figure.update_xaxes(title="step")
    return _share_axis(figure_layout(figure, height), least)


def _share_axis(figure: go.Figure, least: float) -> go.Figure:
    """Shares on a log axis from `least` to 1, named at whole powers of ten only."""
    low, high = np.log10([least / 2, 2])
    return figure.update_yaxes(title="share of the largest", type="log", exponentformat="power", range=[low, high],
                               dtick=int(np.ceil((high - low) / 6)))  # fmt: skip


def _share_of_largest(values: np.ndarray) -> np.ndarray:
    """Divided by the largest; NaN where there is nothing, which a log axis could not show."""
    return np.where(values > 0, values, np.nan) / (values.max(initial=0) or 1.0)


def _level(figure: go.Figure, y: float, words: str) -> None:
    """A dashed line across a log axis, its name above the left end."""
    figure.add_hline(y, line={"color": TRUTH, "width": 1.5, "dash": "dash"})
    figure.add_annotation(x=0, y=np.log10(y), xref="paper", xanchor="left", yanchor="bottom", text=words,
                          showarrow=False, font={"size": FONT_SIZE})  # fmt: skip


def time_constants_figure(constants: np.ndarray, seq_len: int, height: int = 320) -> go.Figure:
    """How long each unit remembers, shortest first, on a log axis, beside the window's length.

    constants: (units,) in steps, as in horizon.Horizon.time_constants. What is longer than a hundred windows, inf
    too, ends there under an arrow, since no window tells it from more.
    """
    longest, shortest = 100.0 * seq_len, 0.1
    order = np.argsort(constants, kind="stable")
    order = order[np.unique(np.linspace(0, len(order) - 1, MOST_POINTS).astype(int))]
    values, place = constants[order], np.arange(len(order))
    figure = go.Figure(
        go.Bar(
            x=place, y=np.clip(values, shortest, longest), marker={"color": GATE_COLORS["f"], "line": {"width": 0}},
            hovertext=[f"unit {unit}: {constants[unit]:.3g} steps" for unit in order], hoverinfo="text",
            showlegend=False,
        )
    )  # fmt: skip
    if (beyond := values > longest).any():
        figure.add_scatter(x=place[beyond], y=np.full(beyond.sum(), longest), mode="markers", hoverinfo="skip",
                           name=f"more than {longest:,.0f} steps", showlegend=True,
                           marker={"symbol": "triangle-up", "size": 14, "color": GATE_COLORS["c"]})  # fmt: skip
    _level(figure, seq_len, f"the window: {seq_len:,} steps")
    low = np.nanmin(np.clip(values, shortest, seq_len)) / 2
    high = np.nanmax(np.clip(values, seq_len, longest)) * 2.5
    figure.update_xaxes(title="units, the most forgetful first", showticklabels=False)
    figure.update_yaxes(
        title="steps", type="log", range=np.log10([low, high]).tolist(), tickformat="~g", dtick=1
    )
    return figure_layout(figure, height).update_layout(
        hovermode="closest", bargap=0.1 if len(place) < 65 else 0
    )


def cells_figure(
    curves: Mapping[str, np.ndarray], through_c: np.ndarray | None = None, height: int = 340
) -> go.Figure:
    """How the gradients of different cells fall off towards the past, each divided by its largest.

    curves: cell → (seq_len,) by input time; the last stands one step back from the prediction. through_c: nn.LSTM's
    with respect to c_t, drawn beside its own.
    """
    lines = [(cell.upper(), cell, values, CELL_DASHES[cell], 3.0) for cell, values in curves.items()]
    if through_c is not None:
        lines.append(("LSTM, its cell state c", "lstm", through_c, "dashdot", 1.8))
    figure, least = go.Figure(), 0.005
    for name, cell, values, dash, width in lines:
        share = _share_of_largest(values[::-1])
        least = min(least, np.nanmin(share, initial=1.0))
        back, share = thin(np.arange(1, len(share) + 1), share, MOST_POINTS)
        figure.add_scatter(x=back, y=share, name=name, line={"color": CELL_COLORS[cell], "width": width, "dash": dash},
                           mode="lines+markers" if len(share) < 3 else "lines",
                           hovertemplate="%{y:.2g}")  # fmt: skip
    _level(figure, 0.01, "1 %")
    figure.update_xaxes(title="steps back from the prediction")
    return _share_axis(figure_layout(figure, height), max(least, FAINTEST))
