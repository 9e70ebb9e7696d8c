"""Runs: the list and what can be done with a run, deleting and its undoing, and comparisons by their address."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import folder_of, home
from pages.shared.session import state
from tests.pages.conftest import Visitor, trained, unescaped, wait_until


def run_of(workspace_id: str) -> str:
    """The id of a workspace's run."""
    return state.workspace_store().get(workspace_id).run.id


def scored(id: str) -> str:
    """The same id, once its score is there."""
    wait_until(lambda: (home() / "runs" / id / "score.json").is_file(), "the run is scored")
    wait_until(lambda: not RunFolder(home() / "runs" / id).is_locked, "its worker has let go of it")
    return id


@pytest.fixture(autouse=True)
def empty_shelf(tmp_path_factory, monkeypatch):
    """No run of another test is on the shelf."""
    for name in ("runs", "trash"):
        folder = home() / name
        if folder.exists():
            folder.rename(tmp_path_factory.mktemp("old") / name)


@pytest.fixture
def one(visit) -> str:
    return scored(run_of(trained(2, hidden_size=4)))


def lines(tab: Visitor) -> list[str]:
    """The rows' HTML."""
    return [one.proto.body for one in tab.at.get("html") if 'class="run-line"' in one.proto.body]


def test_an_empty_shelf_says_how_to_get_a_run(visit):
    tab = visit("runs")
    assert "No run has been trained here yet" in tab.words()
    assert not lines(tab)


def test_a_run_is_listed_with_its_score_beside_the_best_baseline(visit, one):
    tab = visit("runs")
    (line,) = lines(tab)
    for text in ("Sunspots · LSTM 4", "epoch 2 of 2", "RMSE", "persistence", "run-Finished", "data:image/svg+xml"):
        assert text in line


def test_a_name_and_a_note_are_kept_and_shown_as_text(visit, one):
    tab = visit("runs").press(f"more_{one}")
    hostile = "<img src=x onerror=alert(1)> ![x](http://a.b/c) :red[x]"
    tab.set(f"run_name_{one}", hostile).set(f"run_note_{one}", "first\n<b>second</b>")
    about = RunFolder(folder_of(one)).about()
    assert (about["name"], about["note"]) == (hostile, "first\n<b>second</b>")
    (line,) = lines(tab)
    assert "<img src=x" not in line and "&lt;img src=x" in line
    assert tab.widget(f"choose_{one}").label.count("\\<") == 1


def test_pinned_runs_stand_first_and_the_filter_finds_words(visit, one):
    other = scored(run_of(trained(1, hidden_size=3)))
    tab = visit("runs")
    assert "LSTM 3" in lines(tab)[0]
    tab.press(f"more_{one}").press(f"pin_{one}")
    assert "LSTM 4" in lines(tab)[0] and "run-pin" in lines(tab)[0]
    tab.set("runs_filter", "sunspots 3")
    assert len(lines(tab)) == 1 and "LSTM 3" in lines(tab)[0]
    tab.set("runs_filter", "nothing like it")
    assert "No run fits this filter" in tab.words()
    tab.set("runs_filter", "").set("runs_sort", "longest training")
    assert len(lines(tab)) == 2
    assert other


def test_an_opened_run_is_this_tabs_and_the_one_before_goes_on(visit, one):
    tab = visit("train").set("epochs", 1_000_000).press("train")
    before = tab.training
    wait_until(lambda: before.step > 5, "it trains")
    tab.go("runs").press(f"open_{one}")
    assert tab.training.id == one and tab.training.experiment.model.hidden_size == 4
    assert before.is_active
    assert "shown in this tab" in "".join(lines(tab))
    assert not tab.pressable(f"open_{one}")
    tab.go("gates")
    assert not tab.errors()
    tab.go("runs").press(f"open_{before.id}").go("train")
    assert tab.widget("pause").label == "Pause"
    tab.press("stop")
    before.stop()


def test_a_run_in_training_is_live_and_cannot_be_deleted(visit):
    tab = visit("train").set("epochs", 1_000_000).press("train")
    run = tab.training
    wait_until(lambda: run.step > 5, "it trains")
    tab.go("runs")
    assert "run-Training" in lines(tab)[0]
    tab.press(f"more_{run.id}")
    assert not tab.pressable(f"delete_{run.id}")
    tab.press(f"stop_{run.id}")
    wait_until(lambda: not run.is_active, "it was stopped")
    assert "run-Stopped" in lines(tab.run())[0]


def test_a_deletion_can_be_undone(visit, one):
    tab = visit("runs").press(f"more_{one}").press(f"delete_{one}")
    assert folder_of(one) is None and not lines(tab)
    assert "Deleted: **Sunspots · LSTM 4**" in tab.words()
    tab.press("undo_delete")
    assert folder_of(one) is not None and len(lines(tab)) == 1
    assert [button for button in tab.at.button if button.key == "undo_delete"] == []
    tab.press(f"more_{one}").press(f"delete_{one}").go("data").go("runs").press(f"restore_{one}")
    assert len(lines(tab)) == 1


def test_the_tabs_own_run_may_be_deleted_and_its_model_stays(visit, one):
    tab = visit("runs").press(f"open_{one}")
    weights = tab.training.current_model().state_dict()
    tab.press(f"more_{one}").press(f"delete_{one}")
    assert tab.training.folder is None
    kept = tab.training.current_model().state_dict()
    assert all((kept[name] == weights[name]).all() for name in weights)
    assert not tab.go("gates").errors()
    assert not tab.go("train").errors()


def test_a_run_that_another_tab_deleted_is_not_trained_on(visit, one):
    tab = visit("train", run=trained(2, hidden_size=3))
    id = scored(tab.training.id)
    tab.training.change(epochs=5)
    other = visit("runs").press(f"more_{id}").press(f"delete_{id}")
    assert not other.errors()
    tab.run().press("pause")
    assert tab.errors() == ["This run was deleted: restore it on Runs, or train a new one."]


def test_tensorboard_files_are_written_beside_the_run(visit, one):
    tab = visit("runs").press(f"more_{one}").press(f"events_{one}")
    (file,) = folder_of(one).glob("events.out.tfevents.*")
    shown = [code.value for code in tab.at.code]
    assert str(file) in shown and any(text.startswith("tensorboard --logdir") for text in shown)


# ---- comparisons


def compared(visit, *ids: str) -> Visitor:
    tab = visit("runs", compare=",".join(ids))
    assert not tab.errors()
    return tab


def tables(tab: Visitor) -> str:
    return unescaped("\n".join(one.proto.body for one in tab.at.get("html") if "run-table" in one.proto.body))


def test_two_ticks_and_a_press_compare(visit, one):
    other = scored(run_of(trained(1, hidden_size=3)))
    tab = visit("runs")
    assert not tab.pressable("compare_runs")
    tab.set(f"choose_{one}", True)
    assert not tab.pressable("compare_runs")
    tab.set(f"choose_{other}", True).press("compare_runs")
    assert tab.at.query_params["compare"] in (f"{one},{other}", [f"{one},{other}"])
    text = tables(tab)
    assert "hidden_size" in text and "epochs" in text and "learning rate" not in text
    assert len(tab.component("compared_losses")[0]["lines"]) == 2
    tab.press("all_runs")
    assert "compare" not in tab.at.query_params
    assert tab.widget(f"choose_{one}").value is True


def test_predictions_and_gates_are_of_the_same_window(visit, one):
    other = scored(run_of(trained(1, hidden_size=3, num_layers=2)))
    tab = compared(visit, one, other)
    header, _ = tab.component("compared_predictions")
    assert [line["name"] for line in header["lines"]] == [
        "actual",
        "1 · Sunspots · LSTM 4",
        "2 · Sunspots · LSTM 2 × 3",
    ]
    tab.set("compare_window", 0)
    header, arrays = tab.component("compared_gates")
    assert [run["units"]["h"] for run in header["runs"]] == [4, 3]
    assert [gate["name"] for gate in header["gates"]] == ["i", "f", "g", "o", "c", "h"]
    steps = header["steps"]
    values = np.frombuffer(arrays, "<f4")
    assert len(values) == 6 * (4 + 3) * steps + steps
    tab.set(f"compare_layer_{other}", (1, 0))
    assert tab.component("compared_gates")[1] != arrays


def test_scores_of_other_data_are_not_compared(visit, one):
    here = state.open_example(state.workspace_store())
    here.change("data", horizon=3)
    here.change("train", epochs=1)
    here.start_training().start()
    wait_until(lambda: not here.is_active, "the run ended")
    tab = compared(visit, one, scored(here.run.id))
    assert "cannot be compared" in tab.words() and "different targets" in tab.words()


def test_a_comparison_by_seconds_and_of_the_training_loss(visit, one):
    other = scored(run_of(trained(1, hidden_size=3)))
    tab = compared(visit, one, other).set("compare_over", "seconds").set("compare_loss", "both")
    header, _ = tab.component("compared_losses")
    assert header["xTitle"] == "seconds of training" and len(header["lines"]) == 4


def test_an_address_with_ids_of_no_run_shows_the_list(visit, one):
    for ids in ("../../etc", f"{one},../secret", "a" * 24, f"{one},{'b' * 24},{one}"):
        tab = visit("runs", compare=ids)
        assert len(lines(tab)) == 1 and not tab.errors()


def test_a_gru_has_no_gates_of_an_lstm(visit, one):
    other = scored(run_of(trained(1, cell="gru", hidden_size=3)))
    tab = compared(visit, one, other)
    assert "2 · Sunspots · GRU 3 (a GRU)" in tab.words()
    assert len(tab.component("compared_gates")[0]["runs"]) == 1


def test_a_folder_that_is_damaged_is_listed_and_harms_nobody(visit, one):
    RunFolder(folder_of(one)).file("experiment.json").write_text("{")
    tab = visit("runs")
    assert "unreadable settings" in lines(tab)[0] and "run-Failed" in lines(tab)[0]
    assert not tab.pressable(f"open_{one}")
    about = json.loads(RunFolder(folder_of(one)).file("about.json").read_text())
    assert "created" in about
