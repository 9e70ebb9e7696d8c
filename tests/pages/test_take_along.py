"""Take along: the menu's two files, of the lesson as it is at the moment, and where there is none."""

from __future__ import annotations

import html
import json
import re

import pytest

from lstm_core.lessons import get_lesson, lessons
from lstm_core.lessons.paper_figures import card_parts
from lstm_core.lessons.take_along import NOTEBOOKS
from tests.conftest import quick
from tests.pages.conftest import open_lesson

TRAINED = [name for name, lesson in lessons().items() if lesson.experiments]


def test_both_files_are_made_of_the_lesson_as_it_is(visit, downloads):
    tab = open_lesson(visit, "by_hand")
    assert not {"by_hand.html", "by_hand.ipynb"} & downloads.keys(), "made when they are asked for"
    tab.press("make_page")
    page = downloads["by_hand.html"]().decode()
    assert "Seed 0." in page and html.escape(get_lesson("by_hand").title) in page
    (stage,) = re.findall(r'srcdoc="([^"]*)"', page)
    assert 'import { Stage } from "lstm/stage/main.js"' in html.unescape(stage)
    tab.press("make_notebook")
    notebook = json.loads(downloads["by_hand.ipynb"]())
    assert "seed 0" in "".join(notebook["cells"][0]["source"])


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_every_lesson_that_trains_can_be_taken_along(visit, downloads, name):
    tab = open_lesson(visit, name).press("make_page")
    page = downloads[f"{name}.html"]().decode()
    assert not tab.errors() and len(page) < 8_000_000
    assert ("<iframe" in page) == (tab.workspace.lesson.lstm_run is not None)
    assert tab.pressable("make_notebook") if name in NOTEBOOKS else "make_notebook" not in str(tab.at.main)


@pytest.mark.parametrize("name", quick(["shapes", "claims"], "shapes"))
def test_a_lesson_that_trains_nothing_has_no_menu(visit, name):
    assert "make_page" not in {button.key for button in open_lesson(visit, name).at.button}


def test_after_settings_that_no_notebook_can_train_it_is_told_why(visit):
    tab = open_lesson(visit, "by_hand")
    tab.workspace.lesson.train(0, {"train": {"weight_decay": 0.1, "epochs": 1}})
    tab.finish()
    tab.run()
    assert "weight_decay" in " ".join(caption.value for caption in tab.at.caption)
    assert "make_notebook" not in {button.key for button in tab.at.button}


def test_the_card_of_a_paper_shows_both_sides_and_its_citation(visit):
    tab, card = open_lesson(visit, "adding_problem"), get_lesson("adding_problem").card
    assert card.rule in tab.markdown() and card_parts(get_lesson("adding_problem"))["Here"] in tab.markdown()
    assert [code.value for code in tab.at.code] == [card.paper.bibtex]
    assert not open_lesson(visit, "first_lstm").at.code
