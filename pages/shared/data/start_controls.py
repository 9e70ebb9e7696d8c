"""What a forecast starts from, and so what the model is left to learn: the settings, and a sentence."""

from __future__ import annotations

import streamlit as st

from lstm_core.data.windows import Windows
from pages.shared.session import state
from pages.shared.session.fields import field
from pages.shared.session.messages import escape_markdown
from pages.shared.theme import fields_in_row


def start_controls() -> None:
    """Draw start, season and log where numbers ahead are predicted; what is drawn first was chosen for the table."""
    workspace = state.workspace()
    data = workspace.experiment.data
    kinds = {column.kind for column in workspace.table.columns if column.name in data.targets}
    if kinds != {"number"} or not data.horizon:
        return
    field(st, "data", "start")
    left, right = fields_in_row()
    field(left, "data", "season")
    field(right, "data", "log")


def start_sentence(windows: Windows) -> str:
    """What the forecasts of these windows start from, and what the model reads; "" without a start."""
    if windows.target is None:
        return ""
    start = windows.target.starts[0].describe() + " of the logarithm" * windows.target.log
    each = ", each series scaled by itself" * (windows.target.series is not None)
    inputs = ", ".join(windows.input_names[:4]) + " …" * (len(windows.input_names) > 4)
    learned = f"A forecast starts from {start}{each}; the model learns what that leaves."
    return f"{learned} It reads: {escape_markdown(inputs)}."
