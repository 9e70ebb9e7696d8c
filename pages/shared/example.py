"""The trained example that every new visitor finds on the table: a real series, an LSTM that has learned it."""

from __future__ import annotations

import streamlit as st

from lstm_core.data.samples import EXAMPLE, load_sample
from lstm_core.data.table import Table
from lstm_core.training.checkpoint import Checkpoint, load_checkpoint
from lstm_core.workspace import RunManager, Workspace


@st.cache_resource(show_spinner=False)
def _parts() -> tuple[Table, Checkpoint]:
    return load_sample("sunspots"), load_checkpoint(EXAMPLE.read_bytes())


def open_workspace(manager: RunManager) -> Workspace:
    """A new workspace with the example in it, as if its model file had just been loaded."""
    return manager.open(*_parts())
