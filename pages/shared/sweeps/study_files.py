"""A study as a file: saved for the command line, and loaded, whoever wrote it."""

from __future__ import annotations

import dataclasses

import streamlit as st

from lstm_core.data.load import load_table, with_roles
from lstm_core.data.table import Table
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, PlaygroundError
from lstm_core.runs.sweeps.study import Study
from pages.shared.components.download import download
from pages.shared.session import state
from pages.shared.session.messages import clear_messages, escape_markdown, show_info
from pages.shared.sweeps.draft import study_file, use_study

MAX_BYTES = 1_000_000
_LOADED, _WHY_NOT = "_study_loaded", "_study_error"


def show(study: Study | None) -> None:
    """study: of the form; None: it is none."""
    with st.expander("Save or load the study, or run it without a page", icon=":material/save:"):
        save, load = st.columns(2)
        with save:
            _save(study)
        with load:
            why_not = st.container()  # above the upload, where its reader looks
            file = st.file_uploader("Load a study", ["json"], key="study_file", max_upload_size=1)
            if file is not None and state.get_state(_LOADED) != file.file_id:
                state.set_state(_LOADED, file.file_id)
                state.set_state(_WHY_NOT, load_study(file.getvalue()))
                st.rerun()
            if file is not None and state.get_state(_WHY_NOT):
                why_not.error(escape_markdown(state.get_state(_WHY_NOT)), icon=":material/error:")


def _save(study: Study | None) -> None:
    workspace = state.workspace()
    if study is None:
        st.caption("The study can be saved once it can be begun.")
        return
    data = study_file(study, workspace.table).encode()
    download(st, "Save the study", data, "study.json", "application/json", key="save_study")
    is_file = workspace.experiment.data.source == "csv"
    st.caption("The same sweep without a page" + (", FILE being the table's own file:" if is_file else ":"))
    st.code(f"python -m lstm_core sweep study.json{' --data FILE' if is_file else ''}", language=None)


def load_study(data: bytes) -> str:
    """Put a study's experiment on the table and the rest into the form; else the sentence that says why not."""
    clear_messages()
    try:
        study = _read(data)
        table = _table(study.experiment.data)
        spec = with_roles(study.experiment.data, table)
        make_windows(table, spec)
    except PlaygroundError as error:
        return str(error)
    experiment = dataclasses.replace(study.experiment, data=spec)
    state.workspace().use_settings(experiment, table)
    use_study(study)
    show_info("The study is loaded, and its experiment is on the table.")
    return ""


def _read(data: bytes) -> Study:
    if len(data) > MAX_BYTES:
        raise PlaygroundError("This file is too large for a study: one is a few kilobytes of JSON.")
    try:
        return Study.from_json(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise PlaygroundError("This file is no study: it is not text in UTF-8.") from None


def _table(data: DataSpec) -> Table:
    workspace = state.workspace()
    if data.source != "csv":
        return load_table(data)
    columns = {column.name for column in workspace.table.columns}
    if workspace.experiment.data.source != "csv" or not {*data.features, *data.targets} <= columns:
        raise PlaygroundError(
            f"This study is of the file {data.name!r}: put that file, or one with the same columns, on Data first, "
            "then load the study again."
        )
    return workspace.table
