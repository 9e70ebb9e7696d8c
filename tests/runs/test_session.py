"""A run's folder: what outlives a kill, a full disk and a lack of memory, and what is done about events."""

from __future__ import annotations

import errno
import json
import shutil
import threading

import numpy as np
import pytest
import torch

from lstm_core.experiment import Experiment, PlaygroundError
from lstm_core.runs import pool, session
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import home, new_id
from lstm_core.runs.records import RecordWriter, read_records
from lstm_core.runs.run import Run
from lstm_core.runs.snapshot_log import SnapshotReader
from lstm_core.training.changes import changes_from_json
from lstm_core.training.checkpoint import load_checkpoint
from lstm_core.training.trainer import Trainer
from tests.factories import DROPS, TABLE, flat_weights, trainer_of
from tests.runs.conftest import WINDOWS
from tests.runs.sessions import TRAIN, killed_at, train, weights

EPOCHS = 40  # of four steps


@pytest.fixture
def folder():
    """A run that no worker takes: the tests train it."""
    made = RunFolder(home() / "runs" / new_id())
    made.create(trainer_of(WINDOWS, DROPS, epochs=EPOCHS).experiment, TABLE, {})
    return made


def straight(changes: dict[int, dict] | None = None) -> Trainer:
    trainer = trainer_of(WINDOWS, DROPS, epochs=EPOCHS)
    while True:
        for fields in (changes or {}).pop(trainer.step, []):
            trainer.change(**fields)
        if next(trainer, None) is None:
            return trainer


def test_a_run_that_is_killed_again_and_again_ends_as_one_that_never_was(folder, monkeypatch):
    monkeypatch.setattr(session, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(session, "LOOK_SECONDS", 0.0)
    killed_at(folder, 3, monkeypatch, TRAIN)
    for step in (4, 30, 31, 77):
        killed_at(folder, step, monkeypatch)
    assert train(folder) == "finished"
    other = RunFolder(home() / "runs" / new_id())
    other.create(folder.experiment(), TABLE, {})
    assert train(other, TRAIN) == "finished"
    mine, its = weights(folder), weights(other)
    assert set(mine) == set(its) and all(np.array_equal(mine[name], its[name]) for name in mine)
    one, two = (read_records(each.file("records.bin")) for each in (folder, other))
    assert len(one) == 4 * EPOCHS
    for name in ("step", "lr", "valid_loss", "train_loss", "grad_norm"):
        assert one[name].tobytes() == two[name].tobytes()
    kept, its = (SnapshotReader(each.file("snapshots.bin")).read() for each in (folder, other))
    assert kept.steps == its.steps
    for step in kept.steps:
        assert torch.equal(kept.nearest(step).weights, its.nearest(step).weights)


def test_a_live_change_after_the_last_save_is_made_again_at_its_step(folder, monkeypatch):
    monkeypatch.setattr(session, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(session, "SAVE_SECONDS", 1e9)
    killed_at(folder, 30, monkeypatch, TRAIN)
    assert not folder.file("state.safetensors").exists()
    folder.record_event({"step": 11, "do": "change", "fields": {"lr": 0.5}, "control": folder.control_size})
    assert train(folder) == "finished"
    expected = straight({11: [{"lr": 0.5}]})
    found = load_checkpoint(folder.file("model.safetensors").read_bytes()).model()
    assert torch.equal(torch.cat([p.flatten() for p in found.parameters()]), flat_weights(expected))


def test_training_an_exported_experiment_with_its_changes_gives_the_same_weights(folder):
    assert train(folder, ("train", {"steps": 9})) == "paused"
    assert train(folder, ("change", {"fields": {"lr": 0.05}}), ("train", {"steps": 12})) == "paused"
    assert train(folder, ("change", {"fields": {"epochs": 10}}), TRAIN) == "finished"
    text = folder.export()
    assert [(one.step, one.field, one.value) for one in changes_from_json(text)] == [
        (9, "lr", 0.05),
        (21, "epochs", 10),
    ]
    again = Trainer(WINDOWS, Experiment.from_json(text))
    again.schedule(changes_from_json(text))
    assert len(list(again)) == 40
    found = load_checkpoint(folder.file("model.safetensors").read_bytes())
    assert torch.equal(torch.cat([p.flatten() for p in found.model().parameters()]), flat_weights(again))


def test_a_command_is_obeyed_once(folder, monkeypatch):
    monkeypatch.setattr(session, "LOOK_SECONDS", 0.0)
    assert train(folder, ("train", {"steps": 5})) == "paused"
    assert train(folder) == "paused" and folder.status()["step"] == 5
    killed_at(folder, 8, monkeypatch, ("train", {"steps": 6}))
    assert train(folder) == "paused" and folder.status()["step"] == 11


def test_a_pause_that_was_asked_for_before_the_kill_is_obeyed_after_it(folder, monkeypatch):
    killed_at(folder, 20, monkeypatch, TRAIN)
    assert train(folder, ("pause", {})) == "paused"
    assert folder.status()["step"] < 20


def test_stop_brings_the_best_weights_back(monkeypatch):
    folder = RunFolder(home() / "runs" / new_id())
    folder.create(trainer_of(WINDOWS, epochs=EPOCHS, patience=30, lr=0.3).experiment, TABLE, {})
    assert train(folder, ("train", {"steps": 44})) == "paused"
    assert train(folder, TRAIN, ("stop", {})) == "stopped"
    run = Run.open(folder)
    assert run.status == "stopped" and run.has_best_weights and run.best_epoch < 11


def test_a_full_disk_is_said_and_the_training_goes_on_and_nothing_is_lost(folder, monkeypatch):
    monkeypatch.setattr(session, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(session, "LOOK_SECONDS", 0.0)
    killed_at(folder, 10, monkeypatch, TRAIN)
    last_good = folder.file("state.safetensors").read_bytes()
    said: list[str] = []

    def no_room(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(RecordWriter, "flush", no_room)
        full.setattr(session, "replace_file", no_room)
        full.setattr(RunFolder, "write_status", lambda self, status: said.append(status["message"]))
        killed_at(folder, 60, monkeypatch)
    assert any("No space left on device" in text and "make room" in text for text in said)
    assert folder.file("state.safetensors").read_bytes() == last_good
    assert train(folder) == "finished"
    assert torch.equal(
        torch.cat([p.flatten() for p in Run.open(folder).current_model().parameters()]), flat_weights(straight())
    )


@pytest.mark.parametrize("saved", [True, False])
def test_without_memory_it_pauses_at_the_last_state_or_says_what_to_change(folder, monkeypatch, saved):
    assert not saved or train(folder, ("train", {"steps": 6})) == "paused"

    def too_large(trainer: Trainer) -> dict:
        raise RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9e12 bytes"
        )

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "__next__", too_large)
        assert train(folder, TRAIN) == ("paused" if saved else "failed")
    message = folder.status()["message"]
    assert ("paused at step 6" if saved else "choose a smaller batch_size") in message
    if saved:
        assert train(folder, TRAIN) == "finished"


def test_what_dies_at_one_step_again_and_again_is_given_up(folder, monkeypatch):
    monkeypatch.setattr(session, "SAVE_SECONDS", 1e9)
    killed_at(folder, 2, monkeypatch, TRAIN)
    for _ in range(session.MAX_ATTEMPTS - 1):
        killed_at(folder, 2, monkeypatch)
    assert train(folder) == "failed" and "ended 3 times at step 0" in folder.status()["message"]
    assert train(folder, TRAIN) == "finished"  # whoever asks for it gets another attempt


def test_a_training_ends_when_its_folder_is_deleted(monkeypatch, caplog):
    made = RunFolder(home() / "runs" / new_id())
    made.create(trainer_of(WINDOWS, epochs=1_000_000).experiment, TABLE, {})
    plain = Trainer.__next__

    def deletes(trainer: Trainer) -> dict:
        if trainer.step == 9:
            shutil.rmtree(made.path)
        return plain(trainer)

    monkeypatch.setattr(Trainer, "__next__", deletes)
    assert train(made, TRAIN) == "deleted"
    assert not made.path.exists() and not caplog.text


def test_other_data_is_refused_by_name(folder):
    described = json.loads(folder.file("experiment.json").read_text()) | {"table_sha256": "0" * 64}
    folder.file("experiment.json").write_text(json.dumps(described))
    assert train(folder, TRAIN) == "failed"
    assert "has changed" in folder.status()["message"] and "sample" not in folder.status()["message"]
    with pytest.raises(PlaygroundError, match="has changed"):
        Run.open(folder)


def test_only_one_of_many_who_want_a_run_has_it(folder, monkeypatch):
    found, barrier = [], threading.Barrier(6)

    def take() -> None:
        barrier.wait()
        claim = pool.claim()
        if claim is not None and claim.folder.id == folder.id:
            found.append(claim)

    # wanted by these threads alone: a worker of an earlier test would take it, too
    monkeypatch.setattr(pool, "wanted_runs", lambda: [folder] if threading.current_thread() in takers else [])
    monkeypatch.setattr(pool, "is_wanted", lambda one: one.id == folder.id)
    takers = [threading.Thread(target=take) for _ in range(6)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    assert len(found) == 1
    found[0].release()


def test_a_run_without_a_viewer_waits_behind_the_others():
    folders = []
    for _ in range(3):
        folders.append(RunFolder(home() / "runs" / new_id()))
        folders[-1].create(trainer_of(WINDOWS, epochs=1).experiment, TABLE, {})
    try:
        folders[2].watch()
        for folder in folders:
            pool.want(folder)
        assert pool.wanted_runs()[0].id == folders[2].id
    finally:
        for folder in folders:
            pool.unwant(folder)
