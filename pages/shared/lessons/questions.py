"""A lesson's question before the lesson: three choices, Skip, and the answer; the score of a visit.

Answers are kept for the browser tab, and with an opened lesson, where they outlive a reload. "questions=off" in the
address, or the switch of the gallery, asks none: for a teacher who shows a lesson.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from lstm_core.experiment import PlaygroundError
from lstm_core.lessons.question import Answer, AskedQuestion
from pages.shared.session import state

if TYPE_CHECKING:
    from lstm_core.lessons.lesson import Lesson
    from lstm_core.lessons.open_lesson import OpenLesson

_ANSWERS, _OFF = "_answers", "_questions_off"
OFF = "off"  # in the address


def switch() -> None:
    """The score of this visit, and whether lessons ask."""
    answers = [answer for answer in _answers().values() if answer.asked is not None]
    if answers:
        right = sum(answer.is_right for answer in answers)
        st.caption(f"{right} of {len(answers)} right", width="content")
    help_text = "Each lesson opens with one question, which it answers afterwards. Switched off, it shows all at once."
    st.toggle("Ask before telling", not _is_off(), key="ask_first", on_change=_switch, help=help_text)


def _switch() -> None:
    _set_off(not _is_off())


def show_open_question(lesson: Lesson, opened: OpenLesson | None) -> bool:
    """Draw the question if it is still to be answered; then nothing else of the lesson may be shown yet.

    Keys 1 to 3 choose. A lesson that has been seen without its question, since it trained or none of the choices was
    right, does not ask later.
    """
    if _is_off() or _answer(lesson, opened) is not None:
        return False
    asked = _ask(lesson, opened)
    if asked is None:
        _keep(lesson, opened, Answer())
        return False
    with st.container(border=True, key="question"):
        st.markdown(f"#### {asked.text}")
        for k, choice in enumerate(asked.choices):
            given = (lesson, opened, Answer(asked, k))
            st.button(choice.text, key=f"choice_{k + 1}", width=420, shortcut=str(k + 1), on_click=_keep, args=given)
        with st.container(horizontal=True):
            skip = (lesson, opened, Answer())
            st.button("Skip", key="skip_question", type="tertiary", on_click=_keep, args=skip, help="Show the lesson")
            none = "Show every lesson at once, as when you teach it; a switch on the Lessons page asks again"
            st.button("No questions", key="no_questions", type="tertiary", on_click=_set_off, args=(True,), help=none)
    return True


def show_answer(lesson: Lesson, opened: OpenLesson | None) -> None:
    """Draw what was chosen, what is right, and why one may think otherwise; nothing if nobody was asked."""
    answer = _answer(lesson, opened)
    if answer is None or answer.asked is None or _is_off():
        return
    asked = answer.asked
    chosen, right = asked.choices[answer.chosen], asked.choices[asked.right]
    verdict = ":green-badge[:material/check: Right]" if answer.is_right else ":red-badge[:material/close: Not quite]"
    correction = "" if answer.is_right else f" You chose *{chosen.text}*."
    with st.container(border=True, key="answer", gap="xsmall"):
        st.markdown(f"{verdict} {asked.text} **{right.text}**.{correction}")
        st.markdown(f"{asked.told} {right.why}")
        others = [choice for choice in asked.choices if choice is not right]
        st.caption("\n".join(f"- *{choice.text}*: {choice.why}" for choice in others))


def _ask(lesson: Lesson, opened: OpenLesson | None) -> AskedQuestion | None:
    """Of the lesson's current runs; None while they train, whose results have been on the screen."""
    if lesson.question is None or (opened is not None and opened.is_active):
        return None
    try:
        asked = lesson.question.ask(opened.runs if opened is not None else {})
    except PlaygroundError:  # a changed model in which there is nothing to measure
        asked = None
    return asked


def _answers() -> dict[str, Answer]:
    return state.get_state(_ANSWERS, {})


def _answer(lesson: Lesson, opened: OpenLesson | None) -> Answer | None:
    return _answers().get(lesson.name) or (opened.answer if opened is not None else None)


def _keep(lesson: Lesson, opened: OpenLesson | None, answer: Answer) -> None:
    state.set_state(_ANSWERS, {**_answers(), lesson.name: answer})
    if opened is not None:
        opened.answer = answer


def _is_off() -> bool:
    if state.get_state(_OFF) is None:
        state.set_state(_OFF, state.get_query("questions") == OFF)
    off = state.get_state(_OFF)
    state.set_query("questions", OFF if off else None)
    return off


def _set_off(off: bool) -> None:
    state.set_state(_OFF, off)
