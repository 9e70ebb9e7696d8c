"""The claims: a list of statements at the left, the chosen one at the right with its demonstration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from lstm_core.lessons.catalog.tutorials.claims.claims import CLAIMS, Claim
from lstm_core.lessons.catalog.tutorials.claims.demonstrations import Demonstration
from pages.shared.session import state
from pages.shared.session.messages import escape_markdown

if TYPE_CHECKING:
    from lstm_core.runs.run import Run

_BY_NAME = {claim.name: claim for claim in CLAIMS}
_DONE = "_claim_shown"  # the last slow demonstration: ((name, seed, size), Demonstration)


def show(runs: dict[str, Run]) -> None:
    names = list(_BY_NAME)
    requested = state.get_query("claim")
    at = names.index(requested) if requested in names else 0
    left, right = st.columns([0.34, 0.66], gap="medium")
    with left.container(key="claims"):
        name = st.radio("Claims in tutorials", names, at, key="claim", format_func=lambda n: _BY_NAME[n].statement)
    state.set_query("claim", name)
    with right:
        _claim(_BY_NAME[name])


def _claim(claim: Claim) -> None:
    st.subheader(f"“{claim.statement}”", anchor=False)
    verdict, size, seed = st.columns([0.5, 0.28, 0.22], vertical_alignment="bottom")
    wrong = claim.verdict.startswith("Wrong")
    verdict.badge(
        claim.verdict, icon=":material/close:" if wrong else ":material/info:", color="red" if wrong else "orange"
    )
    chosen = size.number_input(
        claim.size.name, claim.size.minimum, claim.size.maximum, claim.size.default, key=f"size_{claim.name}"
    )
    seed_value = seed.number_input("seed", 0, 9999, 0, key=f"seed_{claim.name}", help="The random weights and inputs")
    demonstration = _slow(claim, seed_value, chosen) if claim.slow else claim.demonstrate(seed_value, chosen)
    if demonstration is not None:
        _demonstration(claim, demonstration)
    st.markdown(claim.explanation)
    st.caption(f"Source: {escape_markdown(claim.source)}.")


def _slow(claim: Claim, seed: int, size: int) -> Demonstration | None:
    """The demonstration of these very numbers, once its button has been pressed."""
    key = (claim.name, seed, size)
    if st.button("Run it (a few seconds)", key="run_claim", type="primary", icon=":material/play_arrow:"):
        with st.spinner("It trains …"):
            state.set_state(_DONE, (key, claim.demonstrate(seed, size)))
    done = state.get_state(_DONE)
    return done[1] if done is not None and done[0] == key else None


def _demonstration(claim: Claim, demonstration: Demonstration) -> None:
    if demonstration.confirmed:
        st.success(escape_markdown(demonstration.summary), icon=":material/check_circle:")
    else:
        st.warning(
            f"These numbers do not show it: try another seed. {escape_markdown(demonstration.summary)}",
            icon=":material/help:",
        )
    if demonstration.table is not None:
        cells = {name: [escape_markdown(str(cell)) for cell in column] for name, column in demonstration.table.items()}
        st.table(pd.DataFrame(cells).set_index(next(iter(cells))), border="horizontal")
    if demonstration.figure is not None:
        st.plotly_chart(demonstration.figure, key=f"claim_{claim.name}")
    if demonstration.code:
        st.code(demonstration.code, language="python")
