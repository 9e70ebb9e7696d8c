"""The losses of several runs over one another, by steps or by seconds; live while one of them trains."""

from __future__ import annotations

import streamlit as st

from lstm_core.figures.lines import Line
from lstm_core.figures.theme import COMPARED_COLORS
from lstm_core.runs.compare import loss_curves
from lstm_core.runs.shelf import RunSummary
from pages.shared.components.live_plot import live_plot
from pages.shared.runs.shelf import shelf
from pages.shared.session import state
from pages.shared.theme import segments
from pages.shared.training.live import WINDOW_SECONDS, poll

KINDS = {"validation": ("valid_loss",), "training": ("train_loss",), "both": ("valid_loss", "train_loss")}
X_TITLES = {"steps": "step", "seconds": "seconds of training"}


def compared_losses(runs: list[RunSummary], labels: list[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="loss_controls"):
        over = segments(st, "over", list(X_TITLES), "compare_over", width="content")
        kind = segments(st, "loss", list(KINDS), "compare_loss", width="content")
        st.toggle("log scale", value=True, key="compare_log", persist_state="session")
    ids, progress = [run.id for run in runs], [run.progress for run in runs]
    poll(
        _plot,
        ids,
        labels,
        over,
        kind,
        seconds=WINDOW_SECONDS,
        active=any(run.is_live for run in runs),
        has_changed=lambda: [run and run.progress for run in map(shelf().run, ids)] != progress,
    )
    losses = {run.experiment.train.loss for run in runs if run.experiment}
    scaled = {
        (run.table_sha256, run.experiment.data.targets, run.experiment.data.scaling) for run in runs if run.experiment
    }
    if len(losses) > 1 or len(scaled) > 1:
        st.caption("These are not one measure: the runs differ in loss, scaling, target or data. Compare their shapes.")


def _plot(ids: list[str], labels: list[str], over: str, kind: str) -> None:
    lines = []
    for id, label, color in zip(ids, labels, COMPARED_COLORS, strict=False):
        run = shelf().run(id)
        if run is None:
            continue
        curves = _curves(run, over)
        for name in KINDS[kind]:
            x, y = curves[name]
            is_thin = name == "train_loss" and kind == "both"
            title = f"{label}, training" if is_thin else label
            if len(x):
                dash = "dot" if is_thin else None
                lines.append(Line(title, x, y, color, dash, width=1.5 if is_thin else 2.5))
    if not lines:
        st.markdown(f"No {kind} loss yet." if kind != "both" else "No loss yet.")
        return
    live_plot(
        "compared_losses",
        lines,
        x_title=X_TITLES[over],
        y_title="loss",
        log_y=bool(state.get_state("compare_log", True)),
        height=320,
        revision=f"{','.join(ids)} {over}",
    )


def _curves(run: RunSummary, over: str) -> dict:
    records = run.folder.file("records.bin")
    try:
        stat = records.stat()
        mark = (stat.st_mtime_ns, stat.st_size)
    except OSError:
        mark = (0, 0)
    return _read(str(run.folder.path), over, run.steps_per_epoch, mark)


@st.cache_data(show_spinner=False, max_entries=24)
def _read(path: str, over: str, steps_per_epoch: int, mark: tuple) -> dict:
    from pathlib import Path

    from lstm_core.runs.folder import RunFolder
    from lstm_core.runs.saved_state import base_curves

    folder = RunFolder(Path(path))
    return loss_curves(folder.file("records.bin"), over, base_curves(folder), steps_per_epoch)
