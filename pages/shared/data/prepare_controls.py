"""Time and series: what is found in the time column, and what shall be done to the rows before windows are cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from lstm_core.data.calendar import changing_inputs
from lstm_core.data.prepare import is_prepared
from lstm_core.data.resampling import STEPS
from lstm_core.data.series_choice import short_series_note
from lstm_core.data.series_rows import series_names
from lstm_core.data.table import Table
from lstm_core.data.time_facts import TimeFacts, time_facts
from lstm_core.experiment import DataSpec
from pages.shared.session import state
from pages.shared.session.fields import change_field, field, widget_value
from pages.shared.session.messages import escape_markdown
from pages.shared.theme import fields_in_row

MAX_SERIES = 500  # in the list to choose from: a longer one is no choice


def prepare_controls() -> None:
    """Draw them under the columns' roles; nothing without a time column and a sequence id."""
    table, data = state.workspace().table, state.workspace().experiment.data
    changed = is_prepared(data)
    if data.time is None and data.group is None and not changed:
        return
    facts = _once("_time_facts", table, (data.time, data.group), lambda: _facts(table, data))
    names = _once("_series_names", table, data.group, lambda: _names(table, data))
    if facts is None and len(names) < 2 and not changed:
        return
    if facts is not None:
        st.caption(escape_markdown(facts.sentence))
    if changed:  # and it stays open when the last change is taken back
        state.set_state("_prepare_open", table)
    is_open = state.get_state("_prepare_open") is table
    with st.expander("Time and series", icon=":material/calendar_month:", expanded=is_open):
        if facts is not None or changed:
            _time_fields(table, data, facts)
        if len(names) > 1 or data.series or data.series_sum or data.series_id_input or data.scale_per_series:
            _series_fields(names, data)
    if not changed and (
        short := _once("_short_series", table, _of_short(data), lambda: short_series_note(table, data))
    ):
        st.caption(escape_markdown(short.text))  # what is changed is told, with this, beside the windows


def _time_fields(table: Table, data: DataSpec, facts: TimeFacts | None) -> None:
    has_dates = data.time in table.column_names("time")
    applies = {
        "grid": True,
        "resample": has_dates or data.resample != "none",
        "aggregate": data.resample != "none",
        "duplicates": data.duplicates != "keep" or bool(facts and facts.repeated),
    }
    shown = [name for name, does in applies.items() if does]
    for row in range(0, len(shown), 2):
        for column, name in zip(fields_in_row(), shown[row : row + 2], strict=False):
            field(column, "data", name)
    step = STEPS.get(data.resample, facts and facts.step)
    inputs = [*(changing_inputs(step) if has_dates else []), *data.calendar]
    if inputs:
        field(st, "data", "calendar", options=list(dict.fromkeys(inputs)), placeholder="none", of=tuple(inputs))
    if "weekend" in inputs or data.holidays:  # a step of a day or less: a week is seldom a holiday
        field(
            st,
            "data",
            "holidays",
            widget="text_input",
            placeholder="a country: DE, US-CA",
            on_change=_change_holidays,
            args=(),
        )
    candidates = [name for name in data.features if name not in data.targets]
    known = list(dict.fromkeys([*candidates, *data.known_future]))
    if known:
        field(st, "data", "known_future", options=known, placeholder="none", of=tuple(known))


def _series_fields(names: list[str], data: DataSpec) -> None:
    options = list(dict.fromkeys([*names[:MAX_SERIES], *data.series]))
    placeholder = f"all {len(names):,}"
    field(st, "data", "series", options=options, placeholder=placeholder, of=(len(names), *options))
    if len(names) > MAX_SERIES:
        st.caption(f"The first {MAX_SERIES:,} of {len(names):,} series are listed.")
    for name in ("series_sum", "scale_per_series", "series_id_input"):
        field(st, "data", name)


def _change_holidays() -> None:
    change_field("data", holidays=(widget_value("holidays") or "").strip().upper() or None)


def _facts(table: Table, data: DataSpec) -> TimeFacts | None:
    return None if data.time is None else time_facts(table, data.time, data.group)


def _names(table: Table, data: DataSpec) -> list[str]:
    return [] if data.group is None else series_names(table, data.group)


def _of_short(data: DataSpec) -> tuple[str | None, int]:
    return data.group, data.seq_len + data.horizon


def _once(key: str, table: Table, of: Any, make: Callable[[], Any]) -> Any:
    """What make returns, made again only for another table or another `of`: a page is drawn at every click."""
    kept = state.get_state(key)
    if kept is None or kept[0] is not table or kept[1] != of:
        kept = (table, of, make())
        state.set_state(key, kept)
    return kept[2]
