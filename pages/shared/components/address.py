"""The parameters of a tab's address that follow the experiment: Python's half of address.js.

Streamlit's own st.query_params makes an entry of the browser's history at every change.
"""

from __future__ import annotations

from pages.shared.components.wire import mount
from pages.shared.session import state
from pages.shared.session.address import parameters

_draw = mount("address")


def show(page: str) -> None:
    """Let the address follow this tab's workspace; page: the title, since another page's address begins without."""
    _draw("address", {"parameters": parameters(state.workspace()), "page": page}, height=1)
