"""Start: it opens trained, with gates, curve and forecast; a CSV goes in and is trained on the same page."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from lstm_core.experiment import GATES, STATES
from lstm_core.figures.symbols import symbol_texts
from lstm_core.trace import trace_lstm
from pages.shared.gates import selection
from tests.conftest import quick
from tests.pages.conftest import Visitor, labelled_csv, open_lesson, series_csv, trained


def stage(tab: Visitor) -> tuple[dict, dict[str, np.ndarray]]:
    """The message to the small stage: its header, and each array by the name of its split, series or gate."""
    header, data = tab.component("mini_stage")
    numbers, at, arrays = np.frombuffer(data, "<f4"), 0, {}

    def take(name: str, count: int) -> None:
        nonlocal at
        arrays[name] = numbers[at : at + count]
        at += count

    for split in header["splits"]:
        take(f"rows of {split['name']}", split["points"])
        take(split["name"], split["points"])
    for name in header["window"]["series"]:
        take(f"input {name}", header["steps"])
    for gauge in (header["valves"] or {"of": []})["of"]:
        take(gauge["name"], gauge["units"] * header["steps"])
    assert at == len(numbers)
    return header, arrays


def train_here(tab: Visitor, epochs: int = 2) -> Visitor:
    """Press Train on Start, with few epochs, and wait for the end."""
    tab.workspace.change("train", epochs=epochs)
    return tab.run().press("train").finish()


def has_curves(tab: Visitor) -> bool:
    return any(c.proto.id.endswith("-loss_curve") for c in tab.at.get("bidi_component"))


def test_opens_on_a_trained_example(visit):
    tab = visit()
    assert tab.training.status == "finished"
    assert tab.training.step > 0
    x, loss = tab.curve("loss_curve")
    assert len(x) > 50
    assert np.isfinite(loss).all()
    assert loss[-10:].mean() < loss[:10].mean() / 2
    assert "lower than" in tab.words()  # its verdict: better than a naive forecast


def test_the_forecast_lies_over_the_truth(visit):
    tab = visit()
    header, _ = tab.component("forecast_curve")
    assert header["lines"][0]["name"] == "actual"
    x, targets = tab.curve("forecast_curve", 0)
    x_said, predictions = tab.curve("forecast_curve", len(header["lines"]) - 1)
    both = np.isfinite(predictions) & np.isin(x_said, x)
    matching = np.searchsorted(x, x_said[both])
    assert np.corrcoef(predictions[both], targets[matching])[0, 1] > 0.8


def test_its_gates_are_those_of_nn_lstm_in_the_last_window(visit):
    tab = visit()
    header, arrays = stage(tab)
    run = tab.training
    chosen = selection.Selection(run, selection.last_window(run))
    trace = trace_lstm(run.current_model().lstm, selection.window_input(chosen))
    for name in (*GATES, *STATES):
        expected = trace.gate(name)[0, 0, 0].numpy().T
        np.testing.assert_allclose(arrays[name].reshape(expected.shape), expected, atol=1e-6)
    moves = arrays["f"].reshape(run.experiment.model.hidden_size, -1).std(axis=1)
    assert header["valves"]["start"] == moves.argmax()  # the unit with most to see
    assert not header["training"]


def test_the_letters_of_a_lesson_stand_where_its_one_hot_lines_would(visit):
    tab = open_lesson(visit, "embedded_reber").go("start")
    header, _ = stage(tab)
    windows = tab.training.windows
    expected = symbol_texts(windows, int(windows.starts["test"][-1]))
    assert header["window"]["symbols"] == expected and set(expected) <= {"", *"BTPSXVE"}
    assert header["window"]["series"] == []
    assert stage(visit())[0]["window"]["symbols"] is None


def test_the_series_is_sent_by_split_with_the_place_of_the_window(visit):
    header, arrays = stage(visit())
    assert [split["name"] for split in header["splits"]] == ["training", "validation", "test"]
    rows = [arrays[f"rows of {split['name']}"] for split in header["splits"]]
    assert all(before[-1] < after[0] for before, after in pairwise(rows))
    assert header["window"]["start"] + header["window"]["length"] == rows[-1][-1]  # the target is the row after
    assert header["ends"] == ["1700", "2008"]


def test_trains_from_scratch_here_in_one_click(visit):
    tab = visit()
    example = tab.training
    button = next(b for b in tab.at.button if b.label == "Train it from scratch")
    assert button.key == "train"
    button.click()
    tab.run()
    assert tab.at.title[0].value == "LSTM Playground"  # no other page
    assert tab.training is not example
    assert tab.training.experiment == example.experiment
    assert tab.training.is_active or tab.training.step > 0


def test_while_it_trains_it_pauses_and_goes_on(visit):
    tab = visit()
    tab.workspace.change("train", epochs=100_000, patience=0)
    tab.run().press("train")
    assert not tab.pressable("train")
    assert stage(tab)[0]["training"]
    tab.press("pause")
    assert tab.training.status == "paused"
    step = tab.training.step
    tab.run().press("pause")
    assert tab.training.is_active
    assert tab.training.step >= step


def test_a_csv_is_dropped_and_trained_on_this_page(visit):
    tab = visit()
    example = tab.training
    tab.upload(series_csv())
    assert tab.workspace.experiment.data.source == "csv"
    assert tab.training is example  # until Train is pressed
    header, _ = stage(tab)
    assert header["valves"] is None
    assert not has_curves(tab)  # nothing of the other series' model
    assert tab.widget("target").value == "price"
    train_here(tab)
    assert tab.at.title[0].value == "LSTM Playground"
    assert tab.training.status == "finished"
    assert tab.training.windows.spec.targets == ("price",)
    header, arrays = stage(tab)
    assert header["title"] == "price"
    assert len(arrays["f"]) == tab.training.experiment.model.hidden_size * header["steps"]
    assert has_curves(tab)
    assert tab.component("forecast_curve")[0]["yTitle"] == "price"


def test_a_chip_changes_the_target_which_data_shows_too(visit):
    tab = visit().upload(series_csv()).set("target", "load")
    assert tab.workspace.experiment.data.targets == ("load",)
    assert stage(tab)[0]["title"] == "load"
    assert "day" not in tab.widget("target").options  # a time is nothing to predict
    tab.go("data")
    assert tab.widget("target").value == ["load"]
    tab.set("target", ["load", "price"]).go("start")
    assert tab.widget("target").value == ["load", "price"]  # several, chosen there, stay
    tab.set("target", ["price"])
    assert tab.widget("target").value == "price"


def test_the_last_chip_cannot_be_taken_away(visit):
    tab = visit().upload(series_csv()).set("target", None)
    assert tab.workspace.experiment.data.targets == ("price",)
    assert tab.widget("target").value == "price"


def test_a_file_that_cannot_be_read_changes_nothing_and_says_why(visit):
    tab = visit()
    table = tab.workspace.table
    tab.upload(b"\x00\x01\x02", "bad.csv")
    assert len(tab.errors()) == 1
    assert "bad.csv" in tab.errors()[0]
    assert tab.workspace.table is table
    assert stage(tab)[0]["valves"] is not None
    tab.upload(series_csv(), "good.csv")
    assert not tab.errors()
    assert tab.workspace.table.name == "good.csv"


def test_too_short_a_table_says_so_where_the_series_would_be(visit):
    tab = visit().upload(series_csv(4))
    assert tab.errors()
    tab.press("train")  # which must not fail either
    assert tab.training.status == "finished"


def test_the_way_back_from_a_file(visit):
    tab = visit().upload(series_csv()).press("undo")
    assert tab.workspace.table is tab.training.table
    assert stage(tab)[0]["valves"] is not None
    assert tab.workspace.upload[0].name == "mine.csv"  # nothing is lost


def test_leaving_and_coming_back(visit):
    tab = visit().upload(series_csv())
    tab.go("gates").go("start")
    assert stage(tab)[0]["title"] == "price"
    assert tab.workspace.experiment.data.name == "mine.csv"
    train_here(tab).go("data").go("start")
    assert tab.training.status == "finished"
    assert stage(tab)[0]["valves"] is not None
    assert visit(run=tab.id).training is tab.training


def test_labels_are_drawn_as_dots_and_trained(visit):
    tab = visit().upload(labelled_csv()).set("target", "state")
    assert all(split["dots"] for split in stage(tab)[0]["splits"])
    train_here(tab, 1)
    assert stage(tab)[0]["valves"] is not None
    assert "probability" in tab.component("forecast_curve")[0]["yTitle"]


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_another_cell_has_its_series_and_prediction_but_no_valves(visit, cell: str):
    tab = visit(run=trained(cell=cell))
    assert stage(tab)[0]["valves"] is None
    assert tab.component("forecast_curve")
    assert "forget" not in stage(tab)[0]["title"]


@pytest.mark.parametrize("model", [{"num_layers": 2}, {"bidirectional": True}, {"proj_size": 3}], ids=str)
def test_any_lstm_has_valves(visit, model: dict):
    header, _ = stage(visit(run=trained(**model)))
    units = {gauge["name"]: gauge["units"] for gauge in header["valves"]["of"]}
    assert units["f"] == 16
    assert units["h"] == model.get("proj_size", 16)
    assert header["valves"]["layer"] == ("layer 0, " if "num_layers" in model else "")


def test_names_from_a_file_are_no_markdown(visit):
    name = "![x](http://evil.example/a.png) $x$ :red[y]"
    rows = "\n".join(f"{np.sin(t / 3):.3f},{t % 7}" for t in range(120))
    tab = visit().upload(f'"{name}",other\n{rows}'.encode(), "[a](http://evil.example).csv")
    assert "](http" not in tab.markdown()
    assert not any("](http" in option for option in tab.widget("target").options)
    assert stage(tab)[0]["title"] in (name, "other")  # plain: the canvas knows no markup


def test_many_columns_are_a_few_chips(visit):
    names = [f"column {k}" for k in range(40)]
    rows = [",".join(f"{np.sin(t / 3 + k):.3f}" for k in range(40)) for t in range(100)]
    tab = visit().upload("\n".join([",".join(names), *rows]).encode())
    assert len(tab.widget("target").options) == 12
    assert "28 more columns" in tab.words()


def test_leads_on_to_every_page(visit):
    links = {link.proto.label for link in visit().at.get("page_link")}
    assert links >= {f"**{title}**" for title in ("Data", "Model", "Train", "Gates", "Stage")}


def test_the_sidebar_tells_of_the_run_on_every_other_page(visit):
    tab = visit()
    for page in ("start", "data", "model", "gates"):
        tab.go(page)
        assert any("Trained" in m.value for m in tab.at.sidebar.markdown), page
    tab.go("train")
    assert not tab.at.sidebar.markdown


@pytest.mark.parametrize(
    "lesson", quick(("by_hand", "continual_reber", "copy_memory", "vanishing"), "by_hand", "copy_memory")
)
def test_a_lessons_model_is_shown_like_any_other(visit, lesson: str):
    tab = visit("lessons", lesson=lesson).go("start")
    header, arrays = stage(tab)  # whose arrays all fit their header, however long the window
    assert header["splits"]
    assert (header["valves"] is None) == (tab.training.experiment.model.cell != "lstm")
    assert all(np.isfinite(arrays[gauge["name"]]).all() for gauge in (header["valves"] or {"of": []})["of"])
