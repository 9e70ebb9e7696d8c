"""A lesson as one HTML file: its text, formula, pictures and outcome, and the stage that it is given; no network.

Formulas are MathML, LinePlots are SVG, and Plotly's JavaScript goes along only where a picture needs it.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from lstm_core.experiment import PlaygroundError
from lstm_core.figures.lines import LinePlot
from lstm_core.figures.plot_svg import plot_svg
from lstm_core.figures.theme import FEATURE_COLORS
from lstm_core.lessons.figures import loss_plot
from lstm_core.lessons.lesson import Lesson, LessonFigure, Outcome
from lstm_core.lessons.paper_figures import card_parts
from lstm_core.lessons.seeds import seed_figure, shipped_trials, success_sentence
from lstm_core.lessons.take_along.markdown import formula_html, inline_html, markdown_html

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.runs.run import Run

_FILES = resources.files(__package__)
_LOSSES = LessonFigure("**How it learned**", "The loss: pale for each batch, strong for the validation set.", loss_plot)


def lesson_page(
    lesson: Lesson,
    runs: dict[str, Run],
    seed: int,
    change: Mapping[str, Mapping[str, Any]],
    stage: str = "",
    font: str = "",
) -> str:
    """The file's text, of runs that do not train at the moment.

    seed, change: what the runs were trained from; stage: a whole HTML page that plays by itself, or none; font: a
    style sheet with the font "Source Sans", or none.
    """
    figures = _Figures()
    drawn = [*lesson.figures, *([_LOSSES] if lesson.loss_figure else [])]
    if lesson.seed_dots is not None and (trials := shipped_trials(lesson.name)):
        title, caption = f"**From {len(trials)} seeds**", "A dot a seed, hollow where the goal was missed."
        drawn.append(LessonFigure(title, caption, lambda _: seed_figure(lesson)))
    pictures = [figures.add(one, runs) for one in drawn]
    parts = [
        f'<h1>{html.escape(lesson.title)}</h1>\n<p class="summary">{inline_html(lesson.summary)}</p>',
        _outcome(lesson, runs, seed, change),
        *pictures,
        _stage(stage),
        markdown_html(lesson.text),
        formula_html(lesson.formula, display=True) if lesson.formula else "",
        markdown_html(lesson.symbols) if lesson.symbols else "",
        _section("Common mistakes in tutorials", markdown_html(lesson.common_mistakes)),
        _section("Try it in LSTM Playground", _list(inline_html(one.text) for one in lesson.exercises)),
        _section("How often it works", markdown_html(f"{success_sentence(lesson)}\n\n{lesson.success_rate}")),
        _card(lesson) if lesson.card else "",
        _section("Sources", _list(html.escape(one, quote=False) for one in lesson.sources)),
        "<footer>From LSTM Playground. This file needs no network and no installation.</footer>",
    ]
    body = "\n".join(part for part in parts if part)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>{html.escape(lesson.title)}</title>
<style>
{font}
{_asset("page.css")}
</style>
</head>
<body>
{body}
{figures.scripts()}
</body>
</html>
"""


class _Figures:
    """The pictures of one page, of which Plotly's are drawn by a script at its end."""

    def __init__(self) -> None:
        self._plotly: dict[str, Any] = {}

    def add(self, figure: LessonFigure, runs: dict[str, Run]) -> str:
        try:
            drawing = figure.draw(runs)
        except PlaygroundError as error:  # an exercise's change may leave nothing to draw
            body = f'<p class="note">{html.escape(str(error))}</p>'
        else:
            body = plot_svg(drawing) if isinstance(drawing, LinePlot) else self._placeholder(drawing)
        title, caption = inline_html(figure.title), inline_html(figure.caption)
        return f"<figure>\n<p>{title}</p>\n{body}\n<figcaption>{caption}</figcaption>\n</figure>"

    def _placeholder(self, drawing: go.Figure) -> str:
        name = f"figure-{len(self._plotly)}"
        self._plotly[name] = drawing.to_json()
        return f'<div class="plotly" id="{name}" style="height: {drawing.layout.height or 400}px"></div>'

    def scripts(self) -> str:
        if not self._plotly:
            return ""
        from plotly.offline import get_plotlyjs

        figures = ", ".join(f"{json.dumps(name)}: {text}" for name, text in self._plotly.items())
        script = _asset("page.js").replace("COLORS", json.dumps(list(FEATURE_COLORS)))
        return "\n".join(
            (
                f"<script>{_in_script(get_plotlyjs())}</script>",
                f'<script type="application/json" id="figures">{{{_no_tags(figures)}}}</script>',
                f"<script>{script}</script>",
            )
        )


def _outcome(lesson: Lesson, runs: dict[str, Run], seed: int, change: Mapping[str, Mapping[str, Any]]) -> str:
    if lesson.outcome is None or any(run.step == 0 for run in runs.values()):
        return '<p class="note">Not trained yet: the pictures are of untrained models.</p>'
    outcome: Outcome = lesson.outcome(runs)
    changed = ", ".join(f"{name} = {value}" for fields in change.values() for name, value in fields.items())
    how = f"<strong>Seed {seed}.</strong>" + (f" With {html.escape(changed)}." if changed else "")
    kind = "outcome reached" if outcome.reached else "outcome"
    return f'<p class="{kind}">{how} {html.escape(outcome.summary, quote=False)}</p>'


def _stage(page: str) -> str:
    """In a frame of its own: its style sheets and scripts are meant for a whole page."""
    if not page:
        return ""
    frame = f'<iframe title="The stage" allow="fullscreen" srcdoc="{html.escape(page)}"></iframe>'
    played = "Play one sequence step by step: Space plays, ← and → step, and the unit can be chosen."
    return f'<section class="stage">\n<h2>On the stage</h2>\n<p class="note">{played}</p>\n{frame}\n</section>'


def _card(lesson: Lesson) -> str:
    paper = lesson.card.paper
    who = f"{html.escape(paper.who)} ({paper.year}), <em>{html.escape(paper.title)}</em>, {html.escape(paper.where)}"
    parts = "\n".join(
        f"<p><strong>{title}.</strong> {inline_html(text)}</p>" for title, text in card_parts(lesson).items()
    )
    return (
        f'<section class="card">\n<h2>The paper</h2>\n<p>{who}</p>\n{parts}\n'
        f"<pre><code>{html.escape(paper.bibtex, quote=False)}</code></pre>\n</section>"
    )


def _section(title: str, body: str) -> str:
    return f"<section>\n<h2>{title}</h2>\n{body}\n</section>" if body else ""


def _list(items: Any) -> str:
    texts = [f"<li>{item}</li>" for item in items]
    return f"<ul>{''.join(texts)}</ul>" if texts else ""


def _no_tags(text: str) -> str:
    """JSON in which no name can begin a tag."""
    return text.replace("<", "\\u003c")


def _in_script(text: str) -> str:
    """JavaScript in which no string ends the script element."""
    return text.replace("</script", "<\\/script")


@cache
def _asset(name: str) -> str:
    return _FILES.joinpath(name).read_text(encoding="utf-8")
