"""One run of the list as HTML: its loss, what it is of, its test score beside the best baseline, and its state."""

from __future__ import annotations

import base64
import datetime
import html
import time
from collections.abc import Sequence

import numpy as np

from lstm_core.data.number_format import format_duration, format_percent, format_significant
from lstm_core.figures.theme import TRAIN_COLOR, VALID_COLOR
from lstm_core.figures.thumbnail import thumbnail_svg
from lstm_core.forecasting.scores import BASELINE_NAMES
from lstm_core.runs.compare import best_baseline, measure_of, test_score
from lstm_core.runs.loss_thumbnail import LossThumbnail
from lstm_core.runs.shelf import RunSummary

STYLE = """<style>
.run-line { display: grid; grid-template-columns: 5.5rem minmax(10rem, 1.5fr) minmax(8.5rem, 1fr) 6.3rem;
  gap: .1rem .9rem; align-items: center; }
.run-line > * { min-width: 0; overflow-wrap: anywhere; }
.run-loss { width: 5.5rem; height: 2.2rem; display: block; }
.run-name, .run-note { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.run-name { font-weight: 600; line-height: 1.3; }
.run-pin { font-size: .75rem; font-weight: 600; padding: 0 .4rem; border-radius: .3rem;
  border: 1px solid currentColor; }
.run-small { font-size: .82rem; line-height: 1.35; opacity: .85; }
.run-state { justify-self: end; font-size: .85rem; font-weight: 600; padding: .1rem .55rem; border-radius: 1rem;
  color: var(--run-text); border: 1px solid var(--run-text); white-space: nowrap; }
.run-Training { --run-text: light-dark(#177233, #5FD07F); }
.run-Queued, .run-Paused { --run-text: light-dark(#8A5300, #F0B04F); }
.run-Finished { --run-text: light-dark(#0B5FA5, #7CBDF5); }
.run-Stopped { --run-text: light-dark(#5A5A5A, #BDBDBD); }
.run-Failed, .run-Interrupted { --run-text: light-dark(#B3261E, #FF8A80); }
@container (max-width: 620px) {
  .run-line { grid-template-columns: 6.4rem minmax(8rem, 1fr); }
  .run-score { grid-column: 2; grid-row: 2; }
  .run-state { grid-column: 1; grid-row: 2; justify-self: start; }
}
.st-key-run_rows [data-testid="stHtml"] { container-type: inline-size; }
.st-key-run_rows { gap: .4rem; }
[class*="st-key-run_row_"] { padding: .3rem .7rem; gap: .6rem; }
[class*="st-key-run_row_"] button { padding-left: .6rem; padding-right: .6rem; }
[class*="st-key-run_row_"] [data-testid="stCheckbox"] label { padding: .4rem .1rem; }
</style>"""


def run_line(run: RunSummary, is_here: bool) -> str:
    """is_here: it is the tab's own run, which the other pages show."""
    pin = '<span class="run-pin">pinned</span> ' if run.is_pinned else ""
    here = " · <b>shown in this tab</b>" if is_here else ""
    lines = [f'<div class="run-name">{shown(run.title)}</div>']
    if run.name:
        lines.append(f'<div class="run-small">{shown(f"{run.data_title} · {run.model_title}")}</div>')
    lines.append(f'<div class="run-small">{pin}{html.escape(" · ".join(_facts(run)))}{here}</div>')
    if run.message and run.state in ("Failed", "Interrupted"):
        lines.append(f'<div class="run-small">{shown(run.message)}</div>')
    if run.note:
        first, _, rest = run.note.partition("\n")
        begin = first[:120] + ("…" if rest or len(first) > 120 else "")
        lines.append(f'<div class="run-small run-note"><i>{shown(begin)}</i></div>')
    return (
        f'<div class="run-line">{_picture(run.loss)}<div>{"".join(lines)}</div>'
        f'<div class="run-score">{_score(run)}</div>'
        f'<span class="run-state run-{run.state}">{run.state}</span></div>'
    )


def shown(text: str) -> str:
    """Text from outside: as it is, whatever direction it is written in."""
    return f"<bdi>{html.escape(text)}</bdi>"


def _facts(run: RunSummary) -> list[str]:
    facts = [when(run.created)]
    if run.epochs is not None and run.total_epochs:
        facts.append(f"epoch {int(run.epochs):,} of {max(int(run.epochs), run.total_epochs):,}")
    elif run.step:
        facts.append(f"step {run.step:,}")
    if run.seconds:
        facts.append(format_duration(run.seconds) if run.seconds >= 1 else "under 1 s")
    return facts


def when(created: float) -> str:
    """A Unix time as this machine's clock shows it."""
    at, today = datetime.datetime.fromtimestamp(created), datetime.date.fromtimestamp(time.time())
    days = (today - at.date()).days
    if days in (0, 1):
        return f"{('today', 'yesterday')[days]} {at:%H:%M}"
    return f"{at.day} {at:%b %H:%M}" if at.year == today.year else f"{at.day} {at:%b %Y}"


def score_texts(run: RunSummary) -> tuple[str, str]:
    """("RMSE 14.2", "24 % below persistence (18.7)"); "" where it is not known."""
    value = test_score(run.score)
    if value is None:
        return "", ""
    is_share = measure_of(run.score) == "accuracy"
    text = f"{format_percent(value)} right" if is_share else f"RMSE {format_significant(value, 4)}"
    if run.score.get("step") not in (None, run.step):
        text += f" at step {run.score['step']:,}" if isinstance(run.score["step"], int) else ""
    best = best_baseline(run.score)
    return text, "" if best is None else beside(value, *best, is_share)


def beside(value: float, name: str, best: float, is_share: bool) -> str:
    """How a score compares with the best simple answer's."""
    title = BASELINE_NAMES.get(name, name).partition(" (")[0]
    if is_share:
        return f"{title}: {format_percent(best)}"
    known = f"{title} ({format_significant(best, 4)})"
    ratio = value / best if best else float("inf")
    if abs(ratio - 1) < 0.005:
        return f"the same as {known}"
    if ratio < 2:
        return f"{format_percent(abs(1 - ratio), 0)} {'below' if ratio < 1 else 'above'} {known}"
    return f"{format_significant(ratio, 2)} times {known}" if np.isfinite(ratio) else f"above {known}"


def _score(run: RunSummary) -> str:
    value, against = score_texts(run)
    if not value:
        return '<div class="run-small">no test score yet</div>'
    return f"<div>{html.escape(value)}</div>" + f'<div class="run-small">{html.escape(against)}</div>'


def _picture(loss: LossThumbnail) -> str:
    lines = [(np.log(line[line > 0]), color) for line, color in ((loss.train, TRAIN_COLOR), (loss.valid, VALID_COLOR))]
    drawn = [(line, color) for line, color in lines if len(line) > 1]
    if not drawn:
        return '<div class="run-small">no loss yet</div>'
    svg = thumbnail_svg([line for line, _ in drawn], [color for _, color in drawn])
    data = base64.b64encode(svg.encode()).decode()
    return f'<img class="run-loss" alt="training and validation loss" src="data:image/svg+xml;base64,{data}">'


def table(corner: str, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    """A table as HTML; columns, the rows' names and all cells are HTML already."""
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    body = "".join(
        f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>' for name, cells in rows
    )
    return f'<table class="run-table"><thead><tr><th>{corner}</th>{head}</tr></thead><tbody>{body}</tbody></table>'
