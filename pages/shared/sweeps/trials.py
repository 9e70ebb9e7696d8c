"""The trials of a sweep as a table, and the way from one to its run."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lstm_core.data.number_format import format_significant
from lstm_core.runs.sweeps.progress import value_text
from lstm_core.runs.sweeps.shelf import SweepSummary
from pages.shared.session import state
from pages.shared.session.fields import set_widget, widget_value
from pages.shared.sweeps.shelf import can_open, open_run, use_trial

HEIGHT = 318  # CSS pixels: eight rows
MAX_OPTIONS = 200  # of the choice of a run
LOSS = "validation loss"
_PICKED = "_sweep_trial"


def show(one: SweepSummary) -> None:
    tried = one.progress["tried"]
    st.markdown("#### Trials")
    if not tried:
        st.caption("They appear here as they are proposed.")
        return
    ranked = sorted(tried, key=lambda trial: -trial["trial"]) if one.is_live else ranking(tried)
    st.dataframe(
        _table(ranked),
        hide_index=True,
        height=min(HEIGHT, 38 + 35 * len(ranked)),
        column_config={LOSS: st.column_config.NumberColumn(format="%.4g")},
        key="sweep_trials",
    )
    _open(one, ranked)


def ranking(tried: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The complete ones by their loss, then the pruned and the failed ones."""
    order = ("complete", "running", "pruned", "failed")
    return sorted(
        tried, key=lambda one: (order.index(one["state"]), one["loss"] is None, one["loss"] or 0.0, one["trial"])
    )


def _table(tried: list[dict[str, Any]]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        "trial": [one["trial"] for one in tried],
        "state": [one["state"] for one in tried],
        LOSS: [one["loss"] for one in tried],
        "epochs": [one["epochs"] for one in tried],
    }
    for name in tried[0]["params"]:
        columns[name.partition(".")[2]] = [_cell(one["params"].get(name)) for one in tried]
    if any(one["state"] == "failed" for one in tried):
        columns["why"] = [one["message"] if one["state"] == "failed" else "" for one in tried]
    return columns


def _cell(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else value_text(value)


def _open(one: SweepSummary, ranked: list[dict[str, Any]]) -> None:
    """A choice among the trials and the further seeds of the best ones, and what can be done with it."""
    options = {trial["run"]: _label(trial) for trial in ranked[:MAX_OPTIONS]}
    params = {trial["run"]: trial["params"] for trial in ranked}
    for finalist in one.progress["finalists"]:
        for seed, (run, loss) in enumerate(zip(finalist["runs"], finalist["losses"], strict=True)):
            if seed:
                options[run] = f"trial {finalist['trial']}, seed {seed + 1} of {one.progress['seeds']}{_loss(loss)}"
                params[run] = finalist["params"]
    row = st.container(horizontal=True, vertical_alignment="bottom", key="sweep_trial_row")
    picked = state.get_state(_PICKED)
    set_widget("sweep_trial", picked if picked in options else next(iter(options)), tuple(options.items()))
    run = row.container(width=420).selectbox(
        "Trial",
        list(options),
        format_func=options.get,
        key="sweep_trial",
        on_change=lambda: state.set_state(_PICKED, widget_value("sweep_trial")),
    )
    name = options[run].partition(":")[0]
    row.button(
        "Open",
        key="sweep_open",
        icon=":material/open_in_new:",
        disabled=not can_open(run),
        on_click=open_run,
        args=(run, name[0].upper() + name[1:]),
        help="Show it on Train, Gates and Stage of this tab, as any run. Its test windows are left out: they are for "
        "the winner",
    )
    row.button(
        "Use its settings", key="sweep_use", icon=":material/check:", on_click=use_trial, args=(one, params[run], name)
    )


def _label(trial: dict[str, Any]) -> str:
    return f"trial {trial['trial']}: {trial['state']}{_loss(trial['loss'])}"


def _loss(loss: float | None) -> str:
    return "" if loss is None else f", loss {format_significant(loss, 4)}"
