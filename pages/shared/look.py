"""The look that every page shares: what Streamlit's theme has no setting for, in one small style sheet."""

from __future__ import annotations

import streamlit as st

_STYLE = """
<style>
.stMainBlockContainer { padding: 2.2rem 2.2rem 2rem; }
.stMainBlockContainer h1 { padding: 0 0 .3rem; font-size: 1.9rem; }
.stSidebar { min-width: 14rem; max-width: 14rem; }
[data-testid="stMetric"] { padding: 0; }
[data-testid="stMetricValue"] { font-size: 1.5rem; font-variant-numeric: tabular-nums; }
[data-testid="stVerticalBlock"] { gap: .75rem; }
</style>
"""


def apply() -> None:
    st.html(_STYLE)
