"""The import report's controls: how the file was read, with every detected option correctable."""

from __future__ import annotations

import streamlit as st

from lstm_core.data.ingest.options import DELIMITERS, ENCODINGS
from pages.shared.data.source_picker import read_with
from pages.shared.session import state
from pages.shared.session.fields import set_widget, widget_value


def import_options() -> None:
    """Draw the options that the file was read with; changing one reads it again."""
    workspace = state.workspace()
    used = workspace.table.options
    columns = st.columns(6)
    boxes = (
        ("delimiter", list(DELIMITERS), lambda sign: DELIMITERS.get(sign, sign)),
        ("decimal", [".", ","], {".": "point .", ",": "comma ,"}.get),
        ("encoding", list(dict.fromkeys([used.encoding, *ENCODINGS])), str),
        ("header", [True, False], {True: "first line", False: "none"}.get),
        ("day_first", [True, False], {True: "day first", False: "month first", None: "makes no difference"}.get),
    )
    for column, (name, options, format_func) in zip(columns, boxes, strict=False):
        value = getattr(used, name)
        options = options if value in options else [value, *options]
        set_widget(f"read_{name}", value)
        column.selectbox(
            name.replace("_", " "),
            options,
            key=f"read_{name}",
            format_func=format_func,
            on_change=_read_again,
            args=(name,),
        )
    set_widget("read_skip_rows", used.skip_rows or 0)
    columns[-1].number_input(
        "lines to skip",
        0,
        10_000,
        key="read_skip_rows",
        on_change=_read_again,
        args=("skip_rows",),
        help="Lines before the header",
    )


def _read_again(name: str) -> None:
    read_with(**{name: widget_value(f"read_{name}")})


def retype_column(name: str, kind: str) -> None:
    """Read the file again with one column's type corrected."""
    workspace = state.workspace()
    kinds = dict(workspace.table.upload.corrections.kinds) | {name: kind}
    read_with(kinds=tuple(kinds.items()))
