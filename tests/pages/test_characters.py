"""The character model's lesson without a browser: its texts, its coloured page, and what a person may type."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.data.samples.book import ALPHABET
from lstm_core.lessons.catalog.characters.text import generate
from tests.pages.conftest import Visitor, open_lesson


@pytest.fixture
def lesson(visit) -> Visitor:
    return open_lesson(visit, "characters")


def texts(tab: Visitor) -> list[str]:
    return [element.value for element in tab.at.get("text")]


def page(tab: Visitor) -> tuple[dict, np.ndarray]:
    """(header, (units, characters)) of the coloured page."""
    header, data = tab.component("coloured")
    return header, np.frombuffer(data, "<f4").reshape(header["units"], -1)


def test_it_opens_with_what_the_trained_model_writes_and_wrote_before(lesson):
    now, before, early = texts(lesson)
    assert now == "alice " + generate(lesson.training.current_model(), "alice ", len(now) - 6, 0.5, 0)
    assert len({now[:60], before[:60], early[:60]}) == 3
    for name in ("now", "before training", "early"):
        assert f"What it writes {name}" in lesson.markdown()
    assert now.count(" the ") > before.count(" the ")


def test_temperature_seed_and_beginning_change_the_text(lesson):
    model = lesson.training.current_model()
    for key, value, arguments in (
        ("temperature", 0.0, ("alice ", 0.0, 0)),
        ("text_seed", 5, ("alice ", 0.0, 5)),
        ("temperature", 1.0, ("alice ", 1.0, 5)),
        ("begin", 'The "Queen', ("the “queen", 1.0, 5)),
    ):
        lesson.set(key, value)
        begin, temperature, seed = arguments
        now = texts(lesson)[0]
        assert now == begin + generate(model, begin, len(now) - len(begin), temperature, seed)
    at_a_lines_start = generate(model, "\n", 500, 1.0, 5)
    assert at_a_lines_start.strip().startswith(texts(lesson.set("begin", ""))[0][:400])


def test_the_held_quote_unit_opens_quotes_or_closes_them(lesson):
    free = texts(lesson)[0]
    outside = texts(lesson.set("held", "held as outside"))[0]
    assert outside.count("“") > 2 * outside.count("”") and outside != free
    assert f"{outside.count('“')} “ and {outside.count('”')} ” in 500 characters" in lesson.markdown()
    inside = texts(lesson.set("held", "held as inside quotes"))[0]
    assert inside.count("”") > inside.count("“")
    assert texts(lesson.set("held", "as it goes"))[0] == free


def test_a_beginning_of_unknown_characters_gets_one_sentence_and_no_text(lesson, subtests: pytest.Subtests):
    for typed in ("<b>9</b>", "naïve", "$x$ ![](http://a)", "\u202e"):
        with subtests.test(typed):
            lesson.set("begin", typed)
            (error,) = lesson.errors()
            assert error.startswith("The model does not know") and error.endswith("( ) “ ”.")
            assert "<b>" not in lesson.markdown() and "![" not in lesson.markdown()
            assert texts(lesson) == []
            assert len(page(lesson)[0]["text"]) > 100  # the other instrument goes on
            assert texts(lesson.set("begin", "the "))[0].startswith("the ") and not lesson.errors()


def test_the_coloured_page_has_every_units_value_at_each_character_and_the_units_found(lesson):
    header, values = page(lesson)
    words = header["text"]
    assert set(words) <= set(ALPHABET) and "“" in words and "(" in words
    assert values.shape == (lesson.training.experiment.model.hidden_size, len(words))
    assert header["name"] == "c" and header["signed"]
    result = {one["signal"]: one for one in header["matches"]}
    assert list(result) == ["inside quotes", "inside brackets", "inside a word", "position in the line"]
    quotes = result["inside quotes"]
    assert abs(quotes["correlation"]) > 0.8
    inside = np.zeros(len(words))
    for k, sign in enumerate(words):
        inside[k] = {"“": 1, "”": 0}.get(sign, inside[k - 1] if k else 0)
    correlation = np.corrcoef(values[quotes["unit"]], inside)[0, 1]
    assert correlation * quotes["correlation"] > 0.5  # on this page, too


def test_another_gate_and_a_text_of_ones_own(lesson):
    lesson.set("coloured_by", "f")
    header, values = page(lesson)
    assert (header["name"], header["signed"]) == ("f", False)
    assert values.min() >= 0 and values.max() <= 1
    lesson.set("typed", 'She said: "No')
    header, values = page(lesson)
    assert header["text"] == "she said: “no" and values.shape[1] == 13
    lesson.set("typed", "7 cats")
    assert page(lesson)[0]["text"] != "7 cats"  # the book's page again
    assert lesson.errors() == [
        "The model does not know '7': use the letters a to z, spaces, line ends and ' , . ! ? : ; - ( ) “ ”."
    ]


@pytest.mark.slow
def test_the_texts_follow_the_training(lesson):
    shown = texts(lesson)[0]
    lesson.press("train")
    lesson.press("pause")
    assert texts(lesson)[0] != shown
    tab, snapshot = lesson, lesson.training.snapshot_at()
    now = texts(tab.run())[0]
    assert now == "alice " + generate(snapshot.model, "alice ", len(now) - 6, 0.5, 0)
    lesson.press("lesson_shipped")
    assert texts(lesson)[0] == shown


def test_a_model_that_cannot_write_is_told_so(lesson):
    lesson.workspace.change("model", bidirectional=True)
    lesson.workspace.start_training()
    assert "Only an LSTM that reads forwards can write" in lesson.run().words()
    assert texts(lesson) == []


def test_the_other_pages_show_the_lessons_model(lesson, subtests: pytest.Subtests):
    for name in ("data", "model", "train", "gates", "stage"):
        with subtests.test(name):
            lesson.go(name)
            assert not lesson.errors()
            assert lesson.workspace.experiment.data.name == "alice"
