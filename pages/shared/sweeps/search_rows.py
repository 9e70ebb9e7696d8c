"""The rows of the form, one for each setting that is searched: a range of numbers, or a list of values."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_core.experiment import Experiment
from lstm_core.runs.compare import value_text
from lstm_core.runs.sweeps.proposals import is_numeric, proposed_range, proposed_values, setting_of, values_to_text
from lstm_core.settings import Setting
from pages.shared.session.fields import set_widget, widget_value
from pages.shared.session.messages import clear_messages, escape_markdown
from pages.shared.sweeps.draft import Draft, values_to_json

RANGE, LIST = "range", "list"
WIDTHS = {RANGE: (1.5, 1.15, 1.1, 1.1, 0.75), LIST: (1.5, 1.15, 2.95)}

# A row stays one row in a narrow window, too.
STYLE = """<style>
[class*="st-key-search_"] [data-testid="stHorizontalBlock"] { flex-wrap: nowrap; }
[class*="st-key-search_"] [data-testid="stColumn"] { min-width: 0; }
</style>"""


def search_rows(draft: Draft, experiment: Experiment) -> None:
    st.html(STYLE)
    if draft.names:
        with st.container(key="search_heads"):
            heads = st.columns(WIDTHS[RANGE], gap="small")
        for column, text in zip(heads, ("setting", "searched in a", "from", "to", "scale"), strict=True):
            column.caption(text)
    for name in draft.names:
        _row(draft, name, experiment)


def _row(draft: Draft, name: str, experiment: Experiment) -> None:
    one, values = setting_of(name), draft.values(name, experiment)
    kind = RANGE if isinstance(values, dict) else LIST
    with st.container(key=f"search_{_key(name)}"):
        columns = st.columns(WIDTHS[kind], vertical_alignment="center", gap="small")
    part, _, field = name.partition(".")
    now = value_text(getattr(getattr(experiment, part), field), one.choices)
    columns[0].markdown(f"**{escape_markdown(field)}**", help=f"{one.label}: {one.help}. Now {escape_markdown(now)}")
    if is_numeric(name):
        _kind(columns[1], draft, name, experiment, kind)
    if kind == RANGE:
        _range(columns[2:], draft, name, one, values)
    elif one.choices and not one.is_list and isinstance(values, list):
        _choices(columns[2], draft, name, one, values)
    else:
        _list(columns[2], draft, name, values)


def _key(name: str) -> str:
    return name.replace(".", "_")


def _kind(place: DeltaGenerator, draft: Draft, name: str, experiment: Experiment, kind: str) -> None:
    key = f"search_kind_{_key(name)}"

    def change() -> None:
        clear_messages()
        made = proposed_range if widget_value(key) == RANGE else proposed_values
        draft.typed[name] = values_to_json(made(name, experiment))

    set_widget(key, kind)
    label = f"how {name} is searched"
    place.selectbox(label, (RANGE, LIST), key=key, on_change=change, label_visibility="collapsed")


def _range(columns: list[DeltaGenerator], draft: Draft, name: str, one: Setting, values: dict[str, Any]) -> None:
    """Low, high and log; what else a study's file said of it, such as its step, stays."""
    keys = {end: f"search_{end}_{_key(name)}" for end in ("low", "high", "log")}

    def change() -> None:
        clear_messages()
        read = {end: widget_value(key) for end, key in keys.items()}
        draft.typed[name] = values | {end: value for end, value in read.items() if value is not None}

    limits = (one.type(one.minimum), one.type(one.maximum))
    step = 1 if one.type is int else 10.0 ** math.floor(math.log10(max(abs(values["low"]), 1e-9)))
    more = {} if one.type is int else {"format": "%g"}
    for column, end in zip(columns, ("low", "high"), strict=False):
        set_widget(keys[end], one.type(min(max(values[end], limits[0]), limits[1])), (limits, step))
        column.number_input(
            f"{end} of {name}",
            *limits,
            None,
            step=step,
            key=keys[end],
            on_change=change,
            label_visibility="collapsed",
            placeholder=end,
            **more,
        )
    set_widget(keys["log"], bool(values.get("log", False)))
    columns[2].checkbox("log", key=keys["log"], on_change=change)


def _choices(place: DeltaGenerator, draft: Draft, name: str, one: Setting, values: list[Any]) -> None:
    key = f"search_values_{_key(name)}"

    def change() -> None:
        clear_messages()
        draft.typed[name] = [value for value in one.choices if value in widget_value(key)]

    set_widget(key, [value for value in one.choices if value in values])
    place.pills(
        f"values of {name}",
        list(one.choices),
        selection_mode="multi",
        format_func=one.choices.get,
        key=key,
        on_change=change,
        label_visibility="collapsed",
    )


def _list(place: DeltaGenerator, draft: Draft, name: str, values: list[Any] | str) -> None:
    """As text, which is kept as it was typed: it may be no list yet."""
    key = f"search_values_{_key(name)}"

    def change() -> None:
        clear_messages()
        draft.typed[name] = widget_value(key)

    set_widget(key, values if isinstance(values, str) else values_to_text(tuple(values)))
    place.text_input(
        f"values of {name}",
        key=key,
        on_change=change,
        max_chars=1000,
        label_visibility="collapsed",
        placeholder="8, 16, 32",
    )
