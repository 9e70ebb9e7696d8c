"""The trained example that every new visitor finds on the table: a real series, an LSTM that has learned it."""

from __future__ import annotations

import streamlit as st

from lstm_core.checkpoint import Checkpoint, load_checkpoint, resume
from lstm_core.runs import RunManager, Workspace
from lstm_core.samples import load_sample
from lstm_core.samples.train_example import FILE
from lstm_core.tables import Table
from lstm_core.windows import Windows, make_windows


@st.cache_resource(show_spinner=False)
def _parts() -> tuple[Table, Checkpoint, Windows]:
    table, checkpoint = load_sample("sunspots"), load_checkpoint(FILE.read_bytes())
    return table, checkpoint, make_windows(table, checkpoint.experiment.data)


def open_workspace(manager: RunManager) -> Workspace:
    """A new workspace with the example in it, as if its model file had just been loaded."""
    table, checkpoint, windows = _parts()
    workspace = manager.open(table, checkpoint.experiment)
    manager.fresh_run(workspace, resume(checkpoint, windows), checkpoint.curves)
    return workspace
