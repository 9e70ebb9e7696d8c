"""Train: the transport buttons, what may change while a run goes on, how it fails, and the model as a file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from lstm_core.experiment import Experiment
from lstm_core.forecasting.predict import predict
from lstm_core.training.changes import changes_from_json
from lstm_core.training.checkpoint import load_checkpoint
from lstm_core.training.trainer import Trainer
from tests.pages.conftest import Visitor, labelled_csv, series_csv, wait_until

ENDLESS = 1_000_000  # epochs of a run that a test pauses itself


def buttons(tab: Visitor) -> dict[str, bool]:
    """Which of the transport's buttons can be pressed."""
    return {key: tab.pressable(key) for key in ("train", "pause", "step", "stop", "reset")}


def running(tab: Visitor) -> Visitor:
    """The page Train with a run under way that has made some steps."""
    tab.go("train").set("patience", 0).set("epochs", ENDLESS).press("train")
    wait_until(lambda: tab.training.step > 5, "the run made some steps")
    return tab.run()


def weights(tab: Visitor) -> dict[str, torch.Tensor]:
    return tab.training.current_model().state_dict()


def model_file(tab: Visitor, downloads) -> bytes:
    tab.go("train")
    return downloads["lstm.safetensors"]()


# The buttons


def test_a_finished_run_can_be_trained_again_or_reset(visit):
    tab = visit("train")
    assert buttons(tab) == {"train": True, "pause": False, "step": False, "stop": False, "reset": True}


def test_a_running_one_can_be_paused_or_stopped_and_nothing_runs_twice(visit):
    tab = running(visit())
    assert tab.widget("pause").label == "Pause"
    assert buttons(tab) == {"train": False, "pause": True, "step": False, "stop": True, "reset": True}


def test_pause_then_resume_goes_on_from_there(visit):
    tab = running(visit()).press("pause")
    assert tab.training.status == "paused"
    assert tab.widget("pause").label == "Resume"
    assert buttons(tab) == {"train": True, "pause": True, "step": True, "stop": True, "reset": True}
    run, step, kept = tab.training, tab.training.step, weights(tab)
    tab.run()
    assert tab.training.step == step
    tab.press("pause")
    wait_until(lambda: run.step > step, "it went on")
    assert tab.training is run
    wait_until(lambda: any((kept[name] != value).any() for name, value in weights(tab).items()), "the weights moved")


def test_step_makes_one_batch_or_one_epoch(visit):
    tab = visit("train").press("reset")
    assert (tab.training.status, tab.training.step) == ("ready", 0)
    size = tab.training.steps_per_epoch
    assert size > 2
    tab.set("step_by", "batch").press("step").finish()
    assert (tab.training.status, tab.training.step) == ("paused", 1)
    tab.set("step_by", "epoch").press("step").finish()
    assert tab.training.step == size  # to the end of the epoch under way
    tab.press("step").finish()
    assert tab.training.step == 2 * size
    assert len(tab.curve("loss_curve", 1)[0]) == 2  # one validation loss an epoch


def test_a_paused_run_can_be_stopped(visit):
    tab = running(visit()).press("pause").press("stop")
    assert tab.training.status == "stopped"
    assert buttons(tab) == {"train": True, "pause": False, "step": False, "stop": False, "reset": True}


def test_stop_ends_the_run_and_keeps_what_it_learned(visit):
    tab = running(visit()).press("stop")
    assert tab.training.status == "stopped"
    step = tab.training.step
    assert step > 5
    assert "Stopped" in tab.at.progress[0].text
    assert buttons(tab)["train"]
    assert not buttons(tab)["stop"]
    assert not tab.go("gates").errors()
    assert tab.training.step == step


def test_reset_draws_the_seed_s_weights_again(visit):
    tab = visit("train").press("reset")
    assert tab.training.step == 0
    first = weights(tab)
    running(tab).press("reset")
    assert tab.training.status == "ready"
    assert all(torch.equal(first[name], value) for name, value in weights(tab).items())
    assert len(tab.curve("loss_curve")[0]) == 0


def test_training_to_the_end_draws_every_curve(visit):
    tab = visit().train(epochs=4)
    assert tab.training.status == "finished"
    x, loss = tab.curve("loss_curve")
    assert len(x) == tab.training.step == 4 * tab.training.steps_per_epoch
    assert x[-1] == pytest.approx(4)
    assert loss[-5:].mean() < loss[:5].mean()
    assert len(tab.curve("loss_curve", 1)[0]) == 4
    assert len(tab.curve("grad_curve")[0]) == len(x)
    assert "epoch **4** of 4" in tab.at.progress[0].text
    assert tab.at.progress[0].value == 100


def test_the_run_goes_on_while_other_pages_are_looked_at(visit):
    tab = running(visit())
    run = tab.training
    for page in ("data", "model", "gates", "start"):
        step = run.step
        tab.go(page)
        wait_until(lambda step=step: run.step > step, "it trained on")
    assert tab.training is run
    assert tab.go("train").widget("pause").label == "Pause"


def test_the_same_settings_give_the_same_weights(visit):
    tabs = [visit().train(epochs=2) for _ in range(2)]
    first, second = map(weights, tabs)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_fewer_epochs_than_were_trained_leave_nothing_to_resume(visit):
    tab = visit().train(epochs=4)
    tab.set("epochs", 8).press("step").finish().set("epochs", 2)
    assert not buttons(tab)["pause"]
    assert not buttons(tab)["step"]
    tab.set("epochs", 6)
    assert buttons(tab)["pause"]


def test_a_page_drawn_before_another_tab_trained_anew_obeys_the_new_run(visit):
    tab = running(visit()).press("pause")
    other, old = visit("train", run=tab.id), tab.training
    tab.press("train")
    other.press("pause")  # its page still says Resume
    assert not old.is_active
    assert tab.training.is_active
    assert tab.training is not old


def test_the_scale_and_the_size_of_a_step_survive_a_look_at_other_pages(visit):
    tab = visit("train").set("log_scale", False).set("step_by", "batch").go("gates").go("train")
    assert tab.widget("step_by").value == "batch"
    assert tab.component("loss_curve")[0]["logY"] is False


# What may change while it runs


@pytest.mark.parametrize(
    ("key", "value"), [("lr", 1e-4), ("max_grad_norm", 0.25), ("epochs", 500_000), ("patience", 400_000)]
)
def test_live_settings_do_not_start_over(visit, key, value):
    tab = running(visit())
    run, step = tab.training, tab.training.step
    tab.set(key, value)
    assert tab.training is run
    assert run.is_active
    assert run.step >= step
    assert getattr(run.train_spec, key) == value
    assert run._mirror.current.optimizer.param_groups[0]["lr"] == run.train_spec.lr
    assert "changed since" not in tab.words()


def test_more_epochs_let_a_finished_run_go_on(visit):
    tab = visit().train(epochs=2)
    step = tab.training.step
    tab.set("epochs", 3)
    assert tab.training.status == "paused"
    tab.press("pause").finish()
    assert tab.training.step == step // 2 * 3


def test_another_hidden_size_waits_for_train_and_says_so(visit):
    tab = running(visit())
    run = tab.training
    tab.go("model").set("hidden_size", 9).go("train")
    assert "Settings changed since this model was created: `hidden_size`" in tab.words()
    assert tab.training is run
    assert run.is_active
    assert run.experiment.model.hidden_size == 16
    assert buttons(tab)["train"]
    tab.press("train")
    assert tab.training is not run
    assert not run.is_active
    assert tab.training.experiment.model.hidden_size == 9
    assert "changed since" not in tab.words()


def test_undo_puts_the_settings_of_the_trained_model_back(visit):
    tab = visit("model").set("hidden_size", 9).go("data").set("sample", "nile").go("train")
    assert "changed since" in tab.words()
    next(b for b in tab.at.button if b.label == "Undo the changes").click()
    tab.run()
    assert "changed since" not in tab.words()
    assert tab.workspace.experiment == tab.training.experiment
    assert tab.workspace.table is tab.training.table
    assert tab.go("model").widget("hidden_size").value == 16
    assert tab.go("data").widget("sample").value == "sunspots"


def test_the_note_names_what_was_changed_and_nothing_else(visit):
    tab = visit("train").set("batch_size", 8).set("optimizer", "SGD").set("momentum", 0.5)
    for name in ("batch_size", "optimizer", "momentum"):
        assert f"`{name}`" in tab.words()
    assert "`lr`" not in tab.words()


# What goes wrong


@pytest.mark.parametrize(("data", "loss"), [(series_csv(), "cross_entropy"), (labelled_csv(), "mse")])
def test_a_loss_that_does_not_fit_is_one_sentence(visit, data, loss):
    tab = visit("data").upload(data).go("train").set("loss", loss)
    example = tab.training
    tab.press("train")
    assert len(tab.errors()) == 1
    assert loss in tab.errors()[0]
    assert tab.training is example


def test_a_diverging_run_stops_with_a_sentence_and_finite_weights(visit):
    tab = visit("train").set("optimizer", "SGD").set("max_grad_norm", 0.0).set("lr", 1e6)
    tab.press("train").finish()
    assert tab.training.status == "failed"
    warnings = [w.value for w in tab.at.warning]
    assert len(warnings) == 1
    assert "NaN or infinite" in warnings[0]
    assert "smaller learning rate" in warnings[0]
    assert all(value.isfinite().all() for value in weights(tab).values())
    assert buttons(tab) == {"train": True, "pause": False, "step": False, "stop": False, "reset": True}
    for page in ("gates", "start", "train"):
        assert not tab.go(page).errors()
    tab.set("optimizer", "Adam").set("lr", 0.005).set("max_grad_norm", 1.0).set("epochs", 2)
    assert tab.press("train").finish().training.status == "finished"


def test_early_stopping_says_so(visit):
    tab = visit().train(optimizer="SGD", lr=1e-9, patience=2, epochs=500)
    assert tab.training.status == "finished"
    assert tab.training.epoch < 500
    assert any("Stopped early" in w.value for w in tab.at.info)


# The model as a file


def test_a_saved_model_opens_elsewhere_and_goes_on(visit, downloads):
    tab = running(visit()).press("pause")
    data = model_file(tab, downloads)
    other = visit("train").upload(data, "lstm.safetensors", "model_file")
    assert not other.errors()
    mine, its = tab.training._mirror.current, other.training._mirror.current
    assert its.step == mine.step
    starts = mine.windows.starts["test"]
    assert np.array_equal(
        predict(tab.training.current_model(), mine.windows, starts),
        predict(other.training.current_model(), its.windows, starts),
    )
    assert len(other.curve("loss_curve")[0]) > 0
    other.set("step_by", "batch").press("step").finish()
    tab.set("step_by", "batch").press("step").finish()
    assert its.step == mine.step
    first, second = weights(tab), weights(other)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_model_that_trains_is_saved_as_it_is_at_the_click(visit, downloads):
    tab = running(visit())
    before = tab.training.step
    tab.press("make_save_model")
    assert load_checkpoint(downloads["lstm.safetensors"]()).progress["step"] >= before
    assert tab.widget("save_model").label == "Download lstm.safetensors"
    tab.press("pause")
    assert tab.widget("save_model").label == "Save this model"
    assert load_checkpoint(downloads["lstm.safetensors"]()).progress["step"] == tab.training.step


def test_loading_a_model_keeps_ones_own_table_at_hand(visit, downloads):
    data = model_file(visit("train"), downloads)
    tab = visit("data").upload(series_csv(), "demand.csv").set("seq_len", 7)
    own = tab.workspace.table, tab.workspace.experiment.data
    tab.go("train").upload(data, "lstm.safetensors", "model_file")
    assert not tab.errors()
    assert tab.workspace.experiment.data.source == "sample"
    assert "Your table demand.csv is still here" in tab.words()
    tab.press("own_table")
    assert (tab.workspace.table, tab.workspace.experiment.data) == own
    assert tab.training.experiment.data.source == "sample"  # the loaded model stays


def test_a_model_of_the_version_before_says_that_its_sequences_were_split_otherwise(visit, downloads, monkeypatch):
    rows = [f"{kind}_{k},{np.sin(k + t):.3f},{kind}" for kind in ("cat", "dog") for k in range(10) for t in range(4)]
    csv = ("id,value,animal\n" + "\n".join(rows)).encode()
    tab = visit("data").upload(csv, "zoo.csv")
    tab.set("target", ["animal"]).set("features", ["value"]).set("group", "id").set("horizon", 0).set("seq_len", 4)
    data = model_file(tab.train(epochs=1), downloads)
    tab.upload(data, "lstm.safetensors", "model_file")
    assert "An earlier version" not in tab.words()
    old = replace(load_checkpoint(data), is_old=True)
    monkeypatch.setattr("lstm_core.training.checkpoint.load_checkpoint", lambda _: old)
    tab.upload(data, "lstm2.safetensors", "model_file")
    assert "trained on some that validate or test now" in tab.words()


@pytest.mark.parametrize("finished", [True, False])
def test_a_loaded_model_says_resume_only_where_resume_can_be_pressed(visit, downloads, finished):
    tab = visit("train") if finished else running(visit()).press("pause")
    other = visit("train").upload(model_file(tab, downloads), "lstm.safetensors", "model_file")
    assert ("Resume goes on" in other.words()) == other.pressable("pause") == (not finished)
    assert "The model is loaded" in other.words()


def test_a_model_that_memory_cannot_train_is_refused_and_nothing_changes(visit, downloads, monkeypatch):
    tab = visit("train")
    data, before = model_file(tab, downloads), tab.training
    monkeypatch.setattr("lstm_core.training.checkpoint.free_memory", lambda: 1000)
    tab.upload(data, "lstm.safetensors", "model_file")
    assert len(tab.errors()) == 1
    assert "would need about" in tab.errors()[0]
    assert tab.training is before


def test_a_model_of_ones_own_csv_asks_for_that_file(visit, downloads):
    tab = visit("data").upload(series_csv(), "load.csv").train(epochs=1)
    data = model_file(tab, downloads)
    other = visit("train")
    before = other.training
    other.upload(data, "lstm.safetensors", "model_file")
    assert len(other.errors()) == 1
    assert "load.csv" in other.errors()[0]
    assert other.training is before
    other.go("data").upload(series_csv(), "load.csv").go("train")
    other.upload(data, "lstm.safetensors", "model_file")
    assert not other.errors()
    assert other.training.experiment == tab.training.experiment


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"hello, this is no model",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1] + bytes([data[-1] ^ 255]),
        lambda data: data.replace(b'\\"hidden_size\\": 16', b'\\"hidden_size\\": 99'),
        lambda data: bytes(8) + data,
    ],
    ids=["empty", "text", "half", "one bit", "another size", "shifted"],
)
def test_a_damaged_model_file_is_one_sentence(visit, downloads, damage):
    tab = visit("train")
    data = model_file(tab, downloads)
    assert damage(data) != data
    before = tab.training, tab.workspace.experiment, tab.workspace.table
    tab.upload(damage(data), "lstm.safetensors", "model_file")
    assert len(tab.errors()) == 1
    assert (tab.training, tab.workspace.experiment, tab.workspace.table) == before


@pytest.mark.parametrize("key", ["lr", "epochs", "batch_size", "max_grad_norm"])
def test_an_emptied_field_keeps_its_value(visit, key):
    tab = visit("train")
    before = tab.workspace.experiment
    tab.set(key, None)
    assert tab.workspace.experiment == before
    assert tab.widget(key).value == getattr(before.train, key)


def test_the_experiment_file_trains_to_the_same_weights_live_changes_included(visit, downloads):
    tab = visit("train").set("patience", 0).set("epochs", 4).press("reset")
    tab.set("step_by", "batch").press("step").finish()
    tab.set("lr", 0.02).press("pause").finish()
    text = downloads["experiment.json"]().decode()
    assert [(one.step, one.field, one.value) for one in changes_from_json(text)] == [(1, "lr", 0.02)]
    again = Trainer(tab.training.windows, Experiment.from_json(text))
    again.schedule(changes_from_json(text))
    assert len(list(again)) == tab.training.step
    mine = weights(tab)
    assert all(torch.equal(mine[name], value) for name, value in again.model.state_dict().items())
