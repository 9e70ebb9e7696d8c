"""One lesson: its question first, then training controls and figures, text, formula, exercises, common mistakes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import streamlit as st

from lstm_core.lessons import next_lesson
from lstm_core.lessons.figures import loss_plot
from lstm_core.lessons.lesson import Exercise, Lesson, LessonFigure, Outcome, run_name
from lstm_core.lessons.seeds import seed_figure, shipped_trials, success_sentence
from pages.shared.components.live_plot import live_plot
from pages.shared.lessons import paper_card_view, program_tab, questions, take_along
from pages.shared.session import state
from pages.shared.session.fields import set_widget, widget_value
from pages.shared.session.messages import clear_messages, draw_messages, errors_here, errors_on_top, escape_markdown
from pages.shared.theme import wide_button
from pages.shared.training import run_status
from pages.shared.training.live import LESSON_SECONDS, poll

if TYPE_CHECKING:
    from lstm_core.lessons.open_lesson import OpenLesson
    from lstm_core.runs.run import Run

FIGURE_SECONDS = 3.0  # between two drawings of a Plotly figure, which flickers
FIGURE_REST = 10  # a figure costs the training a tenth of its speed at most
HEIGHT = 300  # of a live plot, in CSS pixels
LOSSES = LessonFigure("**How it learned**", "The loss: pale for each batch, strong for the validation set.", loss_plot)


def show(lesson: Lesson, opened: OpenLesson | None) -> None:
    """The whole page of one lesson; opened: None if it trains nothing."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    row.container(width="stretch").title(lesson.title)
    beside = row.container(width="content")
    back = row.container(width=150)
    stay = "This lesson and your own work stay as they are"
    wide_button(back, "All lessons", "apps", state.leave_lesson, key="all_lessons", help=stay)
    draw_messages("lessons")
    if opened is not None and not opened.is_own_run:
        st.markdown(lesson.summary)
        _replaced_notice(opened)
        return
    if questions.show_open_question(lesson, opened):
        return
    if opened is not None:  # not before the question is answered: the file gives the answer
        take_along.menu(beside, opened)
    st.markdown(lesson.summary)
    if program_tab.is_chosen(lesson):
        program_tab.show(lesson)
        return
    questions.show_answer(lesson, opened)
    if opened is not None:
        _controls(lesson, opened)
    above = lesson.widget and not lesson.widget_below
    if opened is None:
        _widget(lesson, opened)
    elif above:  # the progress stays in view above a widget that fills the screen
        _live(lesson, opened, _progress)
        _widget(lesson, opened)
        _live(lesson, opened, _figures)
    else:
        _live(lesson, opened, _progress, _figures)
        if lesson.widget:
            _widget(lesson, opened)
    _text(lesson)
    _next_lesson(lesson)


def _widget(lesson: Lesson, opened: OpenLesson | None) -> None:
    module = importlib.import_module(f"pages.shared.lessons.widgets.{lesson.widget}")
    module.show(opened.runs if opened else {})


def _replaced_notice(opened: OpenLesson) -> None:
    st.info(
        "The current model is no longer this lesson's: its data or its task differ. It stays on the other pages until "
        "you restore the lesson's model."
    )
    st.button(
        "Restore pretrained model", key="lesson_shipped", on_click=opened.restore_pretrained, icon=":material/undo:"
    )


def _controls(lesson: Lesson, opened: OpenLesson) -> None:
    active = opened.is_active
    can_resume = any(not run.finished and run.status != "failed" for run in opened.runs.values())
    train, pause, seed, restore, gates, stage = st.columns([1.5, 1, 0.8, 1.5, 0.7, 0.7], vertical_alignment="bottom")
    watch = "Draws new weights from the seed and trains them while you watch"
    wide_button(train, "Train it yourself", "play_arrow", _train, key="train", type="primary", help=watch)
    label, icon, act = ("Pause", "pause", opened.pause) if active else ("Resume", "resume", opened.start)
    stuck = not active and not can_resume
    wide_button(pause, label, icon, act, key="pause", disabled=stuck, help="The weights stay")
    set_widget("lesson_seed", state.get_state(f"seed_{lesson.name}", opened.seed), lesson.name)
    seed.number_input(
        "seed",
        0,
        2**31 - 1,
        key="lesson_seed",
        on_change=_keep_seed,
        args=(lesson.name,),
        help="Of the data, the initial weights and the order of the batches: the same seed gives the same result",
    )
    shipped = "The trained model that the lesson opened with"
    wide_button(restore, "Restore pretrained model", "undo", _restore_pretrained, key="lesson_shipped", help=shipped)
    gates.page_link("pages/gates.py", label="Gates", icon=":material/grid_on:", help="Every gate of this model")
    stage.page_link("pages/stage.py", label="Stage", icon=":material/play_circle:", help="Play it step by step")


def _keep_seed(name: str) -> None:
    value = widget_value("lesson_seed")
    if value is not None:
        state.set_state(f"seed_{name}", value)


def _restore_pretrained() -> None:
    clear_messages()
    opened = state.workspace().lesson
    opened.restore_pretrained()
    state.set_state(f"seed_{opened.lesson.name}", opened.seed)


def _train(change: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    opened = state.workspace().lesson
    with errors_on_top():
        opened.train(state.get_state(f"seed_{opened.lesson.name}", opened.seed), change)


def _live(lesson: Lesson, opened: OpenLesson, *sections: Callable[[Lesson, OpenLesson], None]) -> None:
    """Draw the sections of the page that change during training, together."""
    active = opened.is_active

    def draw() -> None:
        opened.heartbeat()
        for section in sections:
            section(lesson, opened)

    poll(draw, seconds=LESSON_SECONDS, active=active, has_changed=lambda: opened.is_active != active)


def _progress(lesson: Lesson, opened: OpenLesson) -> None:
    runs = opened.runs
    for column, (label, run) in zip(st.columns(len(runs)), runs.items(), strict=True):
        with column:
            if len(runs) > 1:
                st.markdown(f"**{run_name(label)}**")
            run_status.progress(run, brief=len(runs) > 1)
    if lesson.outcome is not None:
        _show_outcome(lesson, opened, opened.is_active)


def _figures(lesson: Lesson, opened: OpenLesson) -> None:
    figures = [*lesson.figures, *([LOSSES] if lesson.loss_figure else [])]
    if lesson.seed_dots is not None and shipped_trials(lesson.name):
        figures.append(_seed_picture(lesson, opened))
    for k, figure in enumerate(figures):
        if k % 2 == 0:
            columns = st.columns(2, gap="medium")
        with columns[k % 2]:
            _figure(lesson, figure, k, opened.runs, opened.is_active)


def _cached(runs: dict[str, Run], kind: str, active: bool, make: Callable[[], Any]) -> Any:
    """make(), cached with the first run until a run changes, and during training a while longer (Run.cached)."""
    run, key = next(iter(runs.values())), tuple((run.id, run.weights_key, run.status) for run in runs.values())
    flickers = any(isinstance(value, go.Figure) for value in run.cache.get(kind, {}).values())
    return run.cached(
        kind, key, make, every=(FIGURE_SECONDS if flickers else 0.0) if active else None, rest=FIGURE_REST
    )


def _show_outcome(lesson: Lesson, opened: OpenLesson, active: bool) -> None:
    if active:
        st.info("Training: the result appears here at the end.", icon=":material/hourglass_top:")
        return
    if any(run.step == 0 for run in opened.runs.values()):
        st.info("Not trained yet.", icon=":material/hourglass_empty:")
        return
    outcome = _outcome(lesson, opened)
    how = " With your change." if opened.change else ""
    text = f"**Seed {opened.seed}.**{how} {escape_markdown(outcome.summary)}"
    if outcome.reached:
        st.success(text, icon=":material/check_circle:")
    else:
        st.warning(text, icon=":material/cancel:")


def _outcome(lesson: Lesson, opened: OpenLesson) -> Outcome:
    return _cached(opened.runs, f"outcome {lesson.name}", opened.is_active, lambda: lesson.outcome(opened.runs))


def _seed_picture(lesson: Lesson, opened: OpenLesson) -> LessonFigure:
    """The outcome from many seeds; beside them that of these runs, once they are trained and as the lesson has them."""
    is_trained = not opened.is_active and not opened.change and all(run.step for run in opened.runs.values())
    caption = "A dot a seed, hollow where the goal was missed" + ("; the diamond: this run." if is_trained else ".")

    def draw(runs: dict[str, Run]) -> go.Figure:
        return seed_figure(lesson, _outcome(lesson, opened).metrics if is_trained else None)

    return LessonFigure(f"**From {len(shipped_trials(lesson.name))} seeds**", caption, draw)


def _figure(lesson: Lesson, figure: LessonFigure, k: int, runs: dict[str, Run], active: bool) -> None:
    st.markdown(figure.title)
    key = f"lesson_{lesson.name}_{k}"
    with errors_here(icon=None):
        drawing = _cached(runs, key, active, lambda: figure.draw(runs))
        if isinstance(drawing, go.Figure):
            st.plotly_chart(drawing, key=key)
        else:
            live_plot(key, **vars(drawing), height=HEIGHT, revision=" ".join(str(run.id) for run in runs.values()))
        st.caption(figure.caption)


def _text(lesson: Lesson) -> None:
    left, right = st.columns([0.58, 0.42], gap="large")
    with left:
        st.markdown(lesson.text)
        if lesson.formula:
            st.latex(lesson.formula)
            st.markdown(lesson.symbols)
        if how_often := "\n\n".join(filter(None, (success_sentence(lesson), lesson.success_rate))):
            st.markdown(f"#### How often it works\n{how_often}")
    with right:
        if lesson.exercises:
            st.markdown("#### Try it")
            for k, exercise in enumerate(lesson.exercises):
                _exercise(k, exercise)
        if lesson.common_mistakes:
            st.markdown(f"#### Common mistakes in tutorials\n{lesson.common_mistakes}")
    if lesson.card is not None:
        paper_card_view.show(lesson)
    if lesson.sources:
        st.caption("Sources: " + "; ".join(lesson.sources) + ".")


def _next_lesson(lesson: Lesson) -> None:
    """The way on in the course."""
    following = next_lesson(lesson.name)
    if following is None:
        return
    with st.container(key="next_page", horizontal=True, horizontal_alignment="right"):
        label, query = f"Next: {following.title}", {"lesson": following.name}
        icon = {"icon": ":material/arrow_forward:", "icon_position": "right"}
        st.page_link("pages/lessons.py", label=label, query_params=query, **icon)


def _exercise(k: int, exercise: Exercise) -> None:
    text_column, button = st.columns([0.75, 0.25], vertical_alignment="center")
    text_column.markdown(exercise.text)
    if exercise.change:
        wide_button(button, "Try it", "play_arrow", _train, exercise.change, key=f"try_{k}")
