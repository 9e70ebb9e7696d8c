"""The data source: a file that is uploaded, rows that are pasted, a real series, or synthetic data."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

import numpy as np
import streamlit as st

from lstm_core.data import generators
from lstm_core.data.ingest.formats import FILE_TYPES
from lstm_core.data.ingest.options import DETECT, CsvOptions
from lstm_core.data.ingest.read import read_table
from lstm_core.data.load import load_table
from lstm_core.data.samples import SAMPLES
from lstm_core.data.table import Table
from lstm_core.data.upload import Upload
from lstm_core.experiment import DataSpec
from lstm_core.figures.theme import TRAIN_COLOR
from pages.shared.session import state
from pages.shared.session.address import apply_to_upload
from pages.shared.session.fields import field, set_widget, widget_value
from pages.shared.session.messages import errors_on_top
from pages.shared.theme import wide_button

MAX_PASTED = 5_000_000  # characters
CORRECT = "How it is read can be corrected on Data."
_REFUSED = "_refused_file"


@dataclasses.dataclass(frozen=True)
class RefusedFile:
    """An upload that is no table as it was read, until it is corrected or another one is used."""

    name: str
    upload: Upload


def refused_file() -> RefusedFile | None:
    """The last upload, if it could not be read."""
    return state.get_state(_REFUSED)


def forget_refused_file() -> None:
    state.set_state(_REFUSED, None)


def upload_or_paste() -> None:
    """Draw the upload and the paste field. A file that can be read replaces the table; another changes nothing."""
    upload()
    with st.popover("Paste a table", icon=":material/content_paste:", width="stretch"):
        text = st.text_area("Rows with a header, as from a spreadsheet", key="pasted", height=200, max_chars=MAX_PASTED)
        if st.button("Use these rows", key="use_pasted", disabled=not text):
            read_upload(text.encode(), "pasted rows")
            st.rerun()
    workspace = state.workspace()
    if workspace.upload is not None and workspace.experiment.data.source != "csv":
        restore = workspace.restore_upload
        wide_button(st, "Back to my own table", "undo", restore, key="back_to_own", help="The file as you left it")


def upload(label: str = "Your own file") -> None:
    """Draw the upload, on Data and on Start."""
    file = st.file_uploader(
        label,
        key="csv",
        type=list(FILE_TYPES),
        help="CSV, Excel, Parquet or JSON, also packed (gz, zip). Delimiter, decimal sign, encoding, header and dates "
        "are detected, and can be corrected on Data",
    )
    if file is not None and state.get_state("_read_file") != file.file_id:
        state.set_state("_read_file", file.file_id)
        with st.spinner("Reading the file…"):
            read_upload(file.getvalue(), file.name)
        st.rerun()


def read_upload(data: bytes, name: str, corrections: CsvOptions = DETECT, is_new: bool = True) -> None:
    """Make a file's bytes the current table, or show why not.

    is_new: it is not the current table's file, so that, refused, it is kept to be corrected.
    """
    with errors_on_top(CORRECT if is_new else ""):
        upload = Upload(data, corrections)
        state.set_state(_REFUSED, RefusedFile(name, upload) if is_new else None)
        table = dataclasses.replace(read_table(data, name, corrections), upload=upload)
        forget_refused_file()
        workspace = state.workspace()
        link = workspace.awaited
        workspace.use_table(table, source="csv", name=name)
        if link is not None:
            apply_to_upload(workspace, link)


def read_with(**corrected: Any) -> None:
    """Read the refused file, or else the table's, again with more options corrected; the others are detected again."""
    refused, table = refused_file(), state.workspace().table
    upload, name = (refused.upload, refused.name) if refused else (table.upload, table.name)
    corrections = dataclasses.replace(upload.corrections, **corrected)
    read_upload(upload.read(), name, corrections, is_new=refused is not None)


def built_in_data() -> None:
    """Draw the real series and the generators; the current one is selected."""
    data = state.workspace().experiment.data
    for source, names in (("sample", SAMPLES), ("generator", generators.GENERATORS)):
        set_widget(source, data.name if data.source == source and data.name in names else None)
    st.pills(
        "Real series",
        list(SAMPLES),
        key="sample",
        format_func=lambda name: SAMPLES[name].title,
        on_change=_use_built_in,
        args=("sample",),
        help="\n\n".join(f"**{s.title}**: {s.caption}" for s in SAMPLES.values()),
    )
    st.pills(
        "Synthetic data",
        list(generators.GENERATORS),
        key="generator",
        format_func=_thumbnail_label,
        on_change=_use_built_in,
        args=("generator",),
        help="\n\n".join(f"**{generators.title(g)}**: {generators.caption(g)}" for g in generators.GENERATORS),
    )


def dataset_title(data: DataSpec, table: Table) -> str:
    """The title of the table on the page."""
    if data.source == "generator":
        return generators.title(data.name)
    listed = data.source == "sample" and data.name in SAMPLES  # a lesson's series is not
    return SAMPLES[data.name].title if listed else table.name


def has_n_features(data: DataSpec) -> bool:
    """Whether the data is a generator's whose number of features can be set."""
    return data.source == "generator" and data.name in ("random_regression", "echo")


def generator_settings() -> None:
    """Draw the length, noise and seed of the current generator."""
    data = state.workspace().experiment.data
    names = {"length": {"step": 100}, "noise": {"step": 0.05}, "seed": {}}
    if data.name in generators.SEQUENCE_SETS:
        names["length"] |= {"label": "sequences"}
    if has_n_features(data):
        names["n_features"] = {}
    with st.container(horizontal=True, key="generator_settings"):
        for name, changed in names.items():
            key = f"data_{name}"
            field(st, "data", name, key=key, on_change=_change_generator, args=(name, key), **changed)


def _use_built_in(source: str) -> None:
    name = widget_value(source)
    if name is not None:
        _use(DataSpec(source=source, name=name))


def _change_generator(name: str, key: str) -> None:
    data, value = state.workspace().experiment.data, widget_value(key)
    if value is not None:  # else the previous value is shown again
        _use(data, **{name: value})


def on_seq_len_change() -> dict:
    """Arguments of the seq_len widget: a set of sequences is generated again, of that many steps each."""
    data = state.workspace().experiment.data
    if data.source == "generator" and data.name in generators.SEQUENCE_SETS:
        return {"on_change": _change_generator, "args": ("seq_len", "seq_len")}
    return {}


def _use(data: DataSpec, **changes: Any) -> None:
    """Load the table of this data, some of its fields changed, and make it the current one."""
    with errors_on_top():
        forget_refused_file()
        spec = dataclasses.replace(data, **changes)
        fields = {n: getattr(spec, n) for n in ("source", "name", "length", "n_features", "noise", "seed")}
        state.workspace().use_table(load_table(spec), **fields)


@st.cache_data(show_spinner=False)
def _thumbnail_label(name: str) -> str:
    """A generator's title under its own curve: Markdown with an inline SVG, with nothing from outside."""
    y = generators.thumbnail(name).astype(float)
    minimum, maximum = y.min(), y.max()
    points = np.stack([np.linspace(1, 95, len(y)), 29 - 26 * (y - minimum) / (maximum - minimum or 1)], axis=1)
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 32" width="96" height="32">'
        f'<polyline points="{path}" fill="none" stroke="{TRAIN_COLOR}" stroke-width="2"/></svg>'
    )
    return f"![](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}) {generators.title(name)}"
