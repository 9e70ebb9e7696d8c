"""Widgets that mirror a setting of the experiment: label, help, choices and limits come from its field there."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_core.experiment import PARTS, PlaygroundError
from lstm_core.settings import Setting, settings
from pages.shared.session import state
from pages.shared.session.messages import clear_messages, errors_on_top, refused


def field(
    container: DeltaGenerator,
    part: str,
    name: str,
    *,
    widget: str | None = None,
    key: str | None = None,
    of: Any = None,
    **changed: Any,
) -> None:
    """Draw the widget of one setting; an invalid value does not reach the experiment, and the reason is shown.

    A number that was refused stays in its field as long as the reason stays at the top: put back at once, the old one
    could not be typed again, since a browser does not send what the field holds already.

    container: st, or the column to draw in.
    widget: Streamlit's name of it; by default number_input, toggle, selectbox or multiselect, by the setting's type.
    key: of the widget; by default the setting's name.
    of: see set_widget.
    changed: arguments of the widget that override the setting's, such as options, help or on_change.
    """
    setting, key = settings(PARTS[part])[name], key or name
    value = getattr(getattr(state.workspace().experiment, part), name)
    if refused().get("key") == key and setting.type in (int, float):
        value = refused()["value"]
    set_widget(key, list(value) if isinstance(value, tuple) else value, of)
    default, arguments = _default_widget(setting)
    arguments |= {"label": setting.label, "help": setting.help}
    arguments |= {"key": key, "on_change": _apply, "args": (part, name, key)}
    getattr(container, widget or default)(**arguments | changed)


def _default_widget(setting: Setting) -> tuple[str, dict[str, Any]]:
    if setting.type is bool:
        return "toggle", {}
    if setting.type is not str:
        limits = (setting.type(limit) for limit in (setting.minimum, setting.maximum))
        # an emptied field is then None, not its minimum
        return "number_input", dict(zip(("min_value", "max_value"), limits, strict=True)) | {"value": None}
    choices = {"options": list(setting.choices), "format_func": setting.choices.get} if setting.choices else {}
    return "multiselect" if setting.is_list else "selectbox", choices


def _apply(part: str, name: str, key: str) -> None:
    value, before, workspace = widget_value(key), refused(), state.workspace()
    if value is None and settings(PARTS[part])[name].default is not None:  # the previous value is shown again
        clear_messages()
        return
    kept = getattr(getattr(workspace.experiment, part), name)
    refusal = {"part": part, "name": name, "key": key, "value": value}
    with errors_on_top(f"{name} stays {_shown(kept)}.", refusal):
        if before.get("part") == part and before["key"] != key:
            with suppress(PlaygroundError):  # this value may be what the refused one, still in its field, lacked
                workspace.change(part, **{before["name"]: before["value"], name: value})
                return
        workspace.change(part, **{name: value})


def _shown(value: Any) -> str:
    texts = [str(one) for one in value] if isinstance(value, tuple) else ["empty" if value is None else str(value)]
    return ", ".join(texts) or "empty"


def clamp_widget(key: str, minimum: float, maximum: float, default: float | None = None) -> None:
    """Clamp a number widget's value to limits that may have changed."""
    value = state.get_state(key, maximum if default is None else default)
    set_widget(key, min(max(value, minimum), maximum), (minimum, maximum))


def set_widget(key: str, value: Any, of: Any = None) -> None:
    """Make the widget of this key show `value`; one that shows it already is left alone, even mid-edit.

    of: what the widget's options or bounds depend on. When they change, Streamlit treats it as a new widget
    and drops its value, so it is then written again.
    """
    same = st.session_state.get(f"_of_{key}") == of and key in st.session_state
    if not same or st.session_state[key] != value:
        st.session_state[key] = value
        st.session_state[f"_of_{key}"] = of


def widget_value(key: str) -> Any:
    """The value of a widget inside its own callback."""
    return st.session_state.get(key)


def change_field(part: str, **fields: Any) -> None:
    """Change fields of one part of the experiment (data, model or train); an invalid one is only reported."""
    with errors_on_top():
        state.workspace().change(part, **fields)
