"""Widgets that mirror a setting of the experiment: label, help, choices and limits are those told at its field."""

from __future__ import annotations

from typing import Any

from streamlit.delta_generator import DeltaGenerator

from lstm_core.experiment import PARTS
from lstm_core.settings import Setting, settings
from pages.shared import session


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
    """Draw the widget of one setting; a value that the experiment refuses is put back, and the reason is shown.

    container: st, or the column to draw in.
    widget: a name of Streamlit's, where it is not to be the usual one: number_input, toggle, selectbox, multiselect.
    key: of the widget, where it is not to be the setting's name.
    of: see session.mirror.
    changed: arguments of the widget in place of the setting's own, such as options, help or on_change.
    """
    setting = settings(PARTS[part])[name]
    usual, arguments = _usual_widget(setting)
    arguments |= {"label": setting.label, "help": setting.help}
    getattr(container, widget or usual)(**arguments | bind(part, name, key, of) | changed)


def _usual_widget(setting: Setting) -> tuple[str, dict[str, Any]]:
    if setting.type is bool:
        return "toggle", {}
    if setting.type is not str:
        limits = (setting.type(limit) for limit in (setting.minimum, setting.maximum))
        # an emptied field says None, and not its minimum
        return "number_input", dict(zip(("min_value", "max_value"), limits, strict=True)) | {"value": None}
    choices = {"options": list(setting.choices), "format_func": setting.choices.get} if setting.choices else {}
    return "multiselect" if setting.is_list else "selectbox", choices


def bind(part: str, name: str, key: str | None = None, of: Any = None) -> dict[str, Any]:
    """Arguments that make a widget mirror one setting; `of`: see session.mirror."""
    value = getattr(getattr(session.workspace().experiment, part), name)
    key = key or name
    session.set_widget(key, list(value) if isinstance(value, tuple) else value, of)
    return {"key": key, "on_change": _take_over, "args": (part, name, key)}


def _take_over(part: str, name: str, key: str) -> None:
    value = session.widget_value(key)
    if value is not None or settings(PARTS[part])[name].default is None:  # else the old value comes back
        session.change_field(part, **{name: value})


def clamp_widget(key: str, minimum: float, maximum: float, default: float | None = None) -> None:
    """Keep a number widget's value inside limits that may have moved."""
    value = session.get_state(key, maximum if default is None else default)
    session.set_widget(key, min(max(value, minimum), maximum), (minimum, maximum))
