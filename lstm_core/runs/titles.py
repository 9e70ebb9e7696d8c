"""What runs, their data and their models are called; names that people give are data, of bounded length."""

from __future__ import annotations

import unicodedata
from typing import Any

from lstm_core.data import generators
from lstm_core.data.samples import SAMPLES
from lstm_core.experiment import DataSpec, ModelSpec

MAX_NAME = 80  # characters


def plain_text(value: Any, size: int, lines: bool = False) -> str:
    """At most so many characters of a text, without control characters; "" of anything else; lines: these stay."""
    if not isinstance(value, str):
        return ""
    spaces = str.isspace if not lines else "\n".__eq__
    value = value[: 4 * size].replace("\r\n", "\n")
    kept = "".join(c for c in value if unicodedata.category(c)[0] != "C" or spaces(c) or c == "\u200d")
    return (kept if lines else " ".join(kept.split())).strip()[:size].rstrip()


def data_title(data: DataSpec) -> str:
    """What the data is called on the page."""
    if data.source == "generator" and data.name in generators.GENERATORS:
        return generators.title(data.name)
    listed = data.source == "sample" and data.name in SAMPLES  # a lesson's series is not
    return SAMPLES[data.name].title if listed else plain_text(data.name, MAX_NAME)


def model_title(model: ModelSpec) -> str:
    """The cell and its size: "LSTM 2 × 16"."""
    layers = f"{model.num_layers} × " if model.num_layers > 1 else ""
    return f"{model.cell.upper()}{' both ways' if model.bidirectional else ''} {layers}{model.hidden_size}"
