"""A paper card below a lesson's text: claim, rule, both figures, and the citation to copy."""

from __future__ import annotations

import streamlit as st

from lstm_core.lessons.lesson import Lesson
from lstm_core.lessons.paper_figures import card_parts


def show(lesson: Lesson) -> None:
    """The card of a lesson that has one."""
    paper = lesson.card.paper
    with st.container(border=True, key="paper_card"):
        st.markdown(f"#### The paper\n\n{paper.who} ({paper.year}), *{paper.title}*, {paper.where}")
        for column, part in zip(st.columns([0.5, 0.5], gap="large"), _halves(card_parts(lesson)), strict=True):
            column.markdown("\n\n".join(f"**{title}.** {text}" for title, text in part.items()))
        with st.expander("Cite it", icon=":material/format_quote:"):
            st.code(paper.bibtex, language=None)


def _halves(parts: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What the paper has on the left, what came out here on the right."""
    here = {title: text for title, text in parts.items() if title in ("Here", "What differs")}
    return {title: text for title, text in parts.items() if title not in here}, here
