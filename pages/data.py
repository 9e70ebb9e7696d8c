"""Data: a table, which of its columns play which part, and how it is cut into windows."""

import numpy as np
import streamlit as st

from lstm_core.data.ingest import read
from lstm_core.experiment import MISSING, SCALINGS, SPLITS, PlaygroundError
from lstm_core.figures.theme import SPLIT_NAMES
from lstm_core.figures.windows import split_figure, window_figure
from pages.shared import session
from pages.shared.data import import_report, source_picker

PREVIEW_ROWS = 200
KINDS = {"number": "number", "category": "text (classes)", "time": "time"}

here = session.workspace()


def choose_source() -> None:
    left, right = st.columns([0.3, 0.7], gap="medium")
    with left:
        source_picker.own_file()
    with right:
        source_picker.ready_made()
        if here.experiment.data.source == "generator":
            source_picker.generator_settings()


def choose_columns() -> None:
    table = here.table
    numbers, classes = table.names("number"), table.names("category")
    st.multiselect("target", [*numbers, *classes], **session.bind("data", "targets", key="target", read=tuple, show=list, of=id(table)),
                   help="What the LSTM must say: number columns (a forecast), or one text column (its classes)")  # fmt: skip
    st.multiselect("features", numbers, **session.bind("data", "features", read=tuple, show=list, of=id(table)),
                   help="What it sees at every step. To forecast a series, its own past belongs here too")  # fmt: skip
    left, right = st.columns(2)
    left.selectbox("time", [None, *table.names("time", "number")], placeholder="row order",
                   **session.bind("data", "time", of=id(table)), help="Rows are put in the order of this column")  # fmt: skip
    right.selectbox("sequence id", [None, *table.names("number", "category")], placeholder="one series",
                    **session.bind("data", "group", of=id(table)),
                    help="A column that says which sequence a row belongs to; no window crosses from one to "
                         "the next")  # fmt: skip
    left.number_input("seq_len", 1, 100_000, **(session.bind("data", "seq_len") | source_picker.on_seq_len_change()),
                      help="Rows in a window: how far back the model can look")  # fmt: skip
    right.number_input("horizon", 0, 10_000, **session.bind("data", "horizon"),
                       help="How many rows ahead it must say. 0: the answer belongs to the last row that it "
                            "sees, such as a label")  # fmt: skip
    st.slider("training | validation | test", 0.05, 1.0, step=0.01, key="shares", on_change=take_shares,
              help="Split by time: first training, then validation, then test. With labels: whole sequences")  # fmt: skip
    left, right = st.columns(2)
    left.selectbox("scaling", SCALINGS, **session.bind("data", "scaling"),
                   help="Fitted on the training rows only. standard: mean 0, deviation 1; minmax: 0 to 1")  # fmt: skip
    right.selectbox("missing values", MISSING, **session.bind("data", "missing"),
                    format_func={"fill": "carry on", "skip": "skip windows"}.get,
                    help="Of features: carry the last known value on, or leave out every window with a gap")  # fmt: skip


def show_shares() -> None:
    data = here.experiment.data
    session.mirror("shares", (data.train_share, round(data.train_share + data.valid_share, 4)))


def take_shares() -> None:
    train, end = session.widget_value("shares")
    session.change("data", train_share=train, valid_share=round(end - train, 4))


def pictures() -> None:
    try:
        windows = here.windows()
    except PlaygroundError as error:
        st.error(session.plain(str(error)), icon=":material/error:")
        return
    starts = np.concatenate([windows.starts[part] for part in SPLITS])
    counts = " · ".join(f"**{len(windows.starts[p]):,}** {SPLIT_NAMES[p]}" for p in SPLITS)
    st.markdown(f"Windows: {counts}. Each shows {windows.spec.seq_len} rows of {windows.input_size} "
                f"feature{'s' if windows.input_size > 1 else ''}.")  # fmt: skip
    session.clamp("data_window", 0, len(starts) - 1, len(windows.starts["train"]) // 2)
    place = st.slider("window drawn", 0, len(starts) - 1, key="data_window") if len(starts) > 1 else 0
    start = int(starts[place])
    st.plotly_chart(split_figure(windows, start, height=250), key="split")
    st.plotly_chart(window_figure(windows, start, height=230), key="one_window")
    for note in windows.notes:
        st.caption(session.plain(note))


def report() -> None:
    """What was guessed and changed while reading a file, each guess correctable."""
    table = here.table
    warnings = [note for note in table.notes if note.level == "warning"]
    guesses = [note for note in table.notes if note.level != "warning"]
    title = (
        f"How the file was read: {len(warnings)} warning{'s' * (len(warnings) != 1)}, {len(guesses)} notes"
    )
    with st.expander(title, icon=":material/rule:", expanded=bool(warnings)):
        import_report.read_settings()
        for note in warnings[:20]:
            st.warning(session.plain(note.text))
        st.markdown("\n".join(f"- {session.plain(note.text)}" for note in guesses[:40]))
        if len(warnings) > 20 or len(guesses) > 40:
            st.caption("More of the same kind is not shown.")
        column, kind, act = st.columns([0.5, 0.3, 0.2], vertical_alignment="bottom")
        names = [found.name for found in table.columns]
        name = column.selectbox("read the column", names, key="retype_column")
        wanted = kind.selectbox("as", list(KINDS), format_func=KINDS.get, key="retype_kind")
        act.button("Read again", key="retype", on_click=import_report.read_column_as, args=(name, wanted))


def preview() -> None:
    table = here.table
    kinds = " · ".join(
        f"{len(table.names(kind))} {words}" for kind, words in KINDS.items() if table.names(kind)
    )
    with st.expander(f"The table: {table.rows:,} rows; columns: {kinds}", icon=":material/table_chart:"):
        st.dataframe(read.preview(table, PREVIEW_ROWS), height=300, key="preview")


st.title("Data")
session.show_messages("data")
choose_source()
st.markdown(f"#### {session.plain(source_picker.title(here.experiment.data, here.table))}")
show_shares()
left, right = st.columns([0.3, 0.7], gap="medium")
with left:
    choose_columns()
with right:
    pictures()
if here.table in here.uploads:
    report()
preview()
