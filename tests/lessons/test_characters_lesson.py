"""The character model's lesson, trained shorter, and as it ships."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.data.samples.book import load_book
from lstm_core.lessons import get_lesson
from lstm_core.lessons.catalog.characters.lesson import BIT, tracking_units, unseen
from lstm_core.lessons.catalog.characters.text import text_features, unit_activations
from lstm_core.lessons.runs import new_runs, train_to_end, with_change
from tests.lessons.shipped import shipped_runs

LESSON = get_lesson("characters")


@pytest.fixture(scope="module")
def shipped():
    return shipped_runs("characters")


@pytest.mark.slow
def test_two_epochs_from_another_seed_beat_the_table_of_pairs():
    runs = new_runs(LESSON, 5, {"train": {"epochs": 2}})
    train_to_end(runs)
    outcome = LESSON.outcome(runs)
    assert not outcome.reached  # 26 epochs get there
    assert outcome.metrics["bits"] < outcome.metrics["bigram"] < outcome.metrics["unigram"]


def test_what_ships_has_reached_its_figure_and_says_so(shipped):
    outcome = LESSON.outcome(shipped)
    assert outcome.reached and outcome.metrics["bits"] < 2.35
    by_hand = shipped["lstm"]._mirror.current.evaluate("test") / BIT
    assert outcome.metrics["bits"] == pytest.approx(by_hand)
    assert outcome.summary.startswith(f"{by_hand:.2f} bits per character on the last tenth of the book")
    assert outcome.metrics["quotes"] > 0.8


def test_the_unseen_pages_are_the_last_fifth_of_the_book(shipped):
    text = unseen(shipped["lstm"])
    assert text in load_book() and len(text) == pytest.approx(0.2 * len(load_book()), rel=0.01)


def test_the_picture_shows_the_found_unit_turning_with_the_quotes(shipped):
    plot = LESSON.figures[1].draw(shipped)
    inside, i_g, f, c = (line.y for line in plot.lines)
    assert np.corrcoef(inside, c)[0, 1] > 0.7  # the grey line is turned as the unit is
    np.testing.assert_allclose(c[1:], f[1:] * c[:-1] + i_g[1:], atol=1e-5)  # c_t = f c_{t-1} + i g
    model, matches = tracking_units(shipped["lstm"], "c")
    quotes = matches["inside quotes"]
    assert plot.lines[3].name == f"c of unit {quotes.unit}"
    text = unseen(shipped["lstm"])[:2000]
    again = np.corrcoef(text_features(text)["inside quotes"], unit_activations(model, text)["c"][quotes.unit])[0, 1]
    assert again * quotes.score > 0.4


def test_bits_are_the_loss_over_ln_2_beside_both_tables(shipped):
    training, alone, pairs, valid = LESSON.figures[0].draw(shipped).lines
    assert training.y[0] > alone.y[0] > pairs.y[0] > valid.y[-1]
    last = shipped["lstm"].curves["valid_loss"].points()[1][-1]
    assert valid.y[-1] * BIT == pytest.approx(last)


def test_every_try_is_an_experiment_that_can_be_made():
    for one in LESSON.exercises:
        assert with_change(LESSON.experiments["lstm"], one.change)
