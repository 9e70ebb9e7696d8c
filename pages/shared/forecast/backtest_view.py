"""The backtest under a forecast: rolling origins over the test rows, each forecast beside what came."""

from __future__ import annotations

import numpy as np
import streamlit as st

from lstm_core.data.number_format import format_significant
from lstm_core.data.windows import Windows
from lstm_core.figures.backtest import ORIGINS, origin_figure, periods_figure, steps_figure
from lstm_core.figures.forecast import Curve
from lstm_core.forecasting.backtest import REFITTED_ORIGINS, Backtest, backtest, periods_of
from lstm_core.runs.background import BackgroundJob
from lstm_core.runs.contest_jobs import begin_refits
from lstm_core.runs.run import Run
from pages.shared.forecast.job_row import job_row
from pages.shared.session.fields import set_widget
from pages.shared.session.messages import escape_markdown
from pages.shared.session.state import get_state
from pages.shared.theme import segments
from pages.shared.training.live import LESSON_SECONDS, poll

SAME, REFITTED = "same model", "refitted at each origin"
PICTURE = "backtest_picture"


def show(run: Run) -> None:
    """The errors by step and by period, and the forecast of any origin; nothing while the run trains."""
    windows = run.windows
    if run.is_active or not run.step or windows.classes or not windows.spec.horizon or not len(windows.starts["test"]):
        return
    st.markdown("#### Backtest: forecasts from the past, and what came")
    kind = segments(
        st,
        "model at each origin",
        [SAME, REFITTED],
        "backtest_kind",
        help="An origin is the last row that a forecast knows. The same model: the one above, which has learned from "
        "the training rows alone. Refitted: trained again at every origin, on all rows up to it",
    )
    if kind == SAME:
        model = run.scored_models()["test"]
        _results(run, run.cached("backtest", run.weights_key, lambda: backtest(model, windows)))
        return

    def busy() -> bool:
        job = _job(run)
        return job is not None and not job.done

    active = busy()
    poll(_refits, run, seconds=LESSON_SECONDS, active=active, has_changed=lambda: busy() != active)
    job = _job(run)
    if job is not None and job.result is not None:
        _results(run, job.result)


def _job(run: Run) -> BackgroundJob[Backtest] | None:
    return run.cache.get("backtest_refits")


def _refits(run: Run) -> None:
    """The button that begins, or the progress."""
    job = _job(run)
    if job_row(job, "backtest_cancel"):
        return
    if job is None or job.result is None:
        st.button(
            f"Refit at up to {REFITTED_ORIGINS} origins",
            on_click=_begin,
            args=(run,),
            key="backtest_refit",
            icon=":material/model_training:",
            help="Trains here on the server, at each origin from the same first weights and for as many passes as were "
            "best for this model, which stays as it is",
        )


def _begin(run: Run) -> None:
    run.cache["backtest_refits"] = begin_refits(run)


def _results(run: Run, result: Backtest) -> None:
    st.markdown(escape_markdown(result.sentence()))
    _origin(run.windows, result)
    periods = periods_of(run.windows)
    left, right = st.columns(2, gap="medium") if run.windows.output_steps > 1 else (None, st.container())
    if left is not None:
        left.markdown("**Error by step ahead**")
        left.plotly_chart(steps_figure(result.by_step()), key="backtest_steps")
    row = right.container(horizontal=True, vertical_alignment="center")
    row.markdown("**Error by**", width="content")
    period = segments(row, "period", periods, "backtest_period")
    right.plotly_chart(periods_figure(result.by_period(run.windows, period)), key="backtest_periods")


def _origin(windows: Windows, result: Backtest) -> None:
    """One origin's forecast among all of its series, which a click or the list chooses."""
    count, by_origin = len(result.origins), result.by_origin()
    of = (windows.table_name, count, int(result.origins[0]), result.refitted)
    chosen = get_state("backtest_origin", count - 1)
    set_widget("backtest_origin", chosen if chosen < count else count - 1, of)

    def label(index: int) -> str:
        return f"{windows.label(int(result.origins[index]))} (RMSE {format_significant(by_origin[index], 3)})"

    chosen = st.container(width=330).selectbox(
        "origin", range(count), format_func=label, key="backtest_origin", help="Or click its point in the picture"
    )
    sequence = int(np.searchsorted(windows.groups, result.origins[chosen], side="right")) - 1
    first, end = windows.groups[sequence], windows.groups[sequence + 1]
    own = np.flatnonzero((result.origins >= first) & (result.origins < end))
    rows = np.arange(max(first, result.origins[own[0]] - result.truth.shape[1]), result.rows[own].max() + 1)
    x = rows + 1 - first if windows.time is None else windows.time[rows]
    values = windows.y[:, 0]

    def curve(some: np.ndarray, y: np.ndarray) -> Curve:
        return Curve(x[some - rows[0]], y)

    place = int(np.flatnonzero(own == chosen)[0])
    figure = origin_figure(
        curve(rows, values[rows]),
        curve(result.origins[own], values[result.origins[own]]),
        place,
        curve(result.rows[chosen], result.forecasts[chosen]),
        "row" if windows.time is None else windows.spec.time,
        result.target,
    )
    st.plotly_chart(figure, key=PICTURE, on_select=lambda: _clicked(own, of), selection_mode="points")


def _clicked(own: np.ndarray, of: tuple) -> None:
    """A point of the picture was clicked: where it is an origin, that one is chosen."""
    points = get_state(PICTURE, {}).get("selection", {}).get("points", [])
    clicked = [one["point_index"] for one in points if one.get("curve_number") == ORIGINS]
    if clicked:
        set_widget("backtest_origin", int(own[clicked[0]]), of)
