"""The character model's lesson, trained shorter, and as it ships."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.data.samples.book import book
from lstm_core.lessons import get_lesson
from lstm_core.lessons.catalog.characters.lesson import BIT, found, unseen
from lstm_core.lessons.catalog.characters.text import signals, unit_values
from lstm_core.lessons.runs import changed, fresh_runs, shipped_runs, train_now
from lstm_core.runs.queue import Slots

LESSON = get_lesson("characters")


@pytest.fixture(scope="module")
def shipped():
    return shipped_runs(LESSON, Slots(1))


@pytest.mark.slow
def test_two_epochs_from_another_seed_beat_the_table_of_pairs():
    runs = fresh_runs(LESSON, 5, Slots(1), {"train": {"epochs": 2}})
    train_now(runs)
    outcome = LESSON.outcome(runs)
    assert not outcome.reached  # 26 epochs get there
    assert outcome.figures["bits"] < outcome.figures["bigram"] < outcome.figures["unigram"]


def test_what_ships_has_reached_its_figure_and_says_so(shipped):
    outcome = LESSON.outcome(shipped)
    assert outcome.reached and outcome.figures["bits"] < 2.35
    by_hand = shipped["lstm"]._trainer.evaluate("test") / BIT
    assert outcome.figures["bits"] == pytest.approx(by_hand)
    assert outcome.sentence.startswith(f"{by_hand:.2f} bits per character on the last tenth of the book")
    assert outcome.figures["quotes"] > 0.8


def test_the_unseen_pages_are_the_last_fifth_of_the_book(shipped):
    text = unseen(shipped["lstm"])
    assert text in book() and len(text) == pytest.approx(0.2 * len(book()), rel=0.01)


def test_the_picture_shows_the_found_unit_turning_with_the_quotes(shipped):
    plot = LESSON.pictures[1].draw(shipped)
    inside, i_g, f, c = (line.y for line in plot.lines)
    assert np.corrcoef(inside, c)[0, 1] > 0.7  # the grey line is turned as the unit is
    np.testing.assert_allclose(c[1:], f[1:] * c[:-1] + i_g[1:], atol=1e-5)  # c_t = f c_{t-1} + i g
    model, trackers = found(shipped["lstm"], "c")
    quotes = next(one for one in trackers if one.signal == "inside quotes")
    assert plot.lines[3].name == f"c of unit {quotes.unit}"
    text = unseen(shipped["lstm"])[:2000]
    again = np.corrcoef(signals(text)["inside quotes"], unit_values(model, text)["c"][quotes.unit])[0, 1]
    assert again * quotes.correlation > 0.4


def test_bits_are_the_loss_over_ln_2_beside_both_tables(shipped):
    training, alone, pairs, valid = LESSON.pictures[0].draw(shipped).lines
    assert training.y[0] > alone.y[0] > pairs.y[0] > valid.y[-1]
    last = shipped["lstm"].curves["valid_loss"].points()[1][-1]
    assert valid.y[-1] * BIT == pytest.approx(last)


def test_every_try_is_an_experiment_that_can_be_made():
    for one in LESSON.tries:
        assert changed(LESSON.experiments["lstm"], one.change)
