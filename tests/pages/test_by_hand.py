"""The LSTM by hand under its page's buttons: what is drawn is the model, and the course leads through a file."""

from __future__ import annotations

import json

import pytest

from lstm_core.data.number_format import format_number
from lstm_core.lessons.catalog.tutorials.by_hand.scalar_lstm import (
    TUTORIAL_END,
    TUTORIAL_START,
    ScalarLSTM,
    scalar_lstm_of,
)
from lstm_core.training.checkpoint import load_checkpoint
from pages.shared.components import unit_sliders
from pages.shared.lessons.widgets import by_hand
from pages.shared.session import state
from tests.pages.conftest import Visitor, open_lesson, wait_until

A, B = [0.0, 0.5, 0.25, 1.0], [1.0, 0.5, 0.25, 1.0]


@pytest.fixture
def tab(visit) -> Visitor:
    """The lesson as it opens."""
    return open_lesson(visit, "by_hand")


def drawn(tab: Visitor) -> dict:
    """The message to the component."""
    (result,) = (c.proto for c in tab.at.get("bidi_component") if c.proto.id.endswith("-by_hand"))
    return json.loads(result.json)


def says(tab: Visitor) -> list[str]:
    return [table["prediction"] for table in drawn(tab)["tables"]]


def test_it_opens_trained_with_every_sum_of_both_companies(tab):
    message, unit = drawn(tab), scalar_lstm_of(tab.training)
    assert tab.training.epoch == 5000
    assert message["numbers"] == list(unit.to_numbers())
    assert [gate["name"] for gate in message["gates"]] == ["i", "f", "g", "o"]
    assert [table["sequence"] for table in message["tables"]] == ["0, 0.5, 0.25, 1", "1, 0.5, 0.25, 1"]
    assert all(table["right"] and len(table["days"]) == 4 for table in message["tables"])
    step = unit.unroll(B)[2]
    day = message["tables"][1]["days"][2]
    assert (day["x"], day["h"]) == ("0.25", format_number(step.h_before, 3))
    assert day["gates"][1] == [
        f"σ({step.sum_text('f')})",
        f"= σ({format_number(step.gates['f'].total)})",
        format_number(step.gates["f"].value, 3),
    ]
    assert day["c"][2] == format_number(step.c, 3) and day["h_next"][2] == format_number(step.h, 3)
    assert says(tab) == [format_number(unit.predict(one), 3) for one in (A, B)]
    assert "computes the same" in tab.words()


def test_the_tutorials_numbers_go_into_the_model_and_stay(tab):
    tab.press("hand_end")
    assert scalar_lstm_of(tab.training).to_numbers() == pytest.approx(TUTORIAL_END.to_numbers())
    assert says(tab) == ["0.002", "0.969"]
    assert tab.training.step == 10_000
    assert says(tab.go("gates").go("lessons")) == ["0.002", "0.969"]


def test_train_save_resume_from_the_tutorials_start(tab, monkeypatch):
    monkeypatch.setattr(by_hand, "FIRST", 60)
    monkeypatch.setattr(by_hand, "ALL", 150)
    assert not tab.pressable("hand_resume")
    tab.press("hand_start")
    assert scalar_lstm_of(tab.training).to_numbers() == pytest.approx(TUTORIAL_START.to_numbers())
    assert tab.training.step == 0 and not tab.pressable("hand_save")
    tab.press("hand_train").finish()
    before = tab.training
    assert before.status == "paused" and before.epoch == 60
    tab.press("hand_save")
    file = session_file(tab)
    assert load_checkpoint(file).progress["step"] == 120
    tab.press("hand_resume").finish()
    assert tab.training is not before and tab.training.status == "finished"
    assert tab.training.epoch == 150
    assert "bit for bit the same" in tab.words()
    assert tab.training.curves["train_loss"].points()[0][[0, -1]].tolist() == [0.5, 150.0]


def session_file(tab: Visitor) -> bytes:
    return tab.at.session_state["_by_hand_file"]


def test_no_proof_is_claimed_where_the_numbers_were_moved_after_saving(tab, monkeypatch):
    monkeypatch.setattr(by_hand, "FIRST", 5)
    monkeypatch.setattr(by_hand, "ALL", 60)
    tab.press("hand_untrained").press("hand_train").finish().press("hand_save")
    saved = scalar_lstm_of(tab.training)
    tab.press("hand_end").press("hand_resume").finish()
    assert "Resumed from the file" not in tab.words()
    assert (
        max(abs(a - b) for a, b in zip(scalar_lstm_of(tab.training).to_numbers(), saved.to_numbers(), strict=True))
        < 0.2
    )


def test_a_trained_unit_begins_afresh_from_the_seed_of_the_page(tab, monkeypatch):
    monkeypatch.setattr(by_hand, "FIRST", 3)
    tab.set("lesson_seed", 4).press("hand_train").finish()
    assert tab.training.epoch == 3
    assert tab.training.experiment.model.seed == tab.training.experiment.train.seed == 4
    tab.press("hand_untrained")
    assert tab.training.step == 0 and tab.training.experiment.model.seed == 4
    assert drawn(tab)["numbers"] == list(scalar_lstm_of(tab.training).to_numbers())


def test_a_number_that_moves_pauses_the_run_and_moves_alone(tab, monkeypatch):
    workspace = tab.press("hand_untrained").workspace
    workspace.run.start()
    wait_until(lambda: workspace.run.step > 3, "it trained")
    monkeypatch.setattr(state, "workspace", lambda: workspace)
    monkeypatch.setattr(unit_sliders, "widget_value", lambda key: {"moved": {"count": 1, "numbers": {"4": -2.5}}})
    by_hand._moved()
    assert workspace.run.status == "paused"
    step, numbers = workspace.run.step, scalar_lstm_of(workspace.run).to_numbers()
    assert numbers[4] == -2.5 and max(map(abs, numbers)) == 2.5
    workspace.run.start(10)
    wait_until(lambda: not workspace.run.is_active, "ten more steps")
    assert workspace.run.step == step + 10
    assert scalar_lstm_of(workspace.run).to_numbers()[4] == pytest.approx(-2.5, abs=0.02)
    assert scalar_lstm_of(workspace.run) != ScalarLSTM.from_numbers(numbers)


def test_a_model_that_is_no_longer_one_unit_is_said_so_and_the_way_back_works(tab):
    tab.go("model").set("num_layers", 2).train(epochs=1).go("lessons")
    assert not [c for c in tab.at.get("bidi_component") if c.proto.id.endswith("-by_hand")]
    assert tab.words().count("no longer one LSTM unit") >= 2
    tab.press("lesson_shipped")
    assert says(tab) == ["0.001", "0.965"]
