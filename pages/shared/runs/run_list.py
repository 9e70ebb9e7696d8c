"""The list of runs: filtered and sorted, live where they train; which of them are chosen for a comparison."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from lstm_core.runs import trash
from lstm_core.runs.compare import MAX_RUNS, best_baseline, measure_of, test_score
from lstm_core.runs.shelf import STATES, RunSummary
from pages.shared.runs.details import details
from pages.shared.runs.run_line import STYLE, run_line, when
from pages.shared.runs.shelf import open_here, shelf
from pages.shared.session import state
from pages.shared.session.fields import widget_value
from pages.shared.session.messages import clear_messages, errors_on_top, escape_markdown, show_info
from pages.shared.training.live import poll

ROW_SECONDS = 1.0  # between two looks at a run that trains
PAGE = 20  # rows at first, and more with each press of a button
KEEP = {"persist_state": "session"}
_CHOSEN, _DETAILS, _DELETED, _ROWS = "_chosen_runs", "_details_of", "_deleted_run", "_rows"


def show() -> None:
    st.html(STYLE)
    everything = shelf().runs(state.owner())
    _undo_deletion()
    if not everything:
        _empty()
    else:
        shown = _controls(everything)
        if not shown:
            st.info("No run fits this filter.", icon=":material/filter_alt_off:")
        with st.container(key="run_rows", gap="xsmall"):
            rows = state.get_state(_ROWS, PAGE)
            for run in shown[:rows]:
                _row(run, {one.id for one in everything})
        if len(shown) > rows:
            label = f"Show {min(PAGE, len(shown) - rows)} more of {len(shown) - rows:,}"
            st.button(label, key="more_runs", on_click=lambda: state.set_state(_ROWS, rows + PAGE))
    _trash()


def _empty() -> None:
    st.info(
        "No run has been trained here yet. Press **Train** on Start, on Train or in a lesson: every training is kept "
        "here, with its weights, its curves and its test score, whether a page is open or not.",
        icon=":material/inbox:",
    )
    with st.container(horizontal=True):
        st.page_link("pages/start.py", label="Start", icon=":material/home:")
        st.page_link("pages/train.py", label="Train", icon=":material/show_chart:")
        st.page_link("pages/lessons.py", label="Lessons", icon=":material/school:")
    st.caption("Or without a page:")
    st.code("python -m lstm_core train experiment.json", language=None)


# ---- what is shown, in which order


def _relative_error(run: RunSummary) -> float:
    """How the test score stands to the best baseline's, lower is better; runs without one come last."""
    value, best = test_score(run.score), best_baseline(run.score)
    if value is None or best is None:
        return float("inf")
    if measure_of(run.score) == "accuracy":
        return (1 - value) / (1 - best[1]) if best[1] < 1 else 1.0
    return value / best[1] if best[1] else float("inf")


SORTS: dict[str, Callable[[RunSummary], Any]] = {
    "newest": lambda run: -run.created,
    "name": lambda run: run.title.casefold(),
    "data": lambda run: (run.data_title.casefold(), -run.created),
    "best test score": lambda run: (_relative_error(run), -run.created),
    "longest training": lambda run: -run.seconds,
    "state": lambda run: (STATES.index(run.state), -run.created),
}


ID_LETTERS = 6  # so many at least find a run by its id: "3" is in most of them


def arranged(runs: list[RunSummary], text: str, states: list[str], sort: str) -> list[RunSummary]:
    """The runs that have all words of the text in their name, note, data or model, pinned ones first."""
    words = text.casefold().split()

    def fits(run: RunSummary) -> bool:
        about = " ".join((run.name, run.note, run.data_title, run.model_title, run.state)).casefold()
        by_id = [len(word) >= ID_LETTERS and run.id.startswith(word) for word in words]
        return all(word in about or is_id for word, is_id in zip(words, by_id, strict=True)) and (
            not states or run.state in states
        )

    return sorted(filter(fits, runs), key=lambda run: (not run.is_pinned, SORTS[sort](run)))


def _controls(everything: list[RunSummary]) -> list[RunSummary]:
    chosen = _chosen(everything)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="runs_controls"):
        text = st.text_input("Filter", key="runs_filter", placeholder="name, note, data", width=160, **KEEP)
        present = [one for one in STATES if any(run.state == one for run in everything)]
        states = [one for one in state.get_state("runs_state", []) if one in present]
        state.set_state("runs_state", states)
        states = st.multiselect("State", present, key="runs_state", placeholder="all", width=140, **KEEP)
        sort = st.selectbox("Sort by", list(SORTS), key="runs_sort", width=155, **KEEP)
        st.space("stretch")
        st.button(
            f"Compare {len(chosen)}" if len(chosen) > 1 else "Compare",
            key="compare_runs",
            type="primary",
            icon=":material/compare_arrows:",
            disabled=len(chosen) < 2,
            help=f"Tick two to {MAX_RUNS} runs",
            on_click=_compare,
            args=(chosen,),
        )
    return arranged(everything, text or "", states, sort)


def _chosen(everything: list[RunSummary]) -> list[str]:
    """The ids that are ticked, in the order of the ticks."""
    ids = {run.id for run in everything}
    return [id for id in state.get_state(_CHOSEN, []) if id in ids]


def _compare(ids: list[str]) -> None:
    clear_messages()
    state.set_query("compare", ",".join(ids))


# ---- a row


def _row(run: RunSummary, ids: set[str]) -> None:
    key, chosen = f"choose_{run.id}", state.get_state(_CHOSEN, [])
    current = state.workspace().loaded_run
    is_here = current is not None and current.id == run.id
    with st.container(border=True, key=f"run_row_{run.id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.checkbox(
                f"Compare {escape_markdown(run.title)}",
                value=run.id in chosen,
                key=key,
                label_visibility="collapsed",
                disabled=run.id not in chosen and len(chosen) >= MAX_RUNS,
                on_change=_choose,
                args=(run.id, key),
                width="content",
            )
            with st.container(key=f"run_text_{run.id}"):
                poll(
                    partial_line(run.id, is_here),
                    seconds=ROW_SECONDS,
                    active=run.is_live,
                    has_changed=lambda: _has_changed(run, ids),
                )
            st.button(
                "Open",
                key=f"open_{run.id}",
                on_click=_open,
                args=(run.id,),
                disabled=is_here or run.experiment is None,
                help="Show it on Train, Gates and Stage of this tab. The run that is there now stays as it is",
            )
            is_open = state.get_state(_DETAILS) == run.id
            st.button(
                "Less" if is_open else "More",
                key=f"more_{run.id}",
                on_click=state.set_state,
                args=(_DETAILS, None if is_open else run.id),
                help="Name, note, pin, TensorBoard, delete",
            )
        if is_open:
            details(run, on_delete=_deleted)


def partial_line(id: str, is_here: bool) -> Callable[[], None]:
    """What draws a run as it is now."""

    def line() -> None:
        run = shelf().run(id)
        if run is not None:
            st.html(run_line(run, is_here))

    return line


def _has_changed(run: RunSummary, ids: set[str]) -> bool:
    """Whether its buttons are out of date, its score has come, or another run came or went while this one trains."""
    if not run.is_live:
        return False
    now = shelf().run(run.id)
    if now is None or now.progress != run.progress:
        return True
    return {one.id for one in shelf().runs(state.owner())} != ids


def _choose(id: str, key: str) -> None:
    others = [one for one in state.get_state(_CHOSEN, []) if one != id]
    state.set_state(_CHOSEN, [*others, id][:MAX_RUNS] if widget_value(key) else others)


def _open(id: str) -> None:
    with errors_on_top():
        open_here(id)
        run = shelf().run(id)
        if run is not None:
            show_info(f"{run.title} is open in this tab: Train, Gates and Stage show it.")


# ---- deleted ones


def _deleted(run: RunSummary) -> None:
    state.set_state(_DELETED, (run.id, run.title))
    state.set_state(_DETAILS, None)


def _undo_deletion() -> None:
    """What was deleted last in this tab, and the way back."""
    deleted = state.get_state(_DELETED)
    if deleted is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="deleted_run"):
        st.markdown(f"Deleted: **{escape_markdown(deleted[1])}**", width="content")
        st.button("Undo", key="undo_delete", icon=":material/undo:", on_click=_restore, args=(deleted[0],))


def _restore(id: str) -> None:
    state.set_state(_DELETED, None)
    with errors_on_top():
        trash.restore(id, state.owner())


def _trash() -> None:
    deleted = shelf().trashed(state.owner())
    if not deleted:
        return
    with st.expander(f"Trash ({len(deleted)})", icon=":material/delete:"):
        st.caption(f"Deleted runs can be restored for {trash.TRASH_DAYS} days.")
        for run in deleted[:PAGE]:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"{escape_markdown(run.title)}, trained {when(run.created)}")
                st.button("Restore", key=f"restore_{run.id}", on_click=_restore, args=(run.id,))
