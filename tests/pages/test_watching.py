"""Whose a run is: its owner's tabs change it, whoever else has the address watches; all outlive the server."""

from __future__ import annotations

import pytest

from lstm_core.workspace import WorkspaceStore
from pages.shared.session import state
from tests.pages.conftest import wait_until

ENDLESS = 1_000_000


@pytest.fixture
def as_browser(monkeypatch):
    """Who visits from now on."""
    return lambda name: monkeypatch.setattr(state, "owner", lambda: name * 64)


def test_whoever_has_the_address_watches_the_training_and_can_not_touch_it(visit, as_browser):
    as_browser("a")
    mine = visit("train").set("epochs", ENDLESS).press("train")
    run = mine.training
    wait_until(lambda: run.step > 3, "it trained")
    as_browser("b")
    other = visit("train", run=mine.id)
    assert "somebody else's run" in other.words()
    assert other.id != mine.id and other.training is not run and other.training.folder.id == run.folder.id
    for key in ("pause", "step", "stop"):
        assert not other.pressable(key)
    step = other.training.step
    wait_until(lambda: other.training.step > step, "the watcher saw it go on")
    other.set("lr", 0.5)
    assert other.workspace.experiment.train.lr == 0.5 and run.train_spec.lr != 0.5 and not other.errors()
    other.press("train")  # a run of their own
    assert other.training.folder.id != run.folder.id and run.is_active
    as_browser("a")
    assert mine.run().pressable("pause")
    mine.press("stop")
    assert run.status == "stopped" and other.training.is_active


def test_a_model_that_was_never_trained_here_is_copied(visit, as_browser):
    as_browser("a")
    mine = visit("gates")
    assert mine.training.folder is None
    as_browser("b")
    other = visit("gates", run=mine.id)
    assert other.training is not mine.training and other.training.step == mine.training.step
    other.go("train").press("reset")
    assert mine.training.step > 0 == other.training.step


def test_another_server_finds_the_run_again_by_its_address(visit, as_browser, monkeypatch):
    as_browser("a")
    mine = visit("train").set("epochs", ENDLESS).press("train")
    run = mine.training
    wait_until(lambda: run.step > 3, "it trained")
    mine.run()
    store = WorkspaceStore()
    monkeypatch.setattr(state, "workspace_store", lambda: store)  # as after a restart: nothing is in memory
    again = visit("train", run=mine.id)
    assert again.id == mine.id and again.training is not run and again.training.is_active
    assert again.widget("epochs").value == ENDLESS
    again.press("pause")
    wait_until(lambda: run.status == "paused", "the first server saw it")
    as_browser("b")
    stranger = visit("train", run=mine.id)
    assert stranger.training.watch_only


def test_an_invented_address_opens_the_example(visit):
    for name in ("../../etc/passwd", "x" * 16, "0" * 16):
        tab = visit("train", run=name)
        assert tab.id != name and "no longer on the server" in tab.words()
