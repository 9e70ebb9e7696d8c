"""Forecast: the rows past the end of the table, with bands, what they rest on, and how known inputs move them."""

import numpy as np
import streamlit as st

from lstm_core.data.series_rows import series_names
from lstm_core.forecasting.forecast_table import forecast_columns, forecast_csv
from lstm_core.forecasting.future import MAX_STEPS, Forecast, why_none
from lstm_core.forecasting.recipe import DEFAULT_HORIZON
from pages.shared.components.download import download
from pages.shared.forecast import backtest_view, contest_table, pictures, sentences
from pages.shared.forecast.known_future import known_future_controls
from pages.shared.forecast.pictures import Shown
from pages.shared.forecast.run_forecast import frozen_model, run_forecast, tested_part
from pages.shared.gates.run_picker import pick_run, shown_run
from pages.shared.session import state
from pages.shared.session.fields import clamp_widget, set_widget
from pages.shared.session.messages import draw_messages, errors_here, escape_markdown
from pages.shared.theme import segments
from pages.shared.training import run_status, score_panel
from pages.shared.training.live import RUN_SECONDS, poll

KEEP = {"persist_state": "session"}  # a choice outlives a visit to another page
TABLE_ROWS = 2_000  # of the forecast on the page; the file has all

run = shown_run()
active, begun = run.is_active, run.step > 0  # asked once: the page and its polling must agree
windows, spec = run.windows, run.windows.spec
cell = run.experiment.model.cell.upper()


def guard() -> str:
    """Why nothing can be forecast; "" if it can."""
    if run.is_unscored:
        return (
            "This is a trial of a sweep. A forecast's bands are measured on the test windows, and those are for the "
            "sweep's winner: open that one, or press Train on Train for a run of these settings."
        )
    if why := why_none(windows):
        return why
    if not begun and active:
        return "The training has not begun yet: the forecast appears with its first steps."
    return "" if begun else "This model is not trained yet: press Train, and its forecast appears here."


def choose() -> tuple[int, Shown]:
    """The controls: how many rows to come, and what of them is drawn."""
    row = st.container(horizontal=True, vertical_alignment="bottom", key="forecast_controls")
    usual = min(MAX_STEPS, max(spec.horizon, spec.season or DEFAULT_HORIZON))
    of = (windows.table_name, spec.horizon, spec.season)
    if state.get_state("_steps_of") != of:
        set_widget("steps_ahead", usual, of)
        state.set_state("_steps_of", of)
    clamp_widget("steps_ahead", 1, MAX_STEPS, usual)
    help_text = "How many rows past the end of the table are forecast"
    steps = row.container(width=150).number_input("rows ahead", 1, MAX_STEPS, key="steps_ahead", help=help_text, **KEEP)
    series = target = horizon_step = 0
    if len(windows.groups) > 2:
        names = series_names(windows.table, spec.group)
        series = row.container(width=220).selectbox(
            "series", range(len(names)), format_func=names.__getitem__, key="series"
        )
    if len(spec.targets) > 1:
        options = {"options": range(len(spec.targets)), "format_func": spec.targets.__getitem__}
        target = row.container(width=220).selectbox("target", **options, key="forecast_target")
    if windows.output_steps > 1:
        clamp_widget("forecast_step", 1, windows.output_steps, 1)
        help_text = "How many rows ahead of its window each prediction of the test part is"
        arguments = {"key": "forecast_step", "help": help_text} | KEEP
        step = row.container(width=190).number_input("horizon step, test part", 1, windows.output_steps, **arguments)
        horizon_step = step - 1
    history = segments(
        row.container(width="content"), "history", ["last part", "all"], "history", label_visibility="visible"
    )
    return steps, Shown(series, target, horizon_step, history == "all")


def training_state() -> None:
    """While it trains: where it is. Afterwards: the score, as soon as it is there."""
    if not active:
        score_panel.score_text(run)
        return
    run_status.progress(run, brief=True)
    run.heartbeat()


def has_changed() -> bool:
    return (run.is_active, run.step > 0, run.is_scoring) != (active, begun, scoring) or shown_run() is not run


def draw(steps: int, shown: Shown) -> None:
    """The forecast and all that follows from it: alone anew when values to come change."""
    state.workspace()  # of this fragment's own thread
    with errors_here():
        _draw(steps, shown)


def _draw(steps: int, shown: Shown) -> None:
    model = frozen_model(run)
    with st.spinner("Forecasting"):  # seconds, of a long table or many steps; the rest of the app goes on
        before = usual = run_forecast(run, model, steps)
    known, place = {}, st.container()
    if spec.known_future:
        left, side = st.columns([0.68, 0.32], gap="medium")
        place = left.container()
        with side:
            known = known_future_controls(windows, before, shown.series, left.container())
        usual = run_forecast(run, model, steps, known)
    tested = tested_part(run, model, shown.series, shown.horizon_step, shown.target)
    with place:
        pictures.forecast_picture(windows, usual, before if known else None, tested, shown, cell)
    if active:
        st.caption(f"Drawn from the weights of epoch {model.epoch:,}, and again when the training ends.")
    tell(before, usual, known, shown)
    if windows.target is not None:
        has_skip = bool(np.isfinite(usual.series[shown.series].skip).any())
        adds = f"what the linear skip and the {cell} add" if has_skip else f"and what the {cell} adds"
        st.markdown(f"#### What the start says, {adds}")
        pictures.parts_picture(windows, usual, tested, shown, cell)
    table(usual, shown)


def tell(before: Forecast, usual: Forecast, known: dict[str, np.ndarray], shown: Shown) -> None:
    poll(training_state, seconds=RUN_SECONDS, active=active or scoring, has_changed=has_changed)
    change = ""
    if known:
        change = sentences.change_sentence(
            before.series[shown.series], usual.series[shown.series], shown.target, windows
        )
    said = [
        change,
        sentences.band_sentences(usual),
        sentences.recursion_sentence(usual, cell),
        sentences.held_sentence(usual, known, shown.series),
    ]
    for text in filter(None, said):
        st.markdown(escape_markdown(text))


def table(forecast: Forecast, shown: Shown) -> None:
    """The series and target on the page; the file has all of them."""
    st.markdown("#### The forecast in numbers")
    columns = forecast_columns(forecast, spec.group if len(windows.groups) > 2 else None)
    first = (shown.series * len(forecast.targets) + shown.target) * steps
    part = {name: values[first : first + min(steps, TABLE_ROWS)] for name, values in columns.items()}
    part = {name: values for name, values in part.items() if name != "time" or values[0]}
    numbers = {
        name: st.column_config.NumberColumn(format="%.5g") for name in columns if "_" in name or name == "forecast"
    }
    st.dataframe(part, hide_index=True, height=min(38 + 35 * steps, 320), column_config=numbers, key="forecast_table")
    name = "forecast.csv"
    download(st, "Forecast as CSV", forecast_csv(columns), name, "text/csv", key="forecast_csv")


row = st.container(horizontal=True, vertical_alignment="center")
row.container(width="stretch").title("Forecast")
pick_run("forecast", row, 180, label=False)
draw_messages("forecast")
scoring = run.is_scoring
if why := guard():
    st.info(why)
    if not windows.classes and spec.horizon:
        poll(training_state, seconds=RUN_SECONDS, active=active, has_changed=has_changed) if active else None
    st.page_link("pages/train.py", label="To Train", icon=":material/show_chart:")
else:
    with errors_here():
        steps, chosen = choose()
        st.fragment(draw)(steps, chosen)
        contest_table.show(run)
        backtest_view.show(run)
