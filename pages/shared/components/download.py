"""Every download of the app: its bytes are on the server before the button can be clicked.

Never a callable as the data: the browser then asks for the file by a message of its own, and Streamlit throws its
answer away where the page runs again before it is sent (the click itself makes it run, and so does the end of a
training), so that the button spins for three minutes; or it answers that it knows of no such file, because the page
has run again since it was drawn. A click on a file that is there asks nothing and runs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from functools import cache
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime import Runtime
from streamlit.runtime.media_file_manager import MediaFileKind, MediaFileManager

from pages.shared.session import state

BYTES = "application/octet-stream"
KEEP_SECONDS = 30.0  # a file that no page has any more can still be downloaded


def download(container: DeltaGenerator, label: str, data: bytes, name: str, mime: str = BYTES, **button: Any) -> None:
    """A button that downloads these bytes; button: further arguments of st.download_button."""
    if Runtime.exists():
        keep_downloads(Runtime.instance().media_file_mgr)
    arguments = {"icon": ":material/download:"} | button
    container.download_button(label, data, name, mime, on_click="ignore", **arguments)


def download_when_made(
    label: str, make: Callable[[], bytes], name: str, mime: str = BYTES, *, key: str, of: Hashable, now: bool, **button
) -> None:
    """A button that downloads what make() gives.

    of: what the file depends on; it is made once for each.
    now: make it at once. Else a first click makes it, as it is then, and a second button beside downloads it: for
        what takes long to make, or changes all the time.
    """
    made = state.get_state(f"_file_{key}")
    if now and (made is None or made[0] != of):
        made = (of, make())
        state.set_state(f"_file_{key}", made)
    if not now:
        arguments = (f"_file_{key}", make, of)
        st.button(label, key=f"make_{key}", icon=":material/save:", on_click=_make, args=arguments, **button)
        label = f"Download {name}"
    if made is not None and made[0] == of:
        download(st, label, made[1], name, mime, key=key, **button)


@cache
def keep_downloads(manager: MediaFileManager) -> None:
    """Keep files for KEEP_SECONDS after their last page let go of them.

    Streamlit drops a file at the second end of any visitor's script that finds it without a page, and it has none
    while its own page runs again: a click at that moment would download nothing.
    """
    without_page, since = manager._get_inactive_file_ids, {}

    def long_without_page() -> set[str]:  # called with the manager's lock held
        now, found = time.monotonic(), without_page()
        for id in since.keys() - found:
            del since[id]
        kind = {id: manager._file_metadata[id].kind for id in found}
        return {
            id
            for id in found
            if kind[id] is not MediaFileKind.DOWNLOADABLE or now - since.setdefault(id, now) > KEEP_SECONDS
        }

    manager._get_inactive_file_ids = long_without_page


def _make(key: str, make: Callable[[], bytes], of: Hashable) -> None:
    state.set_state(key, (of, make()))
