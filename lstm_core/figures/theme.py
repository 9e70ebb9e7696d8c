"""Colours, names and the layout of every figure. Importing it loads no plotly: lessons name colours at import."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Okabe and Ito's colours: told apart by colour-blind eyes, on white and on black
BLUE, VERMILION, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY_BLUE, YELLOW = "#E69F00", "#56B4E9", "#F0E442"
GREY = "#888888"  # targets and the levels of naive predictions
RUN_COLORS = (BLUE, VERMILION, GREEN, PINK, ORANGE)  # of runs side by side, in their order
GATE_COLORS = {"i": BLUE, "f": VERMILION, "g": GREEN, "o": PINK, "c": ORANGE, "h": SKY_BLUE}
GATE_NAMES = {
    "i": "input gate",
    "f": "forget gate",
    "g": "cell candidate",
    "o": "output gate",
    "c": "cell state",
    "h": "hidden state",
}
CELL_COLORS = {"lstm": BLUE, "gru": ORANGE, "rnn": PINK}
CELL_DASHES = {"lstm": "solid", "gru": "dash", "rnn": "dot"}  # told apart without any colour, too
SPLIT_COLORS = {"train": BLUE, "valid": ORANGE, "test": GREEN}
SPLIT_NAMES = {"train": "training", "valid": "validation", "test": "test"}
ACTUAL_COLOR, PREDICTION_COLOR, TRAIN_COLOR, VALID_COLOR = "#8A8F98", VERMILION, SKY_BLUE, ORANGE
STAGE_PREDICTION_COLORS = ("#8A5CF0", "#A0692A")  # of the two sides that the Stage compares: no gate has them
SIGNED_SCALE = "RdBu_r"
GATE_SCALE = "Cividis"
FONT_SIZE = 15
MAX_POINTS = 2000  # of one line of a picture
MIN_SHARE = 1e-9  # share of its largest below which a gradient is not drawn any more
MAX_NAMES = 10  # of classes beside an axis: more would be written over each other
MAX_CELLS = 256  # units or steps drawn one by one in a heatmap


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


def plain_label(name: str, max_length: int = 40) -> str:
    """A name from a file as plotly may show it: no HTML and no $formula$, and of bearable length."""
    short = name if len(name) <= max_length else name[: max_length - 1] + "…"
    return html.escape(short, quote=False).replace("$", "&#36;")  # plotly knows no &quot;
