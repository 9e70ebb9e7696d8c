"""What the model predicts, as chips: the same setting as on Data, one click away from the upload."""

from __future__ import annotations

import streamlit as st

from pages.shared.session import state
from pages.shared.session.fields import change_field, set_widget, widget_value
from pages.shared.session.messages import escape_markdown

MAX_CHIPS = 12  # columns: more are no choice at one look, and all are on Data


def target_chips() -> None:
    """Draw them; those that are chosen always among them. Several targets, chosen on Data, can be changed here too."""
    workspace = state.workspace()
    table, chosen = workspace.table, workspace.experiment.data.targets
    data = workspace.experiment.data
    columns = [*table.column_names("number"), *table.column_names("category")]
    columns = [name for name in columns if name in chosen or name not in (data.time, data.group)]
    others = [name for name in columns if name not in chosen][: max(0, MAX_CHIPS - len(chosen))]
    shown = [name for name in columns if name in chosen or name in others]
    several = len(chosen) > 1
    set_widget("target", list(chosen) if several else next(iter(chosen), None), of=("chips", id(table), several))
    st.pills(
        "Predict:",
        shown,
        key="target",
        selection_mode="multi" if several else "single",
        required=not several,
        format_func=escape_markdown,
        on_change=_apply,
        help="The column that the model learns to predict; all roles of the columns are on Data",
    )
    if len(shown) < len(columns):
        st.caption(f"{len(columns) - len(shown):,} more columns are on Data.")


def _apply() -> None:
    value = widget_value("target")
    if value:  # else the previous one is shown again
        change_field("data", targets=tuple(value) if isinstance(value, list) else (value,))
