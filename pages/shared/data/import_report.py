"""The import report's controls: every detected option can be corrected, for a file that was refused, too."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lstm_core.data.ingest.options import DELIMITERS, ENCODINGS, CsvOptions
from lstm_core.data.ingest.read import preview_rows
from lstm_core.data.table import ImportNote
from lstm_core.experiment import PlaygroundError
from pages.shared.data.source_picker import RefusedFile, forget_refused_file, read_with, refused_file
from pages.shared.session import state
from pages.shared.session.fields import set_widget, widget_value
from pages.shared.session.messages import escape_markdown

KINDS = {"number": "number", "category": "text (classes)", "time": "time"}
DETECTED = "detect"
PREVIEW_LINES = 12


def import_options(used: CsvOptions) -> None:
    """Draw the options that a file was read with, None: to be detected; changing one reads it again."""
    columns = st.columns(6)
    boxes = (
        ("delimiter", list(DELIMITERS), DELIMITERS),
        ("decimal", [".", ","], {".": "point .", ",": "comma ,"}),
        ("encoding", list(dict.fromkeys([used.encoding, *ENCODINGS])), {}),
        ("header_rows", [0, 1, 2, 3, 4, 5], {0: "none", 1: "1 line"}),
        ("day_first", [True, False], {True: "day first", False: "month first"}),
    )
    for column, (name, options, labels) in zip(columns, boxes, strict=False):
        value = getattr(used, name)
        if name == "header_rows" and value is None and used.header is not None:
            value = int(used.header)
        options = options if value in options else [value, *options]
        set_widget(f"read_{name}", value)
        column.selectbox(
            name.replace("_", " "),
            options,
            key=f"read_{name}",
            format_func=lambda value, labels=labels: DETECTED if value is None else labels.get(value, str(value)),
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


def column_kind(names: Sequence[str]) -> None:
    """Draw the choice of one column's kind, which reads the file again."""
    column, kind, act = st.columns([0.5, 0.3, 0.2], vertical_alignment="bottom")
    name = column.selectbox("column", names, key="retype_column")
    new_kind = kind.selectbox("type", list(KINDS), format_func=KINDS.get, key="retype_kind")
    act.button("Read again", key="retype", on_click=_retype_column, args=(name, new_kind), disabled=name is None)


def undo_buttons(used: CsvOptions, notes: Sequence[ImportNote]) -> None:
    """Draw what one click changes: numbers that become missing, a turned table or joined times put back."""
    choices = [
        (f"sentinel_{k}", f"Make {note.sentinel:g} missing", {"missing": (*used.missing, note.sentinel)})
        for k, note in enumerate(notes)
        if note.sentinel is not None
    ]
    if used.missing:
        shown = ", ".join(f"{value:g}" for value in used.missing)
        choices.append(("keep_sentinels", f"Keep {shown} as numbers", {"missing": ()}))
    for name, undo, redo in (
        ("turn", "Do not turn the table", "Turn times along the columns into rows"),
        ("join_times", "Keep date and time apart", "Join the columns of one time"),
    ):
        value = getattr(used, name)
        if value is not None:
            choices.append((f"read_{name}", undo if value else redo, {name: not value}))
    if choices:
        with st.container(horizontal=True, key="undo_reading"):
            for key, label, corrected in choices:
                st.button(label, key=key, on_click=read_with, kwargs=corrected)


def correct_refused(refused: RefusedFile) -> None:
    """Draw the same controls for a file that could not be read, and its first lines as they are."""
    corrections = refused.upload.corrections
    title = f"Correct how {escape_markdown(repr(refused.name))} is read"
    with st.expander(title, icon=":material/rule:", expanded=True):
        import_options(corrections)
        try:
            rows = preview_rows(refused.upload.read(), refused.name, corrections, PREVIEW_LINES)
        except PlaygroundError as error:
            st.caption(escape_markdown(str(error)))
            rows = []
        if rows:
            width = max(map(len, rows))
            cells = [[*row, *[""] * (width - len(row))] for row in rows]
            st.caption("Its first lines, cut into cells; nothing is understood yet.")
            frame = pd.DataFrame(cells, index=range(1, len(rows) + 1), columns=[str(k + 1) for k in range(width)])
            st.dataframe(frame, key="refused_preview")
            names = rows[min(corrections.skip_rows or 0, len(rows) - 1)]
            column_kind([name.strip() for name in names if name.strip()])
        st.button("Discard this file", key="discard_refused", on_click=forget_refused_file)


def _read_again(name: str) -> None:
    value = widget_value(f"read_{name}")
    if name == "header_rows":
        read_with(header_rows=value or None, header=None if value is None else value > 0)
    else:
        read_with(**{name: value})


def _retype_column(name: str, kind: str) -> None:
    """Read the file again with one column's kind corrected."""
    refused = refused_file()
    upload = refused.upload if refused else state.workspace().table.upload
    kinds = dict(upload.corrections.kinds) | {name: kind}
    read_with(kinds=tuple(kinds.items()))
