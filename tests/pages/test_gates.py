"""Gates: the trace of any window, layer and direction of the model that was trained, and its exports."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pytest

from lstm_core.forecasting.predict import predict
from lstm_core.forecasting.scores import window_errors
from pages.shared.gates import selection
from pages.shared.gates.selection import Selection
from tests.pages import conftest
from tests.pages.conftest import Visitor, labelled_csv, series_csv, unescaped, wait_until

MODELS = {
    "plain": {},
    "two layers": {"num_layers": 2, "dropout": 0.2},
    "bidirectional": {"bidirectional": True},
    "proj_size": {"proj_size": 3},
    "everything": {"num_layers": 2, "bidirectional": True, "proj_size": 2, "head": "per_step", "bias": False},
    "head every": {"head": "per_step"},
    "batch second": {"batch_first": False},
}


def trained(visit, **model: object) -> Visitor:
    """Gates of a model of a few units that has trained for one epoch."""
    return visit("gates", run=conftest.trained(hidden_size=5, **model))


def badge(tab: Visitor) -> float:
    """The largest difference from nn.LSTM, as the page shows it."""
    text = next(m.value for m in tab.at.markdown if "max |Δ|" in unescaped(m.value))
    return float(re.search(r"vs nn\.LSTM: ([0-9.e+-]+)", unescaped(text))[1])


def maps(tab: Visitor) -> dict[str, np.ndarray]:
    """What the heatmaps draw: name → (units, steps)."""
    header, data = tab.component("gate_view")
    numbers, result, at = np.frombuffer(data, "<f4"), {}, 0
    for about in header["maps"]:
        size = about["units"] * header["steps"]
        result[about["name"]] = numbers[at : at + size].reshape(about["units"], header["steps"])
        at += size
    return result


def trace(tab: Visitor, split: str = "test", index: int | None = None):
    starts = tab.training.windows.starts[split]
    return selection.window_trace(Selection(tab.training, int(starts[-1 if index is None else index])))


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("kind", MODELS)
def test_the_trace_is_nn_lstm_s_own_and_the_maps_show_it(visit, kind):
    tab = trained(visit, **MODELS[kind])
    assert not tab.errors()
    assert badge(tab) < 1e-5
    assert any("badge" in m.value and "green" in m.value for m in tab.at.markdown)
    spec, shown, exact = tab.training.experiment.model, maps(tab), trace(tab)
    assert list(shown) == ["i", "f", "g", "o", "c", "h"]
    for layer in range(spec.num_layers):
        tab.set("layer", layer)
        for direction in range(spec.num_directions):
            if spec.bidirectional:
                tab.set("direction", direction)
            for name, values in maps(tab).items():
                assert np.array_equal(values, getattr(exact, name)[layer, direction, 0].numpy().T), name
    assert len(shown["h"]) == spec.h_size
    assert len(shown["c"]) == spec.hidden_size


def test_layer_and_direction_are_offered_as_the_model_has_them(visit):
    tab = trained(visit, num_layers=3)
    assert tab.widget("layer").proto.options == ["0", "1", "2"]
    assert not [b for b in tab.at.button_group if b.key == "direction"]


def test_one_gate_large(visit):
    tab = visit("gates")
    assert tab.component("gate_view")[0]["large"] is None
    assert tab.set("gate", "o").component("gate_view")[0]["large"] == "o"


def test_finds_the_worst_and_the_best_window(visit, subtests: pytest.Subtests):
    tab = visit("gates")
    for split in ("train", "valid", "test"):
        with subtests.test(split):
            tab.set("part", split)
            run = tab.training
            starts = run.windows.starts[split]
            errors = window_errors(run.windows, starts, predict(run.current_model(), run.windows, starts))
            tab.press("find_worst")
            assert tab.widget("window").value == errors.argmax()
            tab.press("find_best")
            assert tab.widget("window").value == errors.argmin()
            assert np.array_equal(maps(tab)["f"], trace(tab, split, int(errors.argmin())).f[0, 0, 0].numpy().T)
            tab.press("find_random")
            assert 0 <= tab.widget("window").value < len(starts)


def test_says_the_forecast_beside_the_truth(visit):
    tab = visit("gates").set("window", 3)
    windows = tab.training.windows
    start = windows.starts["test"][3:4]
    predictions = predict(tab.training.current_model(), windows, start)[0, 0, 0]
    targets = windows.targets(start)[0, 0, 0]
    assert f": predicted {predictions:.4g}, actual {targets:.4g}." in tab.words().replace("**", "")


def test_a_classifier_names_its_class(visit):
    tab = visit("data").upload(labelled_csv()).set("seq_len", 6).train(epochs=2).go("gates")
    assert not tab.errors()
    assert badge(tab) < 1e-5
    assert re.search(r": predicted \*\*(high|low)\*\* \(\d+\s%\), actual \*\*(high|low)\*\*", tab.markdown())


def test_several_targets_and_rows_ahead(visit):
    tab = visit("data").upload(series_csv()).set("target", ["load", "price"]).set("horizon", 3)
    tab.train(epochs=1).go("gates")
    assert not tab.errors()
    assert badge(tab) < 1e-5
    assert tab.component("gate_view")[0]["series"] == ["load (scaled)", "price (scaled)"]


@pytest.mark.parametrize("shares", [(0.8, 0.8), (0.8, 1.0)], ids=["no validation", "no test"])
def test_parts_without_windows_are_not_offered(visit, shares):
    tab = visit("data").set("shares", shares).train(epochs=1).go("gates")
    assert not tab.errors()
    assert len(tab.widget("part").proto.options) == 2
    assert tab.component("gate_view")


def test_a_part_with_a_single_window_needs_no_slider(visit):
    tab = visit("data").upload(series_csv(40)).set("seq_len", 3).set("shares", (0.7, 0.98))
    tab.train(epochs=1).go("gates")
    assert len(tab.training.windows.starts["test"]) == 1
    assert not tab.errors()
    assert not [s for s in tab.at.slider if s.key == "window"]
    tab.press("find_worst")


def test_a_window_beyond_the_next_model_s_data_is_brought_back(visit):
    tab = visit("gates").set("part", "train").set("window", 150)
    tab.go("data").set("sample", "nile").train(epochs=1).go("gates").set("part", "train")
    assert not tab.errors()
    assert tab.widget("window").value <= tab.widget("window").proto.max


def test_the_choices_survive_a_look_at_other_pages(visit):
    tab = visit("gates").set("part", "train").set("window", 5).set("gate", "f")
    tab.go("train").go("model").go("gates")
    assert [tab.widget(key).value for key in ("part", "window", "gate")] == ["train", 5, "f"]


def test_choices_that_the_next_model_has_not_are_forgotten(visit):
    tab = trained(visit, num_layers=2, bidirectional=True).set("layer", 1).set("direction", 1).set("part", "valid")
    tab.go("model").set("num_layers", 1).set("bidirectional", False)
    tab.go("data").set("shares", (0.8, 0.8)).train(epochs=1).go("gates")
    assert not tab.errors()
    assert tab.widget("layer").value == 0
    assert tab.widget("part").value == "test"
    assert np.array_equal(maps(tab)["c"], trace(tab, index=tab.widget("window").value).c[0, 0, 0].numpy().T)


def test_works_while_training_on_the_weights_of_that_moment(visit):
    tab = visit("train").set("epochs", 1_000_000).press("train")
    tab.go("gates")
    run, seen = tab.training, []
    for _ in range(3):
        key = run.weights_key
        wait_until(lambda key=key: run.weights_key != key, "it trained on")
        tab.run()
        assert badge(tab) < 1e-5
        seen.append(maps(tab)["f"].tobytes())
    assert run.is_active
    assert len(set(seen)) == 3


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("kind", ["plain", "everything"])
def test_the_exports_are_the_trace(visit, downloads, kind):
    tab = trained(visit, **MODELS[kind])
    exact = trace(tab)
    given = {name.rsplit(".")[-1]: make() for name, make in downloads.items() if name.startswith("trace")}
    arrays = np.load(io.BytesIO(given["npz"]))
    for name in ("i", "f", "g", "o", "c", "h"):
        assert np.array_equal(arrays[name], getattr(exact, name).numpy()), name
    frame = pd.read_csv(io.BytesIO(given["csv"])).set_index(["layer", "direction", "sequence", "step", "unit"])
    assert len(frame) == exact.i.numel()
    for name in ("i", "f", "g", "o", "c"):
        assert np.array_equal(frame[name].to_numpy(np.float32), getattr(exact, name).numpy().ravel()), name
    h = frame["h"].to_numpy(np.float32).reshape(exact.i.shape)[..., : exact.h.shape[-1]]
    assert np.array_equal(h, exact.h.numpy())


def test_draws_mean_and_saturation_of_the_four_gates(visit):
    tab = visit("gates")
    header, data = tab.component("gate_view")
    assert [[line["name"] for line in panel["lines"]] for panel in header["curves"]] == [list("ifgo")] * 3
    lines = np.frombuffer(data, "<f4")[-12 * header["steps"] :].reshape(3, 4, header["steps"])
    exact = trace(tab)
    for gate in "ifo":
        values = getattr(exact, gate)[0, 0, 0].numpy()  # (seq_len, hidden_size)
        for panel, expected in enumerate((values.mean(1), (values < 0.1).mean(1), (values > 0.9).mean(1))):
            assert lines[panel, "ifgo".index(gate)] == pytest.approx(expected, abs=1e-6), (gate, panel)


@pytest.mark.parametrize("settings", [{}, {"num_layers": 2, "bidirectional": True}])
def test_shows_how_far_back_the_prediction_looks(visit, settings):
    tab = visit("gates", run=conftest.trained(**settings)).set("view", "How far back?")
    assert not tab.errors()
    lines = tab.figure("horizon_figure")["data"]
    assert len(lines) == 4
    assert "before the end" in tab.words() or "whole window" in tab.words()


def test_the_scale_of_c_holds_still_while_the_slider_moves(visit):
    tab = visit("start")
    run = tab.training
    tab.at.session_state[f"snapshot_{run.id}"] = 0
    tab.go("gates")
    untrained, now = (
        selection.window_trace(Selection(run, selection.last_window(run), step=step)) for step in (0, None)
    )
    high = next(about["high"] for about in tab.component("gate_view")[0]["maps"] if about["name"] == "c")
    assert high == pytest.approx(float(now.c.abs().max()))
    assert high > 2 * float(untrained.c.abs().max())
    assert np.array_equal(maps(tab)["c"], untrained.c[0, 0, 0].numpy().T)


def test_a_search_says_how_many_windows_it_looks_at(visit, monkeypatch):
    helps = [visit("gates").widget(key).help for key in ("find_worst", "find_random")]
    assert helps == ["The window with the largest error", "A random window"]
    monkeypatch.setattr(selection, "MAX_SEARCHED", 10)
    assert visit("gates").widget("find_worst").help == f"{helps[0]}, of 10 spread over the split"
