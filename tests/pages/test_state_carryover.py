"""The lesson of h and c on its page, and the choice of the first state on Train."""

from __future__ import annotations

import numpy as np

from tests.pages.conftest import open_lesson


def opened(visit):
    return open_lesson(visit, "state_life")


def lines(figure: dict) -> list[dict]:
    return [trace for trace in figure["data"] if trace["type"] == "scatter"]


def test_it_opens_trained_and_shows_every_way(visit):
    tab = opened(visit)
    assert tab.at.title[0].value == "The life of h and c"
    assert "0.010 carried" in tab.at.success[-1].value.replace("\\", "")
    figure = tab.figure("state_life")
    assert len(lines(figure)) == 4 * 3 and sum(trace["type"] == "bar" for trace in figure["data"]) == 4
    tab.set("state_shown", "prediction").set("state_first", 7)
    assert [trace["name"] for trace in lines(tab.figure("state_life"))] == ["target", "prediction"] * 4
    bars = tab.figure("lesson_state_life_0")["data"]
    assert [bar["name"] for bar in bars] == ["zero", "random", "carried"]


def test_pytorchs_own_errors_stand_on_it_with_what_they_mean(visit):
    tab = opened(visit)
    errors = [box.value for box in tab.at.code][1::2]  # under each piece of code what came of it
    assert errors[0].startswith("RuntimeError: Trying to backward through the graph a second time")
    assert errors[1].startswith("RuntimeError: one of the variables needed for gradient computation has been modified")
    assert errors[2] == "No error."
    assert "reaches 1 step, not 11" in tab.words()
    assert "| `h_0` | `(2, 16, 20)` | `(2, 16, 20)` |" in tab.markdown()
    assert "**the same to the last bit**" in tab.markdown()


def test_a_model_trains_with_a_carried_state_from_the_page_train(visit):
    tab = visit("train")
    tab.set("initial_state", "stateful").set("batch_size", 2).set("epochs", 2)
    tab.press("train").finish()
    run = tab.training
    assert run.status == "finished" and run.experiment.train.initial_state == "stateful"
    assert np.isfinite(run.curves["valid_loss"].points()[1]).all()


def test_what_cannot_be_carried_is_said_in_one_sentence(visit):
    tab = visit("train")
    before = tab.training
    tab.set("initial_state", "stateful").set("batch_size", 5000).press("train")
    assert any("fewer than batch_size 5000" in error for error in tab.errors())
    assert tab.training is before
