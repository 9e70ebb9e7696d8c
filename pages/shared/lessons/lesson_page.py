"""One lesson: what trains it, its pictures, then words, formula, what to try, and where tutorials err."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import streamlit as st

from lstm_core.experiment import PlaygroundError
from lstm_core.lessons.lesson import Lesson, Outcome, Picture, Try
from pages.shared import session
from pages.shared.components.live_plot import live_plot
from pages.shared.training import run_status

if TYPE_CHECKING:
    from lstm_core.lessons.open_lesson import OpenLesson
    from lstm_core.runs.run import Run

TICK = 0.5  # seconds between two looks while something trains
PATIENCE = 10  # a picture that takes a second to work out is worked out every ten while the training goes on
FIGURE = 3.0  # seconds between two drawings of a figure, which flickers
HEIGHT = 300  # of a picture


def show(lesson: Lesson, opened: OpenLesson | None) -> None:
    """The whole page of one lesson; opened: None if it trains nothing."""
    title, back = st.columns([0.84, 0.16], vertical_alignment="bottom")
    title.title(lesson.title)
    back.button("All lessons", key="all_lessons", icon=":material/apps:", on_click=_to_gallery, width="stretch",
                help="This lesson stays as it is, and so does your own work")  # fmt: skip
    st.markdown(lesson.blurb)
    session.show_messages("lessons")
    if opened is not None and not opened.own:
        _strayed(opened)
        return
    if opened is not None:
        _controls(lesson, opened)
    above = lesson.instrument and not lesson.instrument_below
    if opened is None:
        _instrument(lesson, opened)
    elif above:  # how far the training is stands in sight, over an instrument that fills the screen
        _live(lesson, opened, _progress)
        _instrument(lesson, opened)
        _live(lesson, opened, _pictures)
    else:
        _live(lesson, opened, _progress, _pictures)
        if lesson.instrument:
            _instrument(lesson, opened)
    _text(lesson)


def _instrument(lesson: Lesson, opened: OpenLesson | None) -> None:
    found = importlib.import_module(f"pages.shared.lessons.widgets.{lesson.instrument}")
    found.show(session.workspace(), opened.runs if opened else {})


def _to_gallery() -> None:
    session.leave_lesson()


def _strayed(opened: OpenLesson) -> None:
    st.info("The model on the table now is no longer this lesson's: it has other data or another kind of output. It "
            "stays on the other pages until you go back to the lesson's own.")  # fmt: skip
    st.button("Show the lesson's trained model again", key="lesson_shipped", on_click=opened.show_shipped,
              icon=":material/undo:")  # fmt: skip


def _controls(lesson: Lesson, opened: OpenLesson) -> None:
    live = opened.live
    left = any(not run.finished and run.status != "failed" for run in opened.runs.values())
    train, hold, seed, shipped, gates, stage = st.columns(
        [1.5, 1, 0.8, 1.5, 0.7, 0.7], vertical_alignment="bottom"
    )
    train.button("Train it yourself", key="train", type="primary", icon=":material/play_arrow:", width="stretch",
                 on_click=_train, help="Draws new weights from the seed and trains them while you watch")  # fmt: skip
    hold.button("Pause" if live else "Resume", key="pause", width="stretch", disabled=not live and not left,
                icon=":material/pause:" if live else ":material/resume:",
                on_click=opened.pause if live else opened.play, help="The weights stay")  # fmt: skip
    session.mirror("lesson_seed", session.recall(f"seed_{lesson.name}", opened.seed), lesson.name)
    seed.number_input("seed", 0, 2**31 - 1, key="lesson_seed", on_change=_keep_seed, args=(lesson.name,),
                      help="The data, the first weights and the order of the batches: one seed, one result")  # fmt: skip
    shipped.button("Back to the shown state", key="lesson_shipped", icon=":material/undo:", width="stretch",
                   on_click=_show_shipped, help="The trained model that the lesson opened on")  # fmt: skip
    gates.page_link(
        "pages/gates.py", label="Gates", icon=":material/grid_on:", help="Every gate of this very model"
    )
    stage.page_link(
        "pages/stage.py", label="Stage", icon=":material/play_circle:", help="Play it step by step"
    )


def _keep_seed(name: str) -> None:
    value = session.widget_value("lesson_seed")
    if value is not None:
        session.remember(f"seed_{name}", value)


def _show_shipped() -> None:
    session.clear_messages()
    opened = session.workspace().lesson
    opened.show_shipped()
    session.remember(f"seed_{opened.lesson.name}", opened.seed)


def _train(change: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    session.clear_messages()
    opened = session.workspace().lesson
    try:
        opened.train(session.recall(f"seed_{opened.lesson.name}", opened.seed), change)
    except PlaygroundError as error:
        session.report(str(error))


def _live(lesson: Lesson, opened: OpenLesson, *parts: Callable[[Lesson, OpenLesson], None]) -> None:
    """Parts of the page that change while it trains, drawn together."""
    st.fragment(_draw, run_every=TICK if opened.live else None)(lesson, opened, opened.live, parts)


def _draw(lesson: Lesson, opened: OpenLesson, was_live: bool, parts) -> None:
    session.workspace()  # of this fragment's own thread
    opened.touch()
    for part in parts:
        part(lesson, opened)
    if opened.live != was_live:
        st.rerun()  # polling and the buttons follow


def _progress(lesson: Lesson, opened: OpenLesson) -> None:
    from lstm_core.lessons.runs import in_words

    runs = opened.runs
    for column, (label, run) in zip(st.columns(len(runs)), runs.items(), strict=True):
        with column:
            if len(runs) > 1:
                st.markdown(f"**{in_words(label)}**")
            run_status.progress(run, brief=len(runs) > 1)
    if lesson.outcome is not None:
        _show_outcome(lesson, opened, opened.live)


def _pictures(lesson: Lesson, opened: OpenLesson) -> None:
    pictures = [*lesson.pictures]
    if lesson.loss_picture:
        pictures.append(_losses())
    for first in range(0, len(pictures), 2):
        columns = st.columns(2, gap="medium")
        for k, column in enumerate(columns, first):
            if k < len(pictures):
                with column:
                    _picture(lesson, pictures[k], k, opened.runs, opened.live)


def _losses() -> Picture:
    from lstm_core.lessons.runs import loss_plot

    return Picture("**How it learned**", "The loss: pale every batch, strong the validation part.", loss_plot)


def _made(runs: dict[str, Run], what: str, live: bool, make: Callable[[], Any]) -> Any:
    """make(), remembered with the first run: for as long as no run moves, and a while longer if it took long."""
    memo = next(iter(runs.values())).memo
    key = tuple((run.number, run.step, run.status) for run in runs.values())
    known = memo.get(what)
    if known is not None and (known[0] == key or (live and time.monotonic() < known[1])):
        return known[2]
    began = time.monotonic()
    found = make()
    now, least = time.monotonic(), FIGURE if isinstance(found, go.Figure) else 0.0
    memo[what] = (key, now + max(least, PATIENCE * (now - began)), found)
    return found


def _show_outcome(lesson: Lesson, opened: OpenLesson, live: bool) -> None:
    if live:
        st.info("It trains: its result stands here at the end.", icon=":material/hourglass_top:")
        return
    if any(run.step == 0 for run in opened.runs.values()):
        st.info("Not trained yet.", icon=":material/hourglass_empty:")
        return
    outcome: Outcome = _made(opened.runs, f"outcome {lesson.name}", live, lambda: lesson.outcome(opened.runs))
    how = "" if not opened.change else " With your change."
    text = f"**Seed {opened.seed}.**{how} {session.plain(outcome.sentence)}"
    if outcome.reached:
        st.success(text, icon=":material/check_circle:")
    else:
        st.warning(text, icon=":material/cancel:")


def _picture(lesson: Lesson, picture: Picture, k: int, runs: dict[str, Run], live: bool) -> None:
    st.markdown(picture.title)
    try:
        drawn = _made(runs, f"picture {lesson.name} {k}", live, lambda: picture.draw(runs))
    except PlaygroundError as error:
        st.error(session.plain(str(error)))
        return
    if isinstance(drawn, go.Figure):
        st.plotly_chart(drawn, key=f"lesson_{lesson.name}_{k}")
    else:
        revision = " ".join(str(run.number) for run in runs.values())
        live_plot(f"lesson_{lesson.name}_{k}", drawn.lines, x_title=drawn.x_title, y_title=drawn.y_title,
                  log_y=drawn.log_y, y_range=drawn.y_range, height=HEIGHT, revision=revision)  # fmt: skip
    st.caption(picture.caption)


def _text(lesson: Lesson) -> None:
    left, right = st.columns([0.58, 0.42], gap="large")
    with left:
        st.markdown(lesson.words)
        if lesson.formula:
            st.latex(lesson.formula)
            st.markdown(lesson.symbols)
    with right:
        if lesson.tries:
            st.markdown("#### Try it")
            for k, one in enumerate(lesson.tries):
                _try(k, one)
        if lesson.errs:
            st.markdown("#### Where the tutorials err")
            st.markdown(lesson.errs)
        if lesson.seeds:
            st.markdown("#### How often it works")
            st.markdown(lesson.seeds)
        if lesson.published:
            st.markdown("#### Published")
            st.markdown(lesson.published)
    if lesson.sources:
        st.caption("Sources: " + "; ".join(lesson.sources) + ".")


def _try(k: int, one: Try) -> None:
    words, button = st.columns([0.75, 0.25], vertical_alignment="center")
    words.markdown(one.words)
    if one.change:
        button.button("Try it", key=f"try_{k}", on_click=_train, args=(one.change,), width="stretch",
                      icon=":material/play_arrow:")  # fmt: skip
