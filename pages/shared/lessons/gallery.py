"""The gallery of lessons: a card each with its thumbnail, evening by evening; a click opens the lesson."""

from __future__ import annotations

import base64
from itertools import groupby

import streamlit as st

from lstm_core.lessons import lessons
from lstm_core.lessons.lesson import EVENINGS, Lesson
from pages.shared.server import talks

CARDS_PER_ROW = 4


def show() -> None:
    """Draw all cards. Their titles, summaries and thumbnails come with the app, so none is escaped."""
    for evening, group in groupby(lessons().values(), key=lambda lesson: lesson.evening):
        cards = list(group)
        title, description = EVENINGS[evening]
        minutes = sum(lesson.minutes for lesson in cards)
        st.markdown(f"**{title}** · {description} · about {minutes} minutes")
        for first in range(0, len(cards), CARDS_PER_ROW):
            row = cards[first : first + CARDS_PER_ROW]
            for column, lesson in zip(st.columns(CARDS_PER_ROW), row, strict=False):
                with column.container(border=True, key=f"card_{lesson.name}", height="stretch", gap="xsmall"):
                    _card(lesson)


def talk_link() -> None:
    """To the talk over these lessons, for whoever teaches: it opens on the Stage. It is made ready meanwhile."""
    talks.begin("forty_minutes")
    label, query = "Give a talk: *The LSTM in forty minutes*", {"talk": "forty_minutes"}
    help_text = "Moments of these lessons with questions to the audience and notes, gone through with a clicker"
    st.page_link("pages/stage.py", label=label, query_params=query, icon=":material/co_present:", help=help_text)


def _card(lesson: Lesson) -> None:
    thumbnail = base64.b64encode(lesson.thumbnail.encode()).decode()
    if thumbnail:
        st.markdown(f"![](data:image/svg+xml;base64,{thumbnail})")
    st.page_link("pages/lessons.py", label=f"**{lesson.title}**", query_params={"lesson": lesson.name})
    st.caption(lesson.summary)
    st.caption(f"{lesson.chapter} · {lesson.minutes} min{_after(lesson)}")


def _after(lesson: Lesson) -> str:
    titles = [lessons()[name].title.partition(":")[0] for name in lesson.after]
    return f" · after *{', '.join(titles)}*" if titles else ""
