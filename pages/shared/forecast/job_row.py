"""What is computed beside the page: its progress and a way to cancel it, or why it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.shared.session.messages import escape_markdown

if TYPE_CHECKING:
    from lstm_core.runs.background import BackgroundJob


def job_row(job: BackgroundJob | None, key: str) -> bool:
    """Draw a job; key: of its button. Whether it is under way."""
    if job is None:
        return False
    if job.message:
        st.warning(escape_markdown(job.message))
    if job.done:
        return False
    row = st.container(horizontal=True, vertical_alignment="center")
    row.container(width="stretch").progress(job.progress, job.what)
    row.button("Cancel", on_click=job.cancel, key=key, icon=":material/close:")
    return True
