"""Runs and their threads: who waits, who starts, and that nothing runs twice. Nothing here asserts on time."""

from __future__ import annotations

import json
import threading

import pytest
import torch

from lstm_core.experiment import PlaygroundError
from lstm_core.runs.run import Run
from lstm_core.training import history
from tests.factories import DROPS, ENDLESS, TABLE, flat_weights, runs_at_work, trainer_of, until
from tests.runs.conftest import WINDOWS
from tests.runs.sessions import TRAIN, train

# ---- one run


def test_a_run_trains_to_its_end(make):
    run = make(epochs=3)
    assert run.status == "ready"
    assert not run.is_active
    run.start()
    until(lambda: not run.is_active)
    assert (run.status, run.step) == ("finished", 12)
    x, y = run.curves["train_loss"].points()
    assert x.tolist() == [step / 4 for step in range(1, 13)]
    assert run.curves["valid_loss"].points()[0].tolist() == [1, 2, 3]
    assert len(y) == len(run.curves["grad_norm"].points()[1]) == 12
    run.start()
    assert run.status == "finished"


def test_a_thread_gives_the_weights_that_a_loop_gives(make):
    want = trainer_of(WINDOWS, DROPS, epochs=3)
    list(want)
    run = make(trainer=trainer_of(WINDOWS, DROPS, epochs=3))
    for steps in (1, 5, None):
        run.start(steps)
        until(lambda: not run.is_active)
    assert torch.equal(flat_weights(run._mirror.current), flat_weights(want))


def test_pause_stops_between_two_steps_and_resume_goes_on(make):
    run = make()
    run.start()
    until(lambda: run.step > 5)
    assert run.status == "running"
    run.pause()
    assert run.status == "paused"
    until(lambda: not runs_at_work())
    step = run.step
    run.start()
    until(lambda: run.step > step + 5)
    x, _ = run.curves["train_loss"].points()
    assert len(set(x)) == len(x)  # no step twice


def test_single_batches_and_single_epochs(make):
    run = make(epochs=3)
    for play, step in [
        (lambda: run.start(1), 1),
        (lambda: run.start(1), 2),
        (run.run_epoch, 4),
        (run.run_epoch, 8),
        (lambda: run.start(3), 11),
    ]:
        play()
        until(lambda: not run.is_active)
        assert (run.step, run.status) == (step, "paused")
    run.start(1)
    until(lambda: not run.is_active)
    assert run.status == "finished"


def test_stop_keeps_what_was_learned_and_it_can_go_on(make):
    run = make()
    run.stop()
    assert run.status == "stopped"
    run.start()
    until(lambda: run.step > 3)
    run.stop()
    assert run.status == "stopped"
    step = run.step
    assert step > 3
    run.start(1)
    until(lambda: not run.is_active)
    assert (run.step, run.status) == (step + 1, "paused")


def test_playing_from_many_threads_makes_one_thread(make):
    run, barrier = make(), threading.Barrier(8)

    def play() -> None:
        barrier.wait()
        run.start()

    players = [threading.Thread(target=play) for _ in range(8)]
    for player in players:
        player.start()
    for player in players:
        player.join()
    until(lambda: run.step > 5)
    assert len(runs_at_work()) == 1


def test_many_hands_on_the_buttons_never_train_twice_at_once(make):
    run = make()
    hands = [
        threading.Thread(target=lambda do=do: [do() for _ in range(15)])
        for do in (run.start, run.pause, run.run_epoch, run.current_model, run.stop, lambda: run.change(lr=0.002))
    ]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    run.pause()
    until(lambda: not runs_at_work())
    x, _ = run.curves["train_loss"].points()
    assert x.tolist() == [step / 4 for step in range(1, run.step + 1)]


def test_the_model_is_that_of_one_moment_and_training_goes_on(make, watched):
    run = make()
    run.start()
    until(lambda: run.step > 0)
    seen = set()

    def look() -> int:
        model = run.current_model()
        assert not model.training
        seen.add(bytes(torch.cat([p.detach().flatten() for p in model.parameters()]).numpy()))
        return len(seen)

    until(lambda: look() >= 3)  # a new one every second
    run.pause()
    assert seen <= watched.latest.held
    taken = run.current_model()
    before = [p.clone() for p in taken.parameters()]
    run.start(3)
    until(lambda: not run.is_active)
    assert all(torch.equal(a, b) for a, b in zip(before, taken.parameters(), strict=True))  # a copy


def test_live_changes_reach_a_run_that_trains(make, watched):
    run = make()
    run.start()
    until(lambda: run.step > 2)
    trainer = watched.latest
    run.change(lr=0.0625)
    assert run.experiment.train.lr == 0.0625
    until(lambda: trainer.records[-1]["lr"] == 0.0625)
    with pytest.raises(PlaygroundError, match="lr is 0"):
        run.change(lr=0)
    step = trainer.step
    until(lambda: trainer.step > step)
    (change,) = run.changes
    assert (change.field, change.value) == ("lr", 0.0625)
    assert 2 <= change.step < next(record["step"] for record in trainer.records if record["lr"] == 0.0625)
    run.change(epochs=1)
    until(lambda: not run.is_active)
    assert run.status == "finished"
    assert [one.field for one in run.changes] == ["lr", "epochs"]


def test_more_epochs_wake_a_run_that_was_done(make):
    run = make(epochs=1)
    run.start()
    until(lambda: not run.is_active)
    run.change(lr=0.5)
    assert run.status == "finished"
    run.change(epochs=2)
    assert run.status == "paused"
    run.start()
    until(lambda: not run.is_active)
    assert (run.status, run.step) == ("finished", 8)


def test_an_early_stop_says_which_epoch_was_best(make):
    run = make(lr=20.0, optimizer="SGD", patience=2)
    run.start()
    until(lambda: not run.is_active)
    assert run.status == "finished"
    assert "epoch 0, the untrained model, had the best validation loss" in run.message
    assert torch.equal(
        flat_weights(run._mirror.current),
        torch.cat([v.flatten() for v in run._mirror.current.early_stopping.weights_by_name.values()]),
    )


def test_pace_and_time_left(make):
    run = make(epochs=ENDLESS)
    assert (run.steps_per_second, run.seconds_left) == (0.0, None)
    run.start()
    until(lambda: run.steps_per_second > 0)
    assert run.seconds_left > 0
    run.pause()
    assert run.seconds_left is None


def test_a_loaded_run_shows_its_old_curves_and_goes_on_with_them():
    trainer = trainer_of(WINDOWS, epochs=3)
    for _ in range(4):
        next(trainer)
    run = Run(trainer, TABLE, {"train_loss": ([0.25, 0.5], [3.0, 2.0]), "valid_loss": ([], [])})
    assert run.status == "paused"
    run.train_here(1)
    x, y = run.curves["train_loss"].points()
    assert x.tolist() == [0.25, 0.5, 1.25]
    assert y[:2].tolist() == [3, 2]
    list(trainer)
    assert Run(trainer, TABLE).status == "finished"


def test_curves_stay_bounded(make, monkeypatch):
    monkeypatch.setattr(history, "CAPACITY", 40)
    run = make(epochs=60)
    run.start()
    until(lambda: not run.is_active)
    assert run.step == 240
    assert all(len(curve.buckets().x) <= 41 for curve in run.curves.values())
    assert run.curves["train_loss"].points(40)[0][-1] == 60


# ---- what goes wrong


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (RuntimeError("secret path /home/me"), "internal error, which is in the log of the runs"),
        (MemoryError(), "ran out of memory: choose a smaller batch_size"),
        (torch.OutOfMemoryError("CUDA"), "ran out of memory: choose a smaller batch_size"),
    ],
)
def test_a_failure_ends_the_run_with_a_sentence_and_frees_its_slot(make, watched, monkeypatch, error, says, caplog):
    run = make()
    monkeypatch.setattr(watched, "error", error)
    run.start()
    until(lambda: not run.is_active)
    assert run.status == "failed"
    assert says in run.message
    assert "secret" not in run.message
    assert ("secret path" in caplog.text) == (type(error) is RuntimeError)
    monkeypatch.setattr(watched, "error", None)
    other = make(epochs=1)
    other.start()
    until(lambda: other.status == "finished")
    run.stop()
    assert run.status == "failed"


def test_a_loss_that_is_not_finite_fails_with_the_trainers_sentence_and_can_go_on(make):
    run = make(optimizer="SGD", lr=1e6, max_grad_norm=0.0)
    run.start()
    until(lambda: not run.is_active)
    assert run.status == "failed"
    assert "the last finite weights are kept" in run.message
    assert all(p.isfinite().all() for p in run.current_model().parameters())
    step = run.step
    run.change(lr=1e-6, max_grad_norm=1.0)
    run.start(1)
    until(lambda: not run.is_active)
    assert (run.status, run.message, run.step) == ("paused", "", step + 1)


def test_a_run_whose_weights_were_set_by_hand_does_not_say_that_its_experiment_repeats_it(make):
    run = make()
    assert run.is_repeatable
    run.start(5)
    until(lambda: not run.is_active)
    run.change(lr=0.002)
    assert run.is_repeatable and Run.open(run.folder).is_repeatable
    run.set_weights({"head.bias": torch.tensor([0.25])})
    assert not run.is_repeatable and not Run.open(run.folder).is_repeatable
    run.start(5)
    until(lambda: not run.is_active)
    assert run.step == 10 and not run.is_repeatable


def test_a_run_that_is_ended_or_altered_at_rest_is_scored_anew(make):
    run = make()
    run.start(5)
    until(lambda: not run.is_active)
    score = run.folder.file("score.json")
    assert not score.exists()  # it is only paused
    run.stop()
    run.wait_for_score()
    first = json.loads(score.read_text())
    assert first["step"] == 5 and first["test"]["rmse"] == pytest.approx(
        run.score("test", wait=60).evaluation.model.rmse
    )
    run.set_weights({"head.bias": torch.tensor([0.25])})
    run.wait_for_score()
    second = json.loads(score.read_text())
    assert (
        second["test"]["rmse"]
        == pytest.approx(run.score("test", wait=60).evaluation.model.rmse)
        != first["test"]["rmse"]
    )


def test_records_are_read_once_although_the_status_is_behind_them():
    """A worker that ends between two looks leaves an older status.json for a moment: the curves stay in order."""
    run = Run.new(WINDOWS, trainer_of(WINDOWS, epochs=3).experiment, TABLE)
    run._make_folder()
    train(run.folder, TRAIN)
    mirror = run._mirror
    mirror.look(now=True)
    count = len(mirror.progress.curves["train_loss"].lists(10_000)[0])
    mirror._said = mirror._said | {"step": 2}
    mirror.look(now=True)
    run.folder.file("records.bin").touch()
    mirror.look(now=True)
    assert len(mirror.progress.curves["train_loss"].lists(10_000)[0]) == count > 2
