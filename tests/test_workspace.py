"""Workspaces: found by their ids only, bounded in number, one run each; none that trains is ever dropped."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from lstm_core import workspace
from lstm_core.experiment import Experiment, PlaygroundError, TrainSpec
from lstm_core.runs import pool
from lstm_core.training.checkpoint import load_checkpoint, save_checkpoint
from lstm_core.workspace import Workspace, WorkspaceStore
from tests.factories import ENDLESS, flat_weights, runs_at_work, series, spec_of, trainer_of, until

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
def manager() -> Iterator[WorkspaceStore]:
    manager = WorkspaceStore()
    opened, plain_open = [], manager.create

    def open_and_keep() -> Workspace:
        opened.append(plain_open(TABLE, CHECKPOINT))
        return opened[-1]

    manager.new = open_and_keep
    yield manager
    for current in opened:
        if current.loaded_run is not None:
            current.loaded_run.stop()
    until(lambda: not runs_at_work())


def test_a_workspace_is_found_by_its_unguessable_id_only(manager):
    current = [manager.new() for _ in range(5)]
    assert len({workspace.id for workspace in current}) == 5
    assert all(len(workspace.id) >= 16 for workspace in current)
    assert all(manager.get(workspace.id) is workspace for workspace in current)
    for wrong in (None, "", "0", current[0].id[:-1]):
        assert manager.get(wrong) is None


def test_it_opens_on_the_trained_model_that_is_built_when_asked_for(manager):
    current = manager.new()
    assert current.loaded_run is None
    assert current.experiment == CHECKPOINT.experiment
    assert [values.tolist() for values in current.curves["train_loss"].points()] == list(LINE)
    assert current.loaded_run is None
    run = current.run
    assert current.run is current.loaded_run is run
    assert (run.status, run.step) == ("paused", 2)
    assert torch.equal(flat_weights(run._mirror.current), flat_weights(trained()))
    assert current.curves is run.curves
    assert [values.tolist() for values in current.curves["train_loss"].points()] == list(LINE)


def test_finding_a_workspace_is_a_look_at_its_run(manager):
    current = manager.new()
    current.run.start()
    current.run.folder.file("watched").unlink()
    current.run._watch_at = 0.0
    manager.get(current.id)
    assert current.run.folder.is_watched


def test_the_workspace_looked_at_longest_ago_goes_first(manager, monkeypatch):
    monkeypatch.setattr(workspace, "MAX_WORKSPACES", 3)
    a, b, c = (manager.new() for _ in range(3))
    manager.get(a.id)
    d = manager.new()
    assert manager.get(b.id) is None
    assert all(manager.get(kept.id) is kept for kept in (a, c, d))


def test_a_workspace_whose_run_trains_is_never_dropped(manager, monkeypatch):
    monkeypatch.setattr(workspace, "MAX_WORKSPACES", 2)
    busy = [manager.new() for _ in range(2)]
    for current in busy:
        current.run.start()
    new = manager.new()
    assert manager.get(new.id) is new  # nor is the newest, which somebody has just opened
    newer = manager.new()
    assert manager.get(new.id) is None
    assert all(manager.get(current.id) is current for current in (*busy, newer))
    busy[0].run.stop()
    manager.new()
    assert manager.get(busy[0].id) is None
    assert manager.get(busy[1].id) is busy[1]


def test_all_workspaces_share_the_slots(manager, monkeypatch):
    monkeypatch.setenv("LSTM_PLAYGROUND_SLOTS", "1")
    monkeypatch.setattr(pool, "FIRST_SECONDS", 0.0)  # no run gets its first seconds beside another
    first, second = manager.new(), manager.new()
    first.run.start()
    until(lambda: first.run.status == "running")
    second.run.start()
    until(lambda: second.run.queue_position == 1)
    first.run.pause()
    until(lambda: second.run.status == "running")


def test_a_fresh_run_ends_the_old_one(manager):
    current = manager.new()
    old = current.run
    old.start()
    until(lambda: old.step > 2)
    spec = dataclasses.replace(current.experiment, train=dataclasses.replace(current.experiment.train, lr=0.125))
    new = current.new_run(current.windows(), spec)
    assert (current.run, old.status, new.status) == (new, "stopped", "ready")
    assert current.experiment.train.lr == 0.125
    new.start()
    until(lambda: new.step > 2)
    until(lambda: len(runs_at_work()) == 1)


def test_a_table_is_cut_once_until_something_changes(manager):
    current = manager.new()
    first = current.windows()
    assert current.windows() is first
    current.experiment = Experiment(data=spec_of())  # equal, and so nothing new
    assert current.windows() is first
    current.experiment = Experiment(data=replace(spec_of(), seq_len=5))
    second = current.windows()
    assert second.spec.seq_len == 5
    current.table = series(60)
    assert current.windows() is not second
    current.experiment = Experiment(data=spec_of(seq_len=500))
    with pytest.raises(PlaygroundError, match="seq_len 500"):
        current.windows()


def test_new_data_is_trained_with_early_stopping_and_what_somebody_has_set_stays(manager):
    current, other = manager.new(), manager.new()
    assert current.experiment.train.patience == 0  # of a lesson that runs to its end
    current.use_table(series(70), source="csv", name="mine.csv")
    assert current.experiment.train.patience == TrainSpec().patience > 0
    other.change("train", lr=0.5)
    other.use_table(series(70), source="csv", name="mine.csv")
    assert (other.experiment.train.lr, other.experiment.train.patience) == (0.5, TrainSpec().patience)


def test_settings_from_elsewhere_are_left_as_they_are_and_the_run_stays(manager):
    current = manager.new()
    current.use_table(series(70), source="csv", name="mine.csv")
    mine, run = current.table, current.run
    experiment = Experiment(data=replace(spec_of(), source="csv", name="mine.csv"), train=TrainSpec(lr=0.25))
    current.use_settings(experiment, replace(mine))  # a copy of the same table
    assert current.table is mine and current.experiment == experiment and current.run is run
    current.change("data", horizon=2)
    assert current.experiment.train == experiment.train  # nothing is chosen automatically
    current.use_settings(Experiment(data=spec_of()), TABLE)
    assert current.table is TABLE and current.upload[0] is mine
    current.restore_upload()
    assert current.table is mine
