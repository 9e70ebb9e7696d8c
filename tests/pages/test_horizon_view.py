"""Gates, "How far back?": what it says is what the core computes, and rivals are trained, shown and dropped."""

from __future__ import annotations

import base64
from dataclasses import asdict

import numpy as np
import pytest
import torch

from lstm_core.analysis.gradient_horizon import GradientHorizon, memory_horizon, steps_until_faded
from lstm_core.forecasting.predict import predict
from lstm_core.runs import cell_comparison
from pages.shared.gates import cell_comparison as cell_comparison_view
from pages.shared.gates.cell_comparison import cells_sentence
from pages.shared.gates.gradient_horizon import horizon_sentence, time_constants_sentence
from tests.pages.conftest import Visitor, labelled_csv, trained, unescaped, wait_until

VIEW = "How far back?"


def looking(visit, epochs: int = 2, **model: object) -> Visitor:
    """The view of a small model that has trained for so many epochs."""
    tab = visit("gates", run=trained(epochs, hidden_size=4, **model))
    return tab.set("view", VIEW) if model.get("cell", "lstm") == "lstm" else tab


def horizon_here(tab: Visitor, output: int = 0):
    run = tab.training
    start = run.windows.starts["test"][-1:]
    return memory_horizon(run.current_model(), torch.from_numpy(run.windows.inputs(start)), output)


def compared(tab: Visitor) -> Visitor:
    """Press the button and come back when the rivals have trained."""
    tab.press("rivals_train")
    result = tab.training.cache["rivals"]
    wait_until(lambda: not result.is_active, "the rivals had trained")
    return tab.run()


def table(tab: Visitor):
    return next(d.value for d in tab.at.dataframe if "cell" in d.value.columns).set_index("cell")


def values(figure: dict, line: int) -> np.ndarray:
    """y of one line of a figure, decoded from plotly's base64."""
    y = figure["data"][line]["y"]
    if isinstance(y, list):
        return np.array(y, float)
    return np.frombuffer(base64.b64decode(y["bdata"]), y["dtype"])


def test_the_pictures_are_of_the_chosen_layer_and_direction(visit):
    tab = looking(visit, num_layers=2, bidirectional=True)
    horizon = horizon_here(tab)
    for layer, direction in ((0, 0), (1, 1)):
        tab.set("layer", layer).set("direction", direction)
        d_h, constants = horizon.d_h[layer, direction, 0], horizon.time_constants[layer, direction, 0]
        np.testing.assert_allclose(values(tab.figure("horizon_figure"), 1), d_h / d_h.max())
        np.testing.assert_allclose(values(tab.figure("time_constants"), 0), np.sort(constants))
        assert unescaped(time_constants_sentence(constants)).replace("**", "") in tab.words().replace("**", "")


def test_of_classes_the_likeliest_is_meant(visit):
    tab = visit("data").upload(labelled_csv()).set("seq_len", 5).train(epochs=3)
    tab.go("gates").set("view", VIEW)
    run = tab.training
    predictions = predict(run.current_model(), run.windows, run.windows.starts["test"][-1:])[0]
    d_x = horizon_here(tab, int(predictions.argmax())).d_x[0]
    np.testing.assert_allclose(values(tab.figure("horizon_figure"), 0), d_x / d_x.max())


@pytest.mark.parametrize(
    ("constants", "words"),
    [
        (
            [1.0, 3.0, 140.2],
            "half of the units forget within **3** steps; the slowest remembers for about **140** steps",
        ),
        ([0.2, 0.5, 1.0], "within less than a step; the slowest remembers for about **1** step."),
        ([2.34, 2.34, np.inf], "within **2.3** steps; the slowest never forgets"),
        ([5000.0], "the unit forgets within **5,000** steps"),
        ([np.inf], "the unit never forgets"),
    ],
)
def test_time_constants_in_words(constants, words):
    assert words in time_constants_sentence(np.array(constants))


def test_the_rivals_are_trained_and_all_cells_are_on_one_picture(visit):
    tab = looking(visit)
    steps = tab.training.step
    assert "as many as this model" in tab.widget("rivals_train").help
    compared(tab)
    assert not tab.errors()
    assert [line["name"] for line in tab.figure("cells_figure")["data"]] == ["LSTM", "GRU", "RNN"]
    shown = table(tab)
    assert shown["steps"].to_dict() == {"LSTM": steps, "GRU": steps, "RNN": steps}
    hidden = tab.training.experiment.model.hidden_size
    for cell, rows in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
        assert shown["parameters"][cell] == rows * hidden * (1 + hidden + 2) + hidden + 1
    assert shown["validation loss"].notna().all()
    for rival in tab.training.cache["rivals"].runs:
        assert shown["validation loss"][rival.experiment.model.module_name] == pytest.approx(
            rival._trainer.evaluate("valid"), rel=1e-6
        )


def test_the_picture_and_its_sentence_are_the_mean_over_the_windows_that_it_names(visit):
    tab = compared(looking(visit))
    run = tab.training
    starts = cell_comparison_view._comparison_windows(run)
    assert f"Mean over {len(starts)} windows" in tab.words()
    assert set(starts) <= set(run.windows.starts["valid"])
    x = torch.from_numpy(run.windows.inputs(starts))
    models = {"lstm": run.current_model()} | {
        r.experiment.model.cell: r.current_model() for r in run.cache["rivals"].runs
    }
    horizons = {cell: memory_horizon(models[cell], x) for cell in ("lstm", "gru", "rnn")}
    of_x = {cell: horizon.d_x.mean(0) for cell, horizon in horizons.items()}
    for line, curve in enumerate(of_x.values()):
        np.testing.assert_allclose(values(tab.figure("cells_figure"), line), curve[::-1] / curve.max())
    assert unescaped(cells_sentence(of_x)) in tab.words()
    tab.set("rivals_of", "h")
    of_h = {cell: horizon.d_h[0, 0].mean(0) for cell, horizon in horizons.items()}
    of_h["lstm, c"] = horizons["lstm"].d_c[0, 0].mean(0)
    assert len(tab.figure("cells_figure")["data"]) == 4
    for line, curve in enumerate(of_h.values()):
        np.testing.assert_allclose(values(tab.figure("cells_figure"), line), curve[::-1] / curve.max())


def test_a_model_of_another_age_than_its_rivals_is_said_to_be_so(visit):
    tab = compared(looking(visit))
    assert "the other cells of step" not in tab.words()
    tab.training.change(epochs=1000)
    steps = tab.training.step
    tab.training.start(steps)
    tab.finish()
    assert f"The model above is of step {2 * steps:,}, the other cells of step {steps:,}" in tab.words()
    assert table(tab)["steps"].to_dict() == {"LSTM": 2 * steps, "GRU": steps, "RNN": steps}


@pytest.mark.parametrize(
    ("curve", "words"),
    [
        ([1.0, 1.0, 1.0], "even its first step has more than 1\u202f% of the strongest influence."),
        (
            [0.2, 0.4, 1.0],
            "the strongest influence, though steps more than **1** before the end have less than half.",
        ),
        ([0.001, 0.6, 1.0], "Steps more than **2** before the end have less than half"),
    ],
)
def test_how_far_back_in_words(curve, words):
    assert words in horizon_sentence(GradientHorizon(np.array([curve]), np.ones((1, 1, 1, 3))))


def test_a_sentence_names_the_shortest_memory_first():
    fading = {
        "lstm": 0.9 ** np.arange(60)[::-1],
        "gru": 0.99 ** np.arange(60)[::-1],
        "rnn": 0.5 ** np.arange(60)[::-1],
    }
    assert [steps_until_faded(curve, 0.01) for curve in fading.values()] == [44, 60, 7]
    assert cells_sentence(fading) == (
        "The RNN's gradient falls below 1\u202f% of its largest after **7** steps, the LSTM's after **44**, the GRU's "
        "not within the window's **60** steps."
    )
    assert cells_sentence({cell: np.ones(5) for cell in fading}) == (
        "No cell's gradient falls below 1\u202f% of its largest within the window's **5** steps."
    )


@pytest.mark.parametrize("cell", ["gru", pytest.param("rnn", marks=pytest.mark.slow)])
def test_a_gru_or_rnn_looks_back_too_and_its_rivals_are_the_others(visit, cell):
    tab = looking(visit, cell=cell, num_layers=2, bidirectional=True)
    assert len(tab.figure("horizon_figure")["data"]) == 2
    assert not [c for c in tab.at.get("plotly_chart") if c.proto.id.endswith("time_constants")]
    compared(tab)
    assert not tab.errors()
    run = tab.training
    others = [asdict(rival.experiment.model) for rival in run.cache["rivals"].runs]
    assert [other.pop("cell") for other in others] == [c for c in ("lstm", "gru", "rnn") if c != cell]
    mine = asdict(run.experiment.model)
    mine.pop("cell")
    assert others == [mine, mine]
    assert not tab.set("rivals_of", "h").set("layer", 1).set("direction", 1).errors()


def test_nothing_is_computed_again_at_a_rerun(visit, monkeypatch):
    tab = compared(looking(visit))

    def refuse(*args, **more):
        raise AssertionError("computed again")

    monkeypatch.setattr("pages.shared.gates.gradient_horizon.memory_horizon", refuse)
    monkeypatch.setattr("pages.shared.gates.cell_comparison.memory_horizon", refuse)
    tab.run()
    assert [line["name"] for line in tab.figure("cells_figure")["data"]] == ["LSTM", "GRU", "RNN"]


def test_training_rivals_show_their_progress_and_can_be_cancelled(visit, monkeypatch):
    monkeypatch.setattr(cell_comparison_view, "MAX_STEPS", 10**7)
    monkeypatch.setattr(cell_comparison, "MAX_STEPS", 10**7)
    tab = looking(visit)
    run = tab.training
    run._trainer.step = 10**7  # a run that has had so many
    tab.press("rivals_train")
    result = run.cache["rivals"]
    for rival in result.runs:
        rival._trainer.change(epochs=1_000_000)
    wait_until(lambda: all(rival.step > 1 for rival in result.runs), "they train")
    other = visit("gates", run=tab.id).set("view", VIEW)  # another tab sees the same
    for each in (tab.run(), other):
        assert [bar.proto.text.split(":")[0] for bar in each.at.get("progress")] == ["GRU", "RNN"]
        assert "of 10,000,000" in each.at.get("progress")[0].proto.text
    other.press("rivals_cancel")
    assert not result.is_active
    assert "rivals" not in run.cache
    assert tab.run().pressable("rivals_train")
    assert run.status == "finished"


def test_a_model_that_has_not_trained_has_no_rivals_yet(visit):
    tab = visit("gates").set("view", VIEW)
    tab.workspace.start_training()
    tab.run()
    assert not tab.pressable("rivals_train")
    assert "Train this model first" in tab.widget("rivals_train").help


def test_another_model_starts_without_rivals(visit):
    tab = compared(looking(visit))
    tab.train(epochs=1).go("gates")
    assert tab.widget("view").value == VIEW
    assert not [c for c in tab.at.get("plotly_chart") if c.proto.id.endswith("cells_figure")]
    assert "again" not in tab.widget("rivals_train").label


def test_rivals_that_do_not_fit_are_refused_in_one_sentence(visit, monkeypatch):
    tab = looking(visit)
    monkeypatch.setattr(cell_comparison, "free_memory", lambda: 10_000)
    tab.press("rivals_train")
    assert len(tab.errors()) == 1
    assert "This model would need" in tab.errors()[0]
    assert tab.run().errors()
    monkeypatch.undo()
    assert not compared(tab).errors()


def test_a_rival_that_diverges_says_so_and_is_drawn_as_it_was_last(visit):
    tab = visit("model").set("hidden_size", 4).go("train").set("optimizer", "SGD").train(epochs=1)
    tab.training.change(lr=1e6, max_grad_norm=0.0)
    tab.go("gates").set("view", VIEW)
    compared(tab)
    stopped = [rival for rival in tab.training.cache["rivals"].runs if rival.status == "failed"]
    assert len(stopped) == 2
    for rival in stopped:
        assert f"The {rival.experiment.model.module_name} stopped: " in tab.words()
    assert len(tab.figure("cells_figure")["data"]) == 3


def test_a_gradient_that_is_no_number_is_said_in_one_sentence(visit):
    tab = looking(visit)
    tab.press("rivals_train")
    result = tab.training.cache["rivals"]
    wait_until(lambda: not result.is_active, "the rivals had trained")
    result.runs[1]._trainer.parameters[0].data.fill_(float("nan"))
    assert len(tab.run().errors()) == 1
    assert "before the training diverged" in tab.errors()[0]
    assert tab.pressable("rivals_train")
    assert not compared(tab).errors()
