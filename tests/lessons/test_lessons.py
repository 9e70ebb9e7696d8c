"""Every lesson: complete, shipped as trained, drawn from any seed; the shelf opens without torch."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import plotly.graph_objects as go
import pytest

from lstm_core.experiment import PlaygroundError
from lstm_core.figures.lines import LinePlot
from lstm_core.lessons import get_lesson, lessons, next_lesson
from lstm_core.lessons.catalog import MODULES
from lstm_core.lessons.lesson import CHAPTERS, EVENINGS, PRETRAINED, Lesson
from lstm_core.lessons.runs import new_runs, pretrained, with_change, with_seed
from lstm_core.runs.run import Run
from tests.conftest import quick
from tests.lessons.shipped import shipped_runs

ROOT = Path(__file__).parents[2]
every = pytest.mark.parametrize("name", lessons())
TRAINED = [name for name, found in lessons().items() if found.experiments]
trained = pytest.mark.parametrize("name", TRAINED)
SHIPPED_WITH = {"exploding": {"cliff.safetensors"}, "forget_bias": {"length_10", "length_20", "length_100"}}


def test_the_shelf_is_in_order_and_has_every_file():
    assert len(set(MODULES.values())) == len(lessons())
    files = [
        path for path in (ROOT / "lstm_core/lessons/catalog").rglob("*.py") if "LESSON = Lesson(" in path.read_text()
    ]
    assert len(files) == len(lessons())
    assert [*dict.fromkeys(found.chapter for found in lessons().values())] == list(CHAPTERS)


def test_the_shelf_is_a_course_in_which_each_lesson_builds_on_earlier_ones():
    names = list(lessons())
    evenings = [found.evening for found in lessons().values()]
    assert evenings == sorted(evenings) and set(evenings) == set(EVENINGS)
    for name, found in lessons().items():
        assert all(names.index(before) < names.index(name) for before in found.after), name
        assert bool(found.after) == (name != names[0])
        assert 1 <= found.minutes <= 20
        assert bool(found.train_seconds) == bool(found.experiments), "measured where something is trained"
    following = [next_lesson(name) for name in names]
    assert [found.name if found else None for found in following] == [*names[1:], None]


def test_an_unknown_lesson_is_refused_in_one_sentence():
    with pytest.raises(PlaygroundError, match="no lesson of that name"):
        get_lesson("../first_lstm")


@every
def test_a_lesson_says_what_a_student_needs(name):
    found = lessons()[name]
    assert 3 <= len(found.title) <= 48 and 20 <= len(found.summary) <= 110
    assert 60 <= len(found.text.split()) <= 260, "short, but not a stub"
    assert found.sources
    assert found.figures or found.widget
    if found.experiments:
        assert found.outcome is not None and found.seed_dots is not None
        assert 2 <= len(found.exercises) <= 4
    if found.chapter == "Papers":
        assert found.card is not None


@every
def test_markdown_of_a_lesson_is_closed(name):
    found = lessons()[name]
    for text in (found.text, found.common_mistakes, *(one.text for one in found.exercises)):
        assert text.count("**") % 2 == 0 and text.count("`") % 2 == 0 and text.replace("\\$", "").count("$") % 2 == 0


@every
def test_the_thumbnail_is_a_small_drawing_of_shapes_only(name):
    text = lessons()[name].thumbnail
    assert len(text) < 60_000
    kinds = {re.sub("{.*}", "", element.tag) for element in ElementTree.fromstring(text).iter()}
    assert kinds <= {"svg", "polyline", "rect"} and len(kinds) > 1


@trained
def test_what_ships_is_the_lessons_own_experiments_trained_to_their_end(name):
    found = lessons()[name]
    files = {entry.name for entry in PRETRAINED.joinpath(name).iterdir()}
    assert files - SHIPPED_WITH.get(name, set()) == {
        *(f"{label}.safetensors" for label in found.experiments),
        "thumbnail.svg",
        "seeds.jsonl",
    }
    runs = shipped_runs(name)
    for label, planned in found.experiments.items():
        run = runs[label]
        made = with_seed(planned, found.seed)
        assert (run.experiment.model, run.experiment.train) == (made.model, made.train)
        assert run.finished or run.experiment.train.max_grad_norm == 0, "stopped before its end"
    assert pretrained(found)[0].name == next(iter(runs.values())).table.name


@trained
def test_what_ships_has_come_to_the_stated_result(name):
    found = lessons()[name]
    outcome = found.outcome(shipped_runs(name))
    assert outcome.reached, outcome.summary
    assert all(np.isfinite(figure) for figure in outcome.metrics.values())


def draw_all(found: Lesson, runs: dict[str, Run]) -> None:
    for picture in found.figures:
        drawn = picture.draw(runs)
        assert isinstance(drawn, LinePlot | go.Figure), picture.title
        if isinstance(drawn, LinePlot):
            assert drawn.lines and all(len(line.x) == len(line.y) for line in drawn.lines)
            assert all(np.isfinite(line.x).all() for line in drawn.lines)
        else:
            titles = [axis.title.text for axis in drawn.select_xaxes()]
            if "step" in titles:  # steps count from 1 on every page
                assert min(0 if line.x is None else min(line.x) for line in drawn.data) == 1, picture.title


@trained
def test_every_picture_is_drawn_of_the_shipped_model(name):
    found = lessons()[name]
    draw_all(found, shipped_runs(name))


@pytest.mark.parametrize("name", quick(TRAINED, "minibatches", "exploding", "embedded_reber", "characters"))
def test_every_picture_is_drawn_of_a_model_that_has_hardly_begun(name):
    """As the page does right after a click on Train it yourself, on a seed of the person's own."""
    found = lessons()[name]
    runs = new_runs(found, 5)
    draw_all(found, runs)
    for run in runs.values():
        run.train_here(1)
    draw_all(found, runs)
    found.outcome(runs)


@trained
def test_every_try_is_a_change_that_the_experiments_take(name):
    found = lessons()[name]
    for one in found.exercises:
        then = [with_change(experiment, one.change) for experiment in found.experiments.values()]
        assert one.change == {} or then != list(found.experiments.values())


def test_the_shelf_opens_without_torch_or_plotly():
    code = "import sys; from lstm_core.lessons import lessons; lessons(); "
    code += "print(*{'torch', 'plotly', 'streamlit'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
