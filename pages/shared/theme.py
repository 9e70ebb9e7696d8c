"""The look that all pages share: what Streamlit's theme has no setting for, in one small style sheet; its buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

_STYLE = """
<style>
.stMainBlockContainer { padding: 2.2rem 2.2rem 2rem; }
.stMainBlockContainer h1 { padding: 0 0 .3rem; font-size: 1.9rem; }
.stSidebar { min-width: 14rem; max-width: 14rem; }
[data-testid="stMetric"] { padding: 0; }
[data-testid="stMetricValue"] { font-size: 1.5rem; font-variant-numeric: tabular-nums; }
[data-testid="stVerticalBlock"] { gap: .75rem; }
.st-key-generator [role="radiogroup"], .st-key-generator [role="group"] {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(6.1rem, 1fr));
}
.st-key-generator, .st-key-generator :is([data-testid="stButtonGroup"], [role="radiogroup"], [role="group"]) {
  width: 100%; max-width: none;
}
.st-key-generator button {
  height: auto; padding: .1rem .1rem 0; min-width: 0; max-width: none; width: 100%; border-radius: .6rem;
}
.st-key-generator button p { display: flex; flex-direction: column; align-items: center; font-size: .73rem; }
.st-key-generator button img { height: 1.35rem; max-height: none; width: auto; margin: 0; }
[data-testid="stElementContainer"]:not(.st-key-forget_bias, .st-key-chrono_t_max)
  [data-testid="stNumberInputClearButton"] { display: none; }
[class*="st-key-card_"] { position: relative; transition: border-color .15s; }
[class*="st-key-card_"]:is(:hover, :focus-within) { border-color: var(--st-primary-color); }
[class*="st-key-card_"] img { width: 100%; height: auto; max-height: 6.5rem; }
[class*="st-key-card_"] :is([data-testid="stElementContainer"], [data-testid="stPageLink"] *) { position: static; }
[class*="st-key-card_"] a { padding: 0; background: none !important; }
[class*="st-key-card_"] a::after { content: ""; position: absolute; inset: 0; }
[class*="st-key-card_"] a :is(p, span) { white-space: normal; overflow: visible; font-size: 1.02rem; line-height: 1.3; }
.st-key-csv section { padding: .5rem .75rem; }
</style>
"""


def apply() -> None:
    st.html(_STYLE)


def segments(container: DeltaGenerator, label: str, options: Sequence[str | int], key: str, **more: Any) -> Any:
    """Buttons side by side, one of them always pressed; the choice outlives a visit to another page.

    more: as st.segmented_control's; by default the first option is pressed, and the label is only read aloud.
    """
    usual = {"default": options[0], "required": True, "persist_state": "session", "label_visibility": "collapsed"}
    return container.segmented_control(label, options, key=key, **usual | more)


def wide_button(
    container: DeltaGenerator,
    label: str,
    icon: str,
    on_click: Callable[..., Any] | None = None,
    *args: Any,
    **more: Any,
) -> bool:
    """A button as wide as its container. icon: a Material symbol's name; args: of on_click; more: as st.button's."""
    return container.button(label, icon=f":material/{icon}:", width="stretch", on_click=on_click, args=args, **more)
