"""The address of a tab: `run`, a workspace of this server; `x`, its experiment, for any server; `sha`, of its CSV file.

Whoever opens an address may have it from a stranger: nothing in it is trusted.
"""

from __future__ import annotations

import dataclasses
import re

import streamlit as st

from lstm_core.architecture.memory import check_memory
from lstm_core.data.load import load_table
from lstm_core.data.table import Table
from lstm_core.data.windows import make_windows
from lstm_core.experiment import Experiment, PlaygroundError
from lstm_core.model.devices import available_devices, free_memory
from lstm_core.runs.link import Link, experiment_from_link, experiment_to_link
from lstm_core.workspace import Workspace
from pages.shared.session.messages import clear_messages, message, show_error, show_info

_ASKING = "To use this link's settings, please drop the file"
_UNTRAINED = "with new, untrained weights: Train trains them."


def show_address(workspace: Workspace) -> None:
    """Name the workspace in the address; the page does not run again for it."""
    if st.query_params.get("run") != workspace.id:
        st.query_params["run"] = workspace.id


def parameters(workspace: Workspace) -> dict[str, str]:
    """x and sha of the address, "" where it has none."""
    upload = workspace.table.upload
    link = workspace.awaited or Link(workspace.experiment, upload.sha256 if upload is not None else "")
    x = experiment_to_link(link.experiment) or ""
    return {"x": x, "sha": link.sha256 if x and link.experiment.data.source == "csv" else ""}


def open_address(workspace: Workspace) -> bool:
    """Make the address's x, if it has one, a new, untrained run of this new workspace, or wait for its CSV file.

    What has happened, or why not, is shown in one sentence. False if there is no x, or it is a lesson's address: a
    lesson opens with a model of its own.
    """
    x, sha = st.query_params.get("x"), st.query_params.get("sha", "")
    if not x or "lesson" in st.query_params:
        return False
    try:
        link = Link(experiment_from_link(x), sha if re.fullmatch("[0-9a-f]{64}", sha) else "")
        if link.experiment.data.source == "csv":
            workspace.awaited = link
        else:
            _apply(workspace, link.experiment, load_table(link.experiment.data))
            show_info(f"Here are the link's settings {_UNTRAINED}")
    except PlaygroundError as error:
        show_error(f"{error} Here is the example instead.")
    return True


def ask_for_file(workspace: Workspace) -> None:
    """Say on every page which file the workspace waits for."""
    if workspace.awaited is None:
        if message("info").startswith(_ASKING):  # other data was chosen in between
            clear_messages()
    elif not message("error"):
        show_info(f"{_ASKING} {workspace.awaited.file} on Data.")


def apply_to_upload(workspace: Workspace, link: Link) -> None:
    """Apply the link's experiment to the table just uploaded; where it does not fit, go on waiting for its file.

    Raises:
        PlaygroundError: it does not fit; the table stays in use as it was read.
    """
    name, upload = workspace.experiment.data.name, workspace.table.upload
    try:
        data = dataclasses.replace(link.experiment.data, name=name)
        _apply(workspace, dataclasses.replace(link.experiment, data=data), workspace.table)
    except PlaygroundError as error:
        workspace.awaited = link
        raise PlaygroundError(f"{name} does not fit the link, which is for {link.file}: {error}") from None
    other = f"{name} is not the very file of the link ({link.file}), but has its columns. "
    same = link.sha256 in ("", upload.sha256)
    show_info(f"{'' if same else other}The link's settings are applied to {name}, {_UNTRAINED}")


def _apply(workspace: Workspace, experiment: Experiment, table: Table) -> None:
    if experiment.train.device not in available_devices():  # the link is from another machine
        experiment = dataclasses.replace(experiment, train=dataclasses.replace(experiment.train, device="auto"))
    windows = make_windows(table, experiment.data)
    check_memory(experiment, windows, free_memory())
    workspace.new_run(windows, experiment, table)
