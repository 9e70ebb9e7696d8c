"""A comparison of two to six runs, named by the address: losses, differing settings, scores, predictions, gates."""

from __future__ import annotations

import html

import streamlit as st

from lstm_core.experiment import PlaygroundError
from lstm_core.figures.theme import COMPARED_COLORS
from lstm_core.runs.compare import (
    MAX_RUNS,
    differing_settings,
    same_rows,
    shared_windows,
    test_windows,
    why_not_comparable,
)
from lstm_core.runs.run import Run
from lstm_core.runs.shelf import RunSummary
from pages.shared.runs.compared_gates_view import compared_gates_view
from pages.shared.runs.compared_losses import compared_losses
from pages.shared.runs.compared_predictions import compared_predictions
from pages.shared.runs.run_line import STYLE, score_texts, shown, table
from pages.shared.runs.shelf import opened, shelf
from pages.shared.session import state
from pages.shared.session.messages import errors_here, escape_markdown

MAX_LABEL = 34  # characters of a run's title beside its number
TABLE_STYLE = """<style>
.run-table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }
.run-table :is(th, td) { text-align: left; padding: .25rem .9rem .25rem 0; font-weight: 400; vertical-align: top;
  border-bottom: 1px solid light-dark(#D6D6D6, #4A4A4A); overflow-wrap: anywhere; min-width: 5.5rem; }
.run-table thead th { font-weight: 600; }
.run-table th > span:not([class]) { white-space: nowrap; }
.run-table small { opacity: .85; font-size: .82rem; line-height: 1.3; }
.run-table td > small { display: block; }
.run-swatch { display: inline-block; width: .9rem; height: .9rem; border-radius: .2rem; margin-right: .45rem;
  vertical-align: -.08rem; }
.st-key-comparison [data-testid="stHtml"] { overflow-x: auto; }
</style>"""


def compared_runs() -> list[RunSummary]:
    """The runs that the address names, at most MAX_RUNS; none if they are fewer than two."""
    ids = list(dict.fromkeys((state.get_query("compare") or "").split(",")))[:MAX_RUNS]
    found = [run for run in (shelf().run(id) for id in ids) if run is not None]
    return found if len(found) > 1 else []


def show(runs: list[RunSummary]) -> None:
    st.html(STYLE + TABLE_STYLE)
    labels = [f"{k} · {_short(run.title)}" for k, run in enumerate(runs, 1)]
    st.button(
        "All runs", key="all_runs", icon=":material/arrow_back:", on_click=state.set_query, args=("compare", None)
    )
    with st.container(key="comparison"):
        _overview(runs, labels)
        st.markdown("#### Loss")
        compared_losses(runs, labels)
        _settings(runs, labels)
        comparable, left_out = _same_rows(runs, labels)
        if left_out:
            st.info(
                f"Below, {escape_markdown(', '.join(left_out))} {'is' if len(left_out) == 1 else 'are'} left out: "
                "predictions and gates are compared on the same windows, and their data or targets are not those of "
                f"{escape_markdown(labels[0])}.",
                icon=":material/info:",
            )
        if len(comparable) > 1:
            with errors_here():
                _on_the_same_windows(comparable)


def _on_the_same_windows(comparable: list[tuple[str, str, RunSummary]]) -> None:
    labels, colors = [label for label, _, _ in comparable], [color for _, color, _ in comparable]
    runs: list[Run] = [opened(run.id) for _, _, run in comparable]
    windows = shared_windows(runs)
    if windows is None:
        raise PlaygroundError("These runs have no window in common: none of their splits predicts the same rows.")
    st.markdown("#### Predictions on the same windows")
    compared_predictions(runs, labels, colors, windows)
    st.markdown("#### Gates on the same window")
    compared_gates_view(runs, labels, colors, windows)


def _same_rows(runs: list[RunSummary], labels: list[str]) -> tuple[list[tuple[str, str, RunSummary]], list[str]]:
    """(label, colour, run) of those with the rows of the first, and the labels of the others."""
    with_first, left_out = [], []
    for run, label, color in zip(runs, labels, COMPARED_COLORS, strict=False):
        if run is runs[0] or same_rows(runs[0], run):
            with_first.append((label, color, run))
        else:
            left_out.append(label)
    return with_first, left_out


def _short(title: str) -> str:
    return title if len(title) <= MAX_LABEL else f"{title[: MAX_LABEL - 1]}…"


def heads(labels: list[str]) -> list[str]:
    """The runs' labels with their colours, as HTML."""
    return [
        f'<span class="run-swatch" style="background:{color}"></span>{shown(label)}'
        for label, color in zip(labels, COMPARED_COLORS, strict=False)
    ]


def _overview(runs: list[RunSummary], labels: list[str]) -> None:
    """State, size and test score of each."""
    reason = why_not_comparable(runs)
    rows = []
    for head, run in zip(heads(labels), runs, strict=True):
        value, against = score_texts(run)
        score = f"{html.escape(value)}<small>{html.escape(against)}</small>" if value else "<small>none yet</small>"
        of = f"{shown(run.data_title)}<small>{html.escape(run.model_title)}, {_parameters(run)}</small>"
        trained = f"{run.step:,} steps<small>{run.seconds:,.0f} s</small>"
        rows.append((head, [of, trained, score, f'<span class="run-state run-{run.state}">{run.state}</span>']))
    st.html(table("run", ["data and model", "trained", "test score", "state"], rows))
    if reason:
        st.warning(reason, icon=":material/balance:")
    elif len({test_windows(run.score) for run in runs if run.score}) > 1:
        st.caption("The test splits are of the same rows, but a longer window fits them less often.")


def _parameters(run: RunSummary) -> str:
    return f"{run.parameters:,} parameters" if run.parameters else "size unknown"


def _settings(runs: list[RunSummary], labels: list[str]) -> None:
    st.markdown("#### Settings that differ")
    differences = differing_settings(runs)
    if not differences:
        st.markdown("None: the runs have the same settings. Their seeds are the same, too.")
        return
    rows = [
        (
            f"<span>{html.escape(one.label)}</span> <small>{one.name.partition('.')[0]}</small>",
            [shown(text) for text in one.texts],
        )
        for one in differences
    ]
    st.html(table("setting", heads(labels), rows))
