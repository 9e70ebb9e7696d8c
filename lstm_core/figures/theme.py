"""Colours, names and the layout of every figure. Importing it loads no plotly: lessons name colours at import."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from plotly.basedatatypes import BasePlotlyType

# One palette: whatever has a colour of its own has it here, and no two of these share one. Those that stand in one
# picture are told apart by colour-blind eyes too, and all but two gates stand out from white and from the dark page
# alike; tests/figures/test_palette.py measures it. Text never takes one of these colours: none is read on both pages.
GATE_COLORS = {"i": "#0072B2", "f": "#D55E00", "g": "#009E73", "o": "#CC79A7", "c": "#E69F00", "h": "#56B4E9"}
GATE_NAMES = {
    "i": "input gate",
    "f": "forget gate",
    "g": "cell candidate",
    "o": "output gate",
    "c": "cell state",
    "h": "hidden state",
}
SPLIT_COLORS = {"train": "#1A9BEB", "valid": "#D47A00", "test": "#3F6C73"}
SPLIT_NAMES = {"train": "training", "valid": "validation", "test": "test"}
TRAIN_COLOR, VALID_COLOR = SPLIT_COLORS["train"], SPLIT_COLORS["valid"]
CELL_COLORS = {"lstm": "#5252DB", "gru": "#B6800F", "rnn": "#C32F54"}
CELL_DASHES = {"lstm": "solid", "gru": "dash", "rnn": "dot"}  # told apart without any colour, too
FEATURE_COLORS = ("#319FC1", "#AC9300", "#7472F8", "#AB444B", "#CF7B8B", "#7156B5")  # as in .streamlit/config.toml
ACTUAL_COLOR = GREY = "#839A8E"  # actual values, targets, and the levels of naive predictions
SIDE_COLORS = ("#BF2C21", "#7F2AFC")  # predictions: of the model, and of what it is compared with
PREDICTION_COLOR = SIDE_COLORS[0]
# Of runs and other things side by side, in their order
RUN_COLORS = VIOLET, LIME, BRICK, SLATE, LILAC = "#734AE4", "#2EAA32", "#916151", "#3D6B8A", "#B67ADC"
COMPARED_COLORS = (*RUN_COLORS, "#FF3205")  # of up to six runs on the page Runs
LOW_COLOR, HIGH_COLOR = "#1F6FC4", "#C8202F"  # the ends of a scale of negative and positive values
# 0 is transparent: there such a map has the page's own colour, light or dark. Plotly and CSS read #rrggbbaa.
SIGNED_STOPS = tuple(f"{LOW_COLOR if k < 8 else HIGH_COLOR}{round(255 * abs(k - 8) / 8):02X}" for k in range(17))
SIGNED_SCALE = [[place / 16, color] for place, color in enumerate(SIGNED_STOPS)]
GATE_SCALE = "Cividis"
FONT_SIZE = 15
MAX_POINTS = 2000  # of one line of a picture
MIN_SHARE = 1e-9  # share of its largest below which a gradient is not drawn any more
MAX_NAMES = 10  # of classes beside an axis: more would be written over each other
MAX_CELLS = 256  # units or steps drawn one by one in a heatmap


def figure_layout(figure: go.Figure, height: int) -> go.Figure:
    """The house's look: big type, no wasted margin, the page's own background."""
    layout = figure.layout
    layout["height"], layout["hovermode"] = height, "x unified"
    layout["paper_bgcolor"] = layout["plot_bgcolor"] = "rgba(0,0,0,0)"
    _merge(layout, "margin", l=10, r=10, t=30, b=10)
    _merge(layout, "font", size=FONT_SIZE)
    _merge(layout, "legend", orientation="h", y=1.02, yanchor="bottom", x=0)
    _merge(layout.legend, "font", size=FONT_SIZE)
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        axis["automargin"] = True
        _merge(axis, "tickfont", size=FONT_SIZE - 1)
    return figure


def _merge(parent: BasePlotlyType, name: str, **values: object) -> None:
    """What update_layout and update_xaxes come to; they take 7 ms of every picture, four times as long."""
    parent[name] = parent[name].to_plotly_json() | values


def subscript(number: int) -> str:
    """Digits below the line in their letter's own size: plotly's <sub> is too small to be read."""
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def power_of_ten(exponent: int) -> str:
    """Such as 10⁻³, likewise."""
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def plain_label(name: str, max_length: int = 40) -> str:
    """A name from a file as plotly may show it: no HTML and no $formula$, and of bearable length."""
    short = name if len(name) <= max_length else name[: max_length - 1] + "…"
    return html.escape(short, quote=False).replace("$", "&#36;")  # plotly knows no &quot;
