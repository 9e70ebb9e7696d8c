"""The contest under a forecast: every baseline beside the run's model on the same test windows, best first."""

from __future__ import annotations

import html
import math

import streamlit as st

from lstm_core.data.number_format import format_significant
from lstm_core.figures.theme import CELL_COLORS, GREY
from lstm_core.forecasting.contest import FITTED, LSTM, QUICK, Contest, available, capitalised
from lstm_core.runs.background import BackgroundJob
from lstm_core.runs.contest_jobs import begin_contest, begin_seeds
from lstm_core.runs.run import Run
from pages.shared.forecast.job_row import job_row
from pages.shared.session.messages import escape_markdown
from pages.shared.training.live import LESSON_SECONDS, poll

MORE_SEEDS = 2
BAR_WIDTH = 150  # CSS pixels of the largest bar
LONGEST_BAR = 2.5  # times the best RMSE: a longer bar is cut there and ends with ›
WAIT = 0.5  # seconds before the first answer is drawn without what is still missing


def show(run: Run) -> None:
    """The table, one sentence, and a button that trains further seeds; nothing while the run trains."""
    if run.is_active or not run.step or run.windows.classes or not run.windows.spec.horizon:
        return
    st.markdown("#### Contest: is the LSTM the best choice here?".replace("LSTM", run.experiment.model.module_name))
    if not len(run.windows.starts["test"]):
        st.caption("There is no test window to compare methods on.")
        return
    contest = run.cached("contest", run.weights_key, lambda: begin_contest(run))
    contest.wait(WAIT if contest.result is None else 0.0)

    def busy() -> tuple[bool, bool]:
        seeds = _seeds_job(run)
        return not contest.done, seeds is not None and not seeds.done

    drawn = busy()
    poll(_draw, run, contest, seconds=LESSON_SECONDS, active=any(drawn), has_changed=lambda: busy() != drawn)


def _seeds_job(run: Run) -> BackgroundJob | None:
    return run.cache.get("contest_seeds")


def _draw(run: Run, job: BackgroundJob[Contest]) -> None:
    if job.message:
        st.warning(escape_markdown(job.message))
    if not job.done:
        st.progress(job.progress, job.what)
    if job.result is None:
        return
    seeds = _seeds_job(run)
    others = run.cache.get("contest_errors", ())
    if seeds is not None and seeds.done:
        run.cache["contest_errors"] = others = seeds.result or others
    contest = job.result.with_seeds(others)
    st.markdown(f"**{escape_markdown(contest.sentence())}**")
    st.html(_table(contest))
    missing = (
        ""
        if set(FITTED) <= set(available())
        else (" AutoETS and AutoARIMA join in where the package statsforecast is installed (requirements-extras.txt).")
    )
    st.caption(escape_markdown(contest.about() + missing))
    _further_seeds(run, seeds)


def _further_seeds(run: Run, job: BackgroundJob | None) -> None:
    if job_row(job, "contest_cancel"):
        return
    st.button(
        "Train two more seeds",
        on_click=_train,
        args=(run,),
        key="contest_seeds",
        icon=":material/model_training:",
        help="Trains the same settings from two other seeds, here on the server, and shows how far the scores spread. "
        "This model stays as it is. It takes about as long as two trainings.",
    )


def _train(run: Run) -> None:
    run.cache["contest_seeds"] = begin_seeds(run, MORE_SEEDS, run.cache.get("contest_errors", ()))


def _table(contest: Contest) -> str:
    """Rows of method, RMSE and bar as HTML; nothing in it comes from a file."""
    rmse, first = contest.rmse, contest.first_step
    known = {name: value for name, value in rmse.items() if value is not None and math.isfinite(value)}
    least = min(known.values(), default=0.0)
    shown = [name for name in rmse if name in (LSTM, *QUICK) or name in known]
    rows = [_head(contest)]
    for name in sorted(shown, key=lambda one: known.get(one, math.inf)):
        ratio = min(LONGEST_BAR, known[name] / least) / LONGEST_BAR if name in known and least else 0.0
        color = CELL_COLORS.get(contest.cell.lower(), GREY) if name == LSTM else GREY
        style = f"display:inline-block;width:{BAR_WIDTH * ratio:.0f}px;height:.8em;border-radius:2px;background:{color}"
        bar = f'<div style="white-space:nowrap"><span style="{style}"></span>{" ›" * (ratio == 1)}</div>'
        is_best = name == contest.best
        title = html.escape(capitalised(contest.name_of(name)))
        cells = [f"<b>{title}</b> (best)" if is_best else title]
        values = [first[name], rmse[name]] if contest.horizon > 1 else [rmse[name]]
        cells += ["does not apply" if value is None else format_significant(value, 4) for value in values]
        rows.append(_row([*cells, bar if name in known else ""]))
    return f'<table class="contest" style="border-collapse:collapse"><tbody>{"".join(rows)}</tbody></table>'


def _head(contest: Contest) -> str:
    titles = ["RMSE"] if contest.horizon == 1 else ["RMSE, step 1", f"RMSE, steps 1 to {contest.horizon:,}"]
    return _row(["", *titles, ""], "th")


def _row(cells: list[str], tag: str = "td") -> str:
    style = "padding:.15rem 1.2rem .15rem 0;border:0;text-align:left;font-weight:inherit"
    return "<tr>" + "".join(f'<{tag} style="{style}">{cell}</{tag}>' for cell in cells) + "</tr>"
