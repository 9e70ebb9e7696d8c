"""The trained example that every new visitor finds on the table: a real series, an LSTM that has learned it."""

from __future__ import annotations

import streamlit as st

from lstm_core.data.load import load_table
from lstm_core.data.samples import EXAMPLE_MODEL
from lstm_core.data.table import Table
from lstm_core.training.checkpoint import Checkpoint, load_checkpoint
from lstm_core.workspace import Workspace, WorkspaceStore


@st.cache_resource(show_spinner=False)
def _parts() -> tuple[Table, Checkpoint]:
    checkpoint = load_checkpoint(EXAMPLE_MODEL.read_bytes())
    return load_table(checkpoint.experiment.data), checkpoint


def open_workspace(manager: WorkspaceStore) -> Workspace:
    """A new workspace with the example in it, as if its model file had just been loaded."""
    return manager.create(*_parts())
