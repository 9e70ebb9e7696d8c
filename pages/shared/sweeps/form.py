"""The form of a new sweep, from the experiment on the table: what is searched, how much, and what that costs."""

from __future__ import annotations

import functools
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_core.architecture.memory import MEMORY_SHARE
from lstm_core.data.number_format import format_bytes, format_duration
from lstm_core.experiment import PlaygroundError
from lstm_core.model.devices import free_memory
from lstm_core.runs import pool
from lstm_core.runs.sweeps.cost import cost_of
from lstm_core.runs.sweeps.history import check_optuna
from lstm_core.runs.sweeps.proposals import searchable
from lstm_core.runs.sweeps.study import Study
from lstm_core.runs.titles import MAX_NAME, model_title
from pages.shared.data.source_picker import dataset_title
from pages.shared.runs.shelf import shelf
from pages.shared.session import state
from pages.shared.session.fields import set_widget, widget_value
from pages.shared.session.messages import clear_messages, escape_markdown
from pages.shared.sweeps import study_files
from pages.shared.sweeps.draft import FIELDS, Draft, draft
from pages.shared.sweeps.search_rows import search_rows
from pages.shared.sweeps.shelf import begin_new
from pages.shared.theme import wide_button

FIRST_STEPS = 50  # of a run: its pace is not known before
ABOUT = (
    "A sweep tries many settings of the experiment on the table. Each **trial** is a run; those that fall behind are "
    "stopped early. The best ones are trained from further seeds, since one seed is luck, and the best **median** "
    "wins. All that decides is the validation loss: the test windows are looked at once, for the winner."
)


def form() -> None:
    """Draw it; a study that cannot be begun has its sentence in the place of its cost."""
    workspace, mine = state.workspace(), draft()
    experiment = workspace.experiment
    st.markdown(ABOUT)
    title = f"{dataset_title(experiment.data, workspace.table)} · {model_title(experiment.model)}"
    left, right = st.columns([0.34, 0.66], gap="medium")
    with left:
        st.markdown(f"Experiment on the table: **{escape_markdown(title)}**")
        budget(mine)
        place = st.container()
    with right:
        choose_settings(mine)
        search_rows(mine, experiment)
        may_begin = _has_optuna()
    study = None
    with place:
        try:
            study = mine.study(experiment)
            st.caption(escape_markdown(cost_text(study)))
        except PlaygroundError as error:
            may_begin = False
            st.error(escape_markdown(str(error)), icon=":material/error:")
        _begin(study, disabled=not may_begin)
    study_files.show(study)


def _has_optuna() -> bool:
    """Whether the package that proposes trials is there; else it is said how to install it."""
    try:
        check_optuna()
    except PlaygroundError as error:
        st.warning(escape_markdown(str(error)), icon=":material/extension:")
        return False
    return True


def budget(mine: Draft) -> None:
    with st.container(key="sweep_budget"):
        _text(mine, "name")
        left, right = st.columns(2, vertical_alignment="bottom")
        _number(left, mine, "trials")
        _number(
            right, mine, "epochs", label="epochs each", placeholder=f"{state.workspace().experiment.train.epochs:,}"
        )
        left, right = st.columns(2, vertical_alignment="bottom")
        _number(left, mine, "finalists")
        _number(right, mine, "seeds", label="seeds each")
        with st.expander("More"):
            left, right = st.columns(2, vertical_alignment="bottom")
            _number(left, mine, "parallel", label="at once")
            _number(right, mine, "warmup_epochs")
            _number(left, mine, "seed", label="sweep seed")
            _toggle(right, mine, "prune")


def choose_settings(mine: Draft) -> None:
    options = searchable(state.workspace().experiment)
    options += [name for name in mine.names if name not in options]  # of a study's file

    def change() -> None:
        clear_messages()
        mine.names = list(widget_value("sweep_search"))

    set_widget("sweep_search", mine.names, tuple(options))
    st.multiselect(
        "Settings to search",
        options,
        key="sweep_search",
        format_func=lambda name: name.partition(".")[2],
        on_change=change,
        help="From a range, or from a list of values. What would change the meaning of the validation loss, such as "
        "the target, its scaling or the loss, is not on offer",
    )


def _begin(study: Study | None, disabled: bool) -> None:
    wide_button(
        st,
        "Start the sweep",
        "play_arrow",
        functools.partial(begin_new, study),
        key="sweep_begin",
        type="primary",
        disabled=disabled,
        help="It goes on when this tab, or the server, is closed",
    )


def cost_text(study: Study) -> str:
    """What it takes at most. Raises PlaygroundError: the data cannot be cut as the experiment says."""
    windows = state.workspace().windows()
    cost, places = cost_of(study, windows), min(study.parallel, pool.cpu_slots())
    text = f"At most {cost.trainings:,} trainings with {cost.steps:,} steps in all, {places} at once"
    pace = _seconds_per_step()
    if pace is not None:
        text += f": about {format_duration(cost.steps * pace / places)} at the pace of the run on the table"
    text += f". Memory: {format_bytes(cost.bytes)} for the largest setting"
    limit = MEMORY_SHARE * free_memory()
    if cost.bytes > limit:
        return f"{text}, which is more than the {format_bytes(limit)} that it may take: such trials will fail."
    return f"{text}."


def _seconds_per_step() -> float | None:
    """Of the run on the table, if it was trained here with these settings; None: nobody knows."""
    workspace = state.workspace()
    run = workspace.loaded_run
    if run is None or run.folder is None or workspace.changed_settings():
        return None
    known = shelf().run(run.id)
    return known.seconds / known.step if known is not None and known.step >= FIRST_STEPS and known.seconds else None


# ---- fields of the study


def _changed(mine: Draft, name: str) -> None:
    clear_messages()
    value = widget_value(f"sweep_{name}")
    if value is None and FIELDS[name].default is not None:  # an emptied field: the default again
        mine.fields.pop(name, None)
    else:
        mine.fields[name] = value


def _number(place: DeltaGenerator, mine: Draft, name: str, **changed: Any) -> None:
    one = FIELDS[name]
    set_widget(f"sweep_{name}", mine.number(name))
    arguments = {"label": one.label, "help": one.help, "key": f"sweep_{name}"} | changed
    place.number_input(
        min_value=one.minimum, max_value=one.maximum, value=None, on_change=_changed, args=(mine, name), **arguments
    )


def _text(mine: Draft, name: str) -> None:
    one = FIELDS[name]
    set_widget(f"sweep_{name}", mine.number(name))
    st.text_input(
        one.label,
        key=f"sweep_{name}",
        max_chars=MAX_NAME,
        on_change=_changed,
        args=(mine, name),
        placeholder="Sweep",
        help=one.help,
    )


def _toggle(place: DeltaGenerator, mine: Draft, name: str) -> None:
    one = FIELDS[name]
    set_widget(f"sweep_{name}", mine.number(name))
    place.toggle(one.label, key=f"sweep_{name}", help=one.help, on_change=_changed, args=(mine, name))
