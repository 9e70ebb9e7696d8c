"""Lessons: the gallery, or the one lesson that the address names: with its figures, text and formula."""

import streamlit as st

from lstm_core.experiment import PlaygroundError
from lstm_core.lessons import get_lesson
from pages.shared.lessons import gallery, lesson_page, questions
from pages.shared.session import state
from pages.shared.session.messages import draw_messages, show_error

workspace = state.workspace()
named = state.get_query("lesson") or (workspace.lesson.lesson.name if workspace.lesson else None)
try:
    lesson = get_lesson(named) if named else None
    opened = state.open_lesson(named) if lesson and lesson.experiments else None
except PlaygroundError as error:
    lesson = None
    show_error(str(error))

if lesson is None:
    row = st.container(horizontal=True, vertical_alignment="center")
    row.container(width="stretch").title("Lessons")
    with row:
        gallery.talk_link()
        questions.switch()
    draw_messages("lessons")
    gallery.show()
else:
    state.set_query("lesson", lesson.name)
    lesson_page.show(lesson, opened)
