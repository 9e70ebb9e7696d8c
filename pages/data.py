"""Data: a table, the role of each column, and how it is cut into windows."""

import numpy as np
import streamlit as st

from lstm_core.experiment import SPLITS, DataSpec
from lstm_core.figures.theme import SPLIT_NAMES
from lstm_core.figures.windows import split_figure, window_figure
from lstm_core.settings import settings
from pages.shared.data import import_report, source_picker
from pages.shared.data.prepare_controls import prepare_controls
from pages.shared.data.sequence_split import sequence_split
from pages.shared.data.start_controls import start_controls, start_sentence
from pages.shared.session import state
from pages.shared.session.fields import change_field, clamp_widget, field, set_widget, widget_value
from pages.shared.session.messages import draw_messages, errors_here, escape_markdown
from pages.shared.theme import fields_in_row, next_page

PREVIEW_ROWS = 200

workspace = state.workspace()


def choose_source() -> None:
    left, right = st.columns([0.3, 0.7], gap="medium")
    with left:
        source_picker.upload_or_paste()
    with right:
        source_picker.built_in_data()
        if workspace.experiment.data.source == "generator":
            source_picker.generator_settings()


def choose_columns() -> None:
    table = workspace.table
    numbers, classes = table.column_names("number"), table.column_names("category")
    field(st, "data", "targets", key="target", options=[*numbers, *classes], of=id(table))
    field(st, "data", "features", options=numbers, of=id(table))
    left, right = fields_in_row()
    times, groups = table.column_names("time", "number"), table.column_names("number", "category")
    field(left, "data", "time", options=[None, *times], placeholder="row order", of=id(table))
    field(right, "data", "group", options=[None, *groups], placeholder="one series", of=id(table))
    prepare_controls()
    left, right = fields_in_row()
    field(left, "data", "seq_len", **source_picker.on_seq_len_change())
    field(right, "data", "horizon")
    st.slider(
        "training | validation | test",
        settings(DataSpec)["train_share"].minimum,
        1.0,
        step=0.01,
        key="shares",
        on_change=set_shares,
        help="Split by time: first training, then validation, then test. Labelled sequences are never cut: whole ones "
        "are drawn into the splits",
    )
    left, right = fields_in_row()
    field(left, "data", "scaling")
    field(right, "data", "missing")
    start_controls()


def show_shares() -> None:
    data = workspace.experiment.data
    set_widget("shares", (data.train_share, round(data.train_share + data.valid_share, 4)))


def set_shares() -> None:
    train, end = widget_value("shares")
    change_field("data", train_share=train, valid_share=round(end - train, 4))


def show_windows() -> None:
    windows = workspace.windows()
    starts = np.concatenate([windows.starts[split] for split in SPLITS])
    counts = " · ".join(f"**{len(windows.starts[p]):,}** {SPLIT_NAMES[p]}" for p in SPLITS)
    st.markdown(
        f"Windows: {counts}. Each window: {windows.spec.seq_len} step{'s' * (windows.spec.seq_len > 1)} × "
        f"{windows.input_size} input{'s' * (windows.input_size > 1)}. {start_sentence(windows)}"
    )
    clamp_widget("data_window", 1, len(starts), len(windows.starts["train"]) // 2 + 1)
    number = st.slider("preview window", 1, len(starts), key="data_window") if len(starts) > 1 else 1
    start = int(starts[number - 1])
    st.plotly_chart(split_figure(windows, start, height=250), key="split")
    st.plotly_chart(window_figure(windows, start, height=260), key="one_window")
    for warning in windows.warnings:
        st.warning(escape_markdown(warning), icon=":material/warning:")
    for note in windows.notes:
        st.caption(escape_markdown(note))
    sequence_split(windows)


def report() -> None:
    """The import report: what was detected and changed while reading the file, each correctable."""
    table = workspace.table
    warnings = [note for note in table.report if note.level == "warning"]
    notes = [note for note in table.report if note.level != "warning"]
    counts = {"warning": len(warnings), "note": len(notes)}
    title = "Import report: " + ", ".join(f"{count} {level}{'s' * (count != 1)}" for level, count in counts.items())
    with st.expander(title, icon=":material/rule:", expanded=bool(warnings)):
        import_report.import_options(table.options)
        import_report.undo_buttons(table.options, table.report)
        for note in warnings[:20]:
            st.warning(escape_markdown(note.text))
        st.markdown("\n".join(f"- {escape_markdown(note.text)}" for note in notes[:40]))
        if len(warnings) > 20 or len(notes) > 40:
            st.caption("Only the first 20 warnings and 40 notes are shown.")
        import_report.column_kind([item.name for item in (*table.columns, *table.omitted)])


def preview() -> None:
    table = workspace.table
    kinds = " · ".join(
        f"{len(table.column_names(kind))} {label}"
        for kind, label in import_report.KINDS.items()
        if table.column_names(kind)
    )
    with st.expander(f"Table: {table.rows:,} rows; columns: {kinds}", icon=":material/table_chart:"):
        st.dataframe(table.head(PREVIEW_ROWS), height=300, key="preview")


st.title("Data")
draw_messages("data")
choose_source()
refused = source_picker.refused_file()
if refused is not None:
    import_report.correct_refused(refused)
st.markdown(f"#### {escape_markdown(source_picker.dataset_title(workspace.experiment.data, workspace.table))}")
show_shares()
left, right = st.columns([0.3, 0.7], gap="medium")
with left:
    choose_columns()
with right, errors_here():
    show_windows()
if workspace.table.upload is not None and refused is None:
    report()
preview()
next_page("model", "Model")
