"""What an instrument computes: at once where it is short, else beside the page, with its progress and Cancel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from lstm_core.runs.background import BackgroundJob
from lstm_core.training.snapshots import ModelSnapshot
from pages.shared.forecast.job_row import job_row
from pages.shared.gates.selection import Selection
from pages.shared.training.live import LESSON_SECONDS, poll

SHORT_SECONDS = 0.4  # so long a page may wait without a word: no progress flashes up and goes

Report = Callable[[float, str], None]  # the share done, and what is under way; it ends what was cancelled


def draw_computed(
    selection: Selection,
    kind: str,
    key: tuple,
    compute: Callable[[Report], Any],
    draw: Callable[[Any], None],
    offer: str = "",
    help: str | None = None,
) -> None:
    """draw(compute(report)), or what stands in its place until there is a result.

    kind: names the computation; key: all that its result depends on besides the selected weights, which this adds;
    offer: the label of a button that begins it, for what takes more than about five seconds; "": it begins by itself.
    While the run trains on, and its current weights are looked into, a result stays until a click.
    """
    run, snapshot = selection.run, selection.snapshot
    key = (snapshot, *key)
    kept: tuple[tuple, BackgroundJob] | None = run.cache.get(kind)
    is_this = kept is not None and kept[0] == key
    follows = _follows(selection)
    if not is_this and not offer and not (follows and kept is not None):
        if kept is not None:
            kept[1].cancel()
        kept, is_this = _begin(selection, kind, key, compute), True
    if kept is None or (kept[1].done and (not is_this or kept[1].cancelled)):
        label, begin = offer or "Compute it again", (selection, kind, key, compute)
        st.button(label, f"{kind}_begin", help, _begin, begin, icon=":material/play_arrow:")
    if kept is not None and (is_this or follows):
        job = kept[1]
        active = not job.done
        poll(_draw, job, kind, draw, seconds=LESSON_SECONDS, active=active, has_changed=lambda: active and job.done)


def shown_snapshot(selection: Selection, kind: str) -> ModelSnapshot:
    """Whose weights the result is of that draw_computed leaves on the page: for what else is drawn of them."""
    kept = selection.run.cache.get(kind)
    return kept[0][0] if kept is not None and _follows(selection) else selection.snapshot


def _follows(selection: Selection) -> bool:
    """Whether the weights are others at every poll."""
    return selection.run.is_active and selection.step is None


def _begin(
    selection: Selection, kind: str, key: tuple, compute: Callable[[Report], Any]
) -> tuple[tuple, BackgroundJob]:
    job = BackgroundJob(lambda job: compute(job.report))
    selection.run.cache[kind] = key, job
    job.wait(SHORT_SECONDS)
    return key, job


def _draw(job: BackgroundJob, kind: str, draw: Callable[[Any], None]) -> None:
    job_row(job, f"{kind}_cancel")
    if job.done and job.cancelled:
        st.caption("Cancelled.")
    if job.result is not None:
        draw(job.result)
