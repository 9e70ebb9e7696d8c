"""The look that all pages share: what Streamlit's theme has no setting for, in one small style sheet; its buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

_STYLE = """
<style>
:root { --primary: light-dark(LIGHT, DARK); --on-primary: light-dark(#FFFFFF, #171614); }
.stMainBlockContainer { padding: 2.2rem 2.2rem 2rem; }
.stMainBlockContainer h1 { padding: 0 0 .3rem; font-size: 1.9rem; }
.stSidebar { min-width: 14rem; max-width: 14rem; }
[data-testid="stMetric"] { padding: 0; }
[data-testid="stMetricValue"] { font-size: 1.5rem; font-variant-numeric: tabular-nums; }
[data-testid="stVerticalBlock"] { gap: .75rem; }
.st-key-generator [role="radiogroup"], .st-key-generator [role="group"] {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(7.7rem, 1fr));
}
.st-key-generator, .st-key-generator :is([data-testid="stButtonGroup"], [role="radiogroup"], [role="group"]) {
  width: 100%; max-width: none;
}
.st-key-generator button {
  height: auto; padding: .1rem .1rem 0; min-width: 0; max-width: none; width: 100%; border-radius: .6rem;
}
.st-key-generator button p { display: flex; flex-direction: column; align-items: center; font-size: .85rem; }
.st-key-generator button img { height: 1.35rem; max-height: none; width: auto; margin: 0; }
[data-testid="stElementContainer"]:not(.st-key-forget_bias, .st-key-chrono_t_max)
  [data-testid="stNumberInputClearButton"] { display: none; }
[class*="st-key-card_"] { position: relative; transition: border-color .15s; }
[class*="st-key-card_"]:is(:hover, :focus-within) { border-color: var(--primary); }
[class*="st-key-card_"] img { width: 100%; height: auto; max-height: 6.5rem; }
[class*="st-key-card_"] :is([data-testid="stElementContainer"], [data-testid="stPageLink"] *) { position: static; }
[class*="st-key-card_"] a { padding: 0; background: none !important; }
[class*="st-key-card_"] a::after { content: ""; position: absolute; inset: 0; }
[class*="st-key-card_"] a :is(p, span) { white-space: normal; overflow: visible; font-size: 1.02rem; line-height: 1.3; }
.st-key-csv section { padding: .5rem .75rem; }
/* WCAG AA: Streamlit's own captions, axis texts and labels on the primary colour have 2.8 to 3.9 : 1. */
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] * { color: inherit; }
[data-testid="stCaptionContainer"] { opacity: .8; }
.js-plotly-plot .main-svg :is([class$="tick"], [class^="g-"][class$="title"], .legend, .annotation, .colorbar) text {
  fill: currentColor !important;
}
[data-testid="stBaseButton-primary"]:not(:disabled), [data-testid="stBaseButton-primary"]:not(:disabled) *,
.stMultiSelect [data-tag], .stMultiSelect [data-tag] * { color: var(--on-primary); }
:is([data-testid="stSidebarNavLink"], [data-testid="stPageLink-NavLink"]):focus-visible {
  outline: 3px solid var(--primary); outline-offset: -1px;
}
.st-key-next_page a { padding: .35rem .9rem; border: 1px solid var(--primary); border-radius: .6rem; }
.st-key-next_page a p { white-space: nowrap; }
.stMultiSelect [data-tag], .stMultiSelect [data-tag] > span { max-width: 100%; white-space: normal; height: auto; }
/* A number of six digits has room beside its buttons. */
[data-testid="stNumberInputContainer"] button { width: 1.6rem; }
[data-testid="stNumberInputContainer"] input { padding-left: .6rem; padding-right: .2rem; }
.stButtonGroup :is([role="radiogroup"], [role="group"]) { flex-wrap: wrap; }
.stMultiSelect [data-testid="stMultiSelectTagsContainer"] {
  flex-wrap: wrap; min-width: 0; height: auto; max-height: 12rem; overflow-y: auto; mask-image: none;
}
.stMultiSelect [role="group"]:has(> [data-tag]) { display: flex; flex-wrap: wrap; max-width: 100%; flex: 0 1 auto; }
.stMultiSelect :has(> [data-testid="stMultiSelectTagsContainer"]) { height: auto; max-height: none; }
/* 900 pixels, or 1280 at 150 %: what stood side by side wraps, and nothing is cut off. */
@media (max-width: 1100px) {
  .stMainBlockContainer { padding: 2.2rem 1.2rem 2rem; }
  .stSidebar { min-width: 11.5rem; max-width: 11.5rem; }
  [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
  [data-testid="stColumn"] { min-width: min(100%, 9rem); }
  [data-testid="stColumn"]:has([data-testid="stColumn"], .stPlotlyChart) { min-width: 100%; }
  [data-testid="stColumn"]:has(.epoch-slider) { min-width: min(100%, 20rem); }
  .stButton button p { white-space: normal; overflow: visible; line-height: 1.2; }
  .stSidebar [data-testid="stPageLink-NavLink"] :is(p, span) {
    white-space: normal; overflow: visible; line-height: 1.2;
  }
  [data-testid="stFileUploaderDropzoneInstructions"] :is(span, small, div) { white-space: normal; overflow: visible; }
}
</style>
"""


def apply() -> None:
    style = _STYLE
    for scheme in ("light", "dark"):
        style = style.replace(scheme.upper(), st.get_option(f"theme.{scheme}.primaryColor"))
    st.html(style)


def segments(container: DeltaGenerator, label: str, options: Sequence[str | int], key: str, **more: Any) -> Any:
    """Buttons side by side, one of them always pressed; the choice outlives a visit to another page.

    more: as st.segmented_control's; by default the first option is pressed, and the label is only read aloud.
    """
    usual = {"default": options[0], "required": True, "persist_state": "session", "label_visibility": "collapsed"}
    return container.segmented_control(label, options, key=key, **usual | more)


def fields_in_row() -> list[DeltaGenerator]:
    """Two columns for one field each, level with each other though a long label takes two lines."""
    return st.columns(2, vertical_alignment="bottom")


def next_page(page: str, title: str) -> None:
    """The way on, at the foot of a page: from Data to Model, Train, Gates and Stage."""
    with st.container(key="next_page", horizontal=True, horizontal_alignment="right"):
        st.page_link(f"pages/{page}.py", label=f"Next: {title}", icon=":material/arrow_forward:", icon_position="right")


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
