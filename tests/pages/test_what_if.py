"""What if: the pictures, the sentence and the table are the altered run's own, whatever is chosen and trained."""

from __future__ import annotations

import re

import numpy as np
import pytest

from lstm_core.analysis.gate_importance import gate_importance, predict_with_interventions
from lstm_core.forecasting.predict import predict
from lstm_core.trace.gate_trace import trace_lstm
from lstm_core.trace.interventions import ALLOWED_TARGETS, Intervention, trace_with
from pages.shared.gates import gate_importance as importance_view
from pages.shared.gates import selection
from pages.shared.gates import what_if as what_if_view
from pages.shared.gates.intervention_controls import PRESETS
from pages.shared.gates.selection import Selection
from tests.pages.conftest import Visitor, importance_table, labelled_csv, series_csv, what_if

GATES = ("i", "f", "g", "o", "c", "h")


def drawn(tab: Visitor) -> tuple[dict, dict[str, np.ndarray], list[dict[str, np.ndarray]]]:
    """(header, map → values, one dictionary of the unit's lines a panel)."""
    header, data = tab.component("what_view")
    numbers, arrays, at = np.frombuffer(data, "<f4"), {}, 0
    panels = [panel["group"] for panel in header["groups"]]
    for one in [*header["maps"], *(line for panel in panels for line in panel)]:
        if one["array"] not in arrays:
            size = one["units"] * header["steps"]
            arrays[one["array"]] = numbers[at : at + size].reshape(one["units"], header["steps"])
            at += size
    lines = [{line["name"]: arrays[line["array"]] for line in panel} for panel in panels]
    return header, {one["name"]: arrays[one["array"]] for one in header["maps"]}, lines


def runs(tab: Visitor, *edits: Intervention, layer: int = 0, direction: int = 0) -> dict[str, list[np.ndarray]]:
    """gate → [before, after], worked out without the page, of the last test window."""
    model, x = tab.training.current_model(), selection.window_input(Selection(tab.training, last_window(tab)))
    x = model.to_module_layout(x)
    both = trace_lstm(model.lstm, x), trace_with(model.lstm, x, edits)
    return {name: [trace.gate(name)[layer, direction, 0].numpy().T for trace in both] for name in GATES}


def last_window(tab: Visitor) -> int:
    return int(tab.training.windows.starts["test"][-1])


def test_a_preset_shows_its_run_at_once(visit, subtests: pytest.Subtests):
    tab = what_if(visit)
    for words, (gate, value) in PRESETS.items():
        with subtests.test(words):
            tab.set("gate", gate).press(f"what_preset_{gate}{value:g}")
            assert tab.widget(f"what_preset_{gate}{value:g}").label == words
            header, maps, (of_gate, of_h) = drawn(tab)
            exact = runs(tab, Intervention("clamp", gate, value))
            before, after = exact[gate]
            assert np.array_equal(maps["before"], before)
            assert np.array_equal(maps["after"], after) and (after == value).all()
            assert np.array_equal(maps["after − before"], after - before)
            assert np.array_equal(of_gate["before"], before) and np.array_equal(of_gate["after"], after)
            assert np.array_equal(of_h["before"], exact["h"][0]) and np.array_equal(of_h["after"], exact["h"][1])
            scales = [(one["low"], one["high"]) for one in header["maps"]]
            assert scales[0] == scales[1] == (0, 1)
            assert scales[2][1] == -scales[2][0] == pytest.approx(np.abs(after - before).max())


def test_all_six_before_after_and_their_difference(visit):
    tab = what_if(visit).set("what_alter", "c")
    exact = runs(tab, Intervention("zero", "c"))
    for shown in ("before", "after", "difference"):
        header, maps, panels = drawn(tab.set("what_shown", shown))
        for name, (before, after) in exact.items():
            expected = {"before": before, "after": after, "difference": after - before}[shown]
            assert np.array_equal(maps[name], expected), (shown, name)
        for lines in panels:
            for name in lines.keys() - {""}:
                assert np.array_equal(lines[name], exact[name][1])
        by_name = {one["name"]: one for one in header["maps"]}
        if shown != "difference":
            assert by_name["c"]["high"] == pytest.approx(np.abs(exact["c"][0]).max())  # of both runs


def test_every_kind_of_edit_can_be_chosen(visit, subtests: pytest.Subtests):
    tab = what_if(visit)
    edits = [(kind, gate) for kind, gates in ALLOWED_TARGETS.items() for gate in gates]
    for kind, gate in edits:
        with subtests.test(kind=kind, gate=gate):
            tab.set("what_alter", gate)
            kinds = [one for one, gates in ALLOWED_TARGETS.items() if gate in gates]
            tab.set(f"what_how_{kinds[0]}", kind)
            edit = Intervention(kind, gate)
            if kind.startswith("input"):
                tab.set(f"what_value_{kind}", 100.0)
                windows = tab.training.windows
                center = windows.x_center[0] if kind == "input_set" else 0
                edit = Intervention(kind, gate, float((100 - center) / windows.x_scale[0]), units=(0,))
                assert len(tab.component("what_view")[0]["series"]) == 2
            elif kind != "zero":
                tab.set(f"what_value_{kind}_{gate}", 0.25)
                edit = Intervention(kind, gate, 0.25)
            assert not tab.errors()
            exact, maps = runs(tab, edit), drawn(tab.set("what_shown", "after"))[1]
            assert np.abs(exact["h"][1] - exact["h"][0]).max() > 1e-3
            for name in GATES:
                assert np.array_equal(maps[name], exact[name][1]), name


def test_the_altered_input_is_drawn_in_the_table_s_units(visit):
    tab = what_if(visit).set("what_alter", "x").set("what_value_input_set", 100.0).set("what_steps", (4, 6))
    header, data = tab.component("what_view")
    before, after = np.frombuffer(data, "<f4")[-2 * header["steps"] :].reshape(2, -1)
    windows, start = tab.training.windows, last_window(tab)
    expected = windows.x[start : start + windows.spec.seq_len, 0].copy()
    assert before == pytest.approx(expected, rel=1e-5, abs=1e-3)
    expected[3:6] = 100
    assert after == pytest.approx(expected, rel=1e-5, abs=1e-3)
    assert "SUNACTIVITY set to 100 at steps 4–6, it " in tab.words()


def test_says_the_forecast_before_and_after_beside_the_truth(visit):
    tab = what_if(visit).press("what_preset_i0")
    run, starts = tab.training, np.array([last_window(tab)])
    model, windows = run.current_model(), run.windows
    before = predict(model, windows, starts)[0, 0, 0]
    after = predict_with_interventions(model, windows, starts, [Intervention("clamp", "i", 0.0)])[0, 0, 0]
    words = tab.words().replace("**", "").replace("−", "-")
    assert f"predicted {before:.4g}, actual {windows.targets(starts)[0, 0, 0]:.4g}." in words
    assert f"With the input gate clamped to 0, it predicts {after:.4g} ({after - before:+.4g})." in words


def test_a_classifier_names_its_class_before_and_after(visit):
    tab = visit("data").upload(labelled_csv()).set("seq_len", 6).train(epochs=2).go("gates").set("view", "What if?")
    run, starts = tab.training, np.array([last_window(tab)])
    before = predict(run.current_model(), run.windows, starts)[0]
    after = predict_with_interventions(run.current_model(), run.windows, starts, [Intervention("clamp", "f", 1.0)])[0]
    k = after.argmax()
    text = f"predicts {run.windows.classes[k]} ({100 * after[k]:.0f} %, before: {100 * before[k]:.0f} %)."
    assert text in tab.words().replace("**", "")
    matches = re.findall(r"accuracy ([\d.]+)\s% → ([\d.]+)\s%", importance_table(tab))
    assert len(matches) == 4


def test_units_and_steps(visit):
    tab = what_if(visit).set("gate", "f").set("what_units", "0-3, 7")
    tab.set("what_steps", (6, 10))  # from 1, as on the axes
    edit = Intervention("clamp", "f", 1.0, units=(0, 1, 2, 3, 7), steps=range(5, 10))
    assert np.array_equal(drawn(tab)[1]["after"], runs(tab, edit)["f"][1])
    assert "the forget gate clamped to 1 in units 0–3, 7 at steps 6–10, it" in tab.words()
    tab.set("what_units", "Selected")
    edit = Intervention("clamp", "f", 1.0, units=(0,), steps=range(5, 10))
    assert np.array_equal(drawn(tab)[1]["after"], runs(tab, edit)["f"][1])
    tab.press("what_preset_f0")  # a preset is of all units at all steps
    assert np.array_equal(drawn(tab)[1]["after"], runs(tab, Intervention("clamp", "f", 0.0))["f"][1])


def test_units_that_cannot_be_read_change_nothing_but_for_one_sentence(visit):
    tab = what_if(visit).set("gate", "f").set("what_units", "2-4")
    before = drawn(tab)[1]
    for bad in ("2-", "<b>", "99", "0-99999999"):
        tab.set("what_units", bad)
        assert len(tab.errors()) == 1
        after = drawn(tab)[1]
        assert all(np.array_equal(before[name], after[name]) for name in before)
    assert not tab.set("what_units", "4").errors()


def test_several_edits_at_once_and_each_can_be_undone(visit):
    tab = what_if(visit).set("gate", "h").press("what_keep")
    assert tab.widget("what_alter").value == "nothing"
    first, second = Intervention("clamp", "f", 1.0), Intervention("clamp", "i", 0.0)
    assert np.array_equal(drawn(tab)[1]["after"], runs(tab, first)["h"][1])
    tab.press("what_preset_i0")
    assert np.array_equal(drawn(tab)[1]["after"], runs(tab, first, second)["h"][1])
    assert "With the forget gate clamped to 1 and the input gate clamped to 0, it" in tab.words()
    tab.press("what_drop_0")
    assert np.array_equal(drawn(tab)[1]["after"], runs(tab, second)["h"][1])
    tab.set("what_alter", "nothing")
    assert "No intervention." in tab.words()
    assert all(one["note"] == "no difference" for one in drawn(tab)[0]["maps"][2:])
    assert not tab.pressable("what_keep")


def test_only_so_many_edits_are_kept(visit):
    tab = what_if(visit)
    for _ in range(5):
        tab.press("what_preset_f1").press("what_keep")
    assert not tab.press("what_preset_i0").pressable("what_keep")
    assert "With these 6 interventions, it" in tab.words()


def test_an_edit_without_effect_says_so_instead_of_showing_rounding(visit, subtests: pytest.Subtests):
    tab = what_if(visit).set("what_how_clamp", "scale").set("what_value_scale_f", 1.0)
    for gate in ("all six", "f", "c"):
        with subtests.test(gate):
            header, maps, _ = drawn(tab.set("gate", gate))
            noted = [one["name"] for one in header["maps"] if one["note"]]
            assert noted == (list(GATES) if gate == "all six" else ["after − before"])
            assert not any(maps[name].any() for name in noted)
            assert "scaled by 1, it still predicts the same." in tab.words()


@pytest.mark.parametrize("places", [(0, 3), pytest.param((1, 2), marks=pytest.mark.slow)], ids=str)
def test_the_layer_of_the_edit_and_that_of_the_picture_are_two_choices(visit, places):
    tab = what_if(visit, num_layers=2, bidirectional=True).set("what_shown", "after")
    for place in places:
        layer, direction = divmod(place, 2)
        edit = Intervention("clamp", "f", 1.0, layer, direction)
        tab.set("what_place", place)
        for seen in range(2):
            for way in range(2):
                tab.set("layer", seen).set("direction", way)
                exact, shown = runs(tab, edit, layer=seen, direction=way), drawn(tab)[1]
                for name in GATES:
                    assert np.array_equal(shown[name], exact[name][1]), (edit.layer_direction, seen, way, name)
                assert f"in layer {layer} {('forward', 'reverse')[direction]}, it" in tab.words()
                words, changed = tab.words(), not np.allclose(*exact["f"])
                assert changed == (seen > layer or (seen, way) == (layer, direction))
                assert ("below the altered" in words) == (seen < layer)
                assert ("whose input is" in words) == (seen > layer)
                assert ("do not read each other" in words) == (seen == layer and way != direction)


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("model", [{"proj_size": 2}, {"head": "per_step", "batch_first": False}, {"bias": False}])
def test_other_shapes_of_models(visit, model):
    tab = what_if(visit, **model).set("what_alter", "h").set("what_units", "0-1").set("what_shown", "after")
    exact, shown = runs(tab, Intervention("zero", "h", units=(0, 1))), drawn(tab)[1]
    for name in GATES:
        assert np.array_equal(shown[name], exact[name][1]), name
    if "proj_size" in model:
        assert tab.set("what_units", "2").errors()


@pytest.mark.slow
def test_survives_a_smaller_model_with_shorter_windows(visit):
    tab = what_if(visit, num_layers=2, hidden_size=6).set("what_place", 1).set("layer", 1)
    tab.set("what_units", "4-5").set("what_steps", (10, 20)).press("what_keep").press("what_preset_o0")
    tab.set("what_units", "4-5")
    tab.go("data").set("seq_len", 4).go("model").set("hidden_size", 2).set("num_layers", 1)
    tab.train(epochs=1).go("gates")
    assert len(tab.errors()) == 1  # the text still names units that are gone
    assert "1 of the kept interventions do not fit this model" in tab.words()
    assert np.array_equal(
        drawn(tab.set("what_shown", "after"))[1]["o"], runs(tab, Intervention("clamp", "o", 0.0))["o"][1]
    )
    assert not tab.set("what_units", "1").errors()
    tab.go("data").set("seq_len", 1).train(epochs=1).go("gates")
    assert not tab.errors()
    assert not [s for s in tab.at.slider if s.key == "what_steps"]


def test_the_choices_survive_other_views_and_pages(visit):
    tab = what_if(visit).set("what_alter", "g").set("what_how_clamp", "add").set("what_value_add_g", 0.3)
    tab.set("what_units", "1-2").set("what_steps", (2, 8)).set("what_shown", "before")
    tab.set("view", "Gates").go("train").go("model").go("gates").set("view", "What if?")
    keys = ("what_alter", "what_how_clamp", "what_value_add_g", "what_units", "what_steps", "what_shown")
    assert [tab.widget(key).value for key in keys] == ["g", "add", 0.3, "1-2", (2, 8), "before"]


def test_several_columns_are_altered_one_at_a_time(visit):
    tab = visit("data").upload(series_csv()).set("features", ["load", "price"]).set("start", "none")
    tab.set("seq_len", 8)
    tab.train(epochs=1).go("gates").set("view", "What if?").set("what_alter", "x").set("what_feature", 1)
    tab.set("what_value_input_set", 5.5).set("what_shown", "after")
    windows = tab.training.windows
    value = float((5.5 - windows.x_center[1]) / windows.x_scale[1])
    exact = runs(tab, Intervention("input_set", "x", value, units=(1,)))
    assert np.array_equal(drawn(tab)[1]["h"], exact["h"][1])
    assert tab.component("what_view")[0]["series"] == ["price", "price, altered"]


def test_everything_obeys_the_epoch_slider(visit):
    tab = visit("train").train(epochs=3)
    run, step = tab.training, tab.training.snapshots.steps[3]
    tab.at.session_state[f"snapshot_{run.id}"] = step  # AppTest moves no component
    tab.go("gates").set("view", "What if?")
    model, windows, starts = run.snapshot_at(step).model, run.windows, np.array([last_window(tab)])
    after = predict_with_interventions(model, windows, starts, [Intervention("clamp", "f", 1.0)])[0, 0, 0]
    assert f"it predicts {after:.4g} (" in tab.words().replace("**", "")
    matches = gate_importance(model, windows, windows.starts["valid"])
    assert re.findall(r" → ([^<]+)<", importance_table(tab)) == [f"{one.frozen_score:.4g}" for one in matches]
    assert f"Weights of step {step:,}." in tab.words()


def test_while_it_trains_before_and_after_are_of_the_same_weights(visit):
    tab = visit("train").set("patience", 0).set("epochs", 1_000_000).press("train").go("gates").set("view", "What if?")
    for _ in range(5):
        words = tab.run().words().replace("**", "").replace("−", "-")
        before = float(re.search(r": predicted ([-\d.e+]+), actual", words)[1])
        after, change = (float(number) for number in re.search(r"it predicts (\S+) \((\S+)\)\.", words).groups())
        assert change == pytest.approx(after - before, rel=1e-2, abs=0.2)
    assert tab.training.is_active


def test_nothing_is_computed_twice(visit, monkeypatch):
    tab = what_if(visit)
    for module, name in ((what_if_view, "trace_with"), (importance_view, "gate_importance")):
        monkeypatch.setattr(module, name, lambda *given, name=name: pytest.fail(f"{name} ran again"))
    tab.run().set("gate", "f").set("gate", "all six").set("view", "Gates").set("view", "What if?")
