"""Workspaces: found by their ids only, bounded in number, one run each; none that trains is ever dropped."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from lstm_core import workspace
from lstm_core.experiment import Experiment, PlaygroundError
from lstm_core.training.checkpoint import load_checkpoint, save_checkpoint
from lstm_core.workspace import RunManager, Workspace
from tests.data.test_windows import series, spec_of
from tests.runs.test_runs import ENDLESS, training_threads, until
from tests.training.test_trainer import flat_weights, trainer_of

TABLE = series(60)
LINE = ([0.25, 0.5], [3.0, 2.0])


def trained(epochs: int = ENDLESS, **train):
    """A trainer on TABLE that has made two steps."""
    spec = spec_of()
    trainer = trainer_of(workspace.make_windows(TABLE, spec), epochs=epochs, **train)
    next(trainer), next(trainer)
    return trainer


CHECKPOINT = load_checkpoint(save_checkpoint(trained(), {"train_loss": LINE}))


@pytest.fixture
def manager() -> Iterator[RunManager]:
    manager = RunManager(1)
    opened, plain_open = [], manager.open

    def open_and_keep() -> Workspace:
        opened.append(plain_open(TABLE, CHECKPOINT))
        return opened[-1]

    manager.new = open_and_keep
    yield manager
    for here in opened:
        if here.built_run is not None:
            here.built_run.stop()
    until(lambda: not training_threads())


def test_a_workspace_is_found_by_its_unguessable_id_only(manager):
    here = [manager.new() for _ in range(5)]
    assert len({workspace.id for workspace in here}) == 5
    assert all(len(workspace.id) >= 16 for workspace in here)
    assert all(manager.find(workspace.id) is workspace for workspace in here)
    for wrong in (None, "", "0", here[0].id[:-1]):
        assert manager.find(wrong) is None


def test_it_opens_on_the_trained_model_that_is_built_when_asked_for(manager):
    here = manager.new()
    assert here.built_run is None
    assert here.experiment == CHECKPOINT.experiment
    assert [part.tolist() for part in here.curves["train_loss"].points()] == list(LINE)
    assert here.built_run is None
    run = here.run
    assert here.run is here.built_run is run
    assert (run.status, run.step) == ("paused", 2)
    assert torch.equal(flat_weights(run._trainer), flat_weights(trained()))
    assert here.curves is run.curves
    assert [part.tolist() for part in here.curves["train_loss"].points()] == list(LINE)


def test_finding_a_workspace_is_a_look_at_its_run(manager):
    here = manager.new()
    here.run.seen = 0.0
    manager.find(here.id)
    assert here.run.seen > 0


def test_the_workspace_looked_at_longest_ago_goes_first(manager, monkeypatch):
    monkeypatch.setattr(workspace, "KEPT", 3)
    a, b, c = (manager.new() for _ in range(3))
    manager.find(a.id)
    d = manager.new()
    assert manager.find(b.id) is None
    assert all(manager.find(kept.id) is kept for kept in (a, c, d))


def test_a_workspace_whose_run_trains_is_never_dropped(manager, monkeypatch):
    monkeypatch.setattr(workspace, "KEPT", 2)
    busy = [manager.new() for _ in range(2)]
    for here in busy:
        here.run.play()
    new = manager.new()
    assert manager.find(new.id) is new  # nor is the newest, which somebody has just opened
    newer = manager.new()
    assert manager.find(new.id) is None
    assert all(manager.find(here.id) is here for here in (*busy, newer))
    busy[0].run.stop()
    manager.new()
    assert manager.find(busy[0].id) is None
    assert manager.find(busy[1].id) is busy[1]


def test_all_workspaces_share_the_places_for_runs(manager):
    first, second = manager.new(), manager.new()
    first.run.play()
    until(lambda: first.run.status == "running")
    second.run.play()
    until(lambda: second.run.queue_place == 1)
    first.run.pause()
    until(lambda: second.run.status == "running")


def test_a_fresh_run_ends_the_old_one(manager):
    here = manager.new()
    old = here.run
    old.play()
    until(lambda: old.step > 2)
    spec = dataclasses.replace(here.experiment, train=dataclasses.replace(here.experiment.train, lr=0.125))
    new = here.fresh_run(here.windows(), spec)
    assert (here.run, old.status, new.status) == (new, "stopped", "ready")
    assert here.experiment.train.lr == 0.125
    new.play()
    until(lambda: new.step > 2)
    assert len(training_threads()) == 1


def test_a_table_is_cut_once_until_something_changes(manager):
    here = manager.new()
    first = here.windows()
    assert here.windows() is first
    here.experiment = Experiment(data=spec_of())  # equal, and so nothing new
    assert here.windows() is first
    here.experiment = Experiment(data=replace(spec_of(), seq_len=5))
    second = here.windows()
    assert second.spec.seq_len == 5
    here.table = series(60)
    assert here.windows() is not second
    here.experiment = Experiment(data=spec_of(seq_len=500))
    with pytest.raises(PlaygroundError, match="seq_len 500"):
        here.windows()
