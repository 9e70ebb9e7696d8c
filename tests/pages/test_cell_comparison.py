"""Gates, "How far back?": the cells that the model is compared with are trained, shown, cancelled and dropped."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
import torch

from lstm_core.analysis.gradient_horizon import memory_horizon, steps_until_faded
from lstm_core.runs import cell_comparison
from pages.shared.gates import cell_comparison as cell_comparison_view
from pages.shared.gates.cell_comparison import cells_sentence
from tests.pages.conftest import HOW_FAR_BACK, Visitor, how_far_back, plotly_values, unescaped, wait_until


def compared(tab: Visitor) -> Visitor:
    """Press the button and come back when the other cells have trained."""
    tab.press("comparison_train")
    result = tab.training.cache["comparison"]
    wait_until(lambda: not result.is_active, "the other cells had trained")
    return tab.run()


def table(tab: Visitor):
    return next(d.value for d in tab.at.dataframe if "cell" in d.value.columns).set_index("cell")


def test_the_other_cells_are_trained_and_all_cells_are_on_one_picture(visit):
    tab = how_far_back(visit)
    steps = tab.training.step
    assert "as many as this model" in tab.widget("comparison_train").help
    compared(tab)
    assert not tab.errors()
    assert [line["name"] for line in tab.figure("cells_figure")["data"]] == ["LSTM", "GRU", "RNN"]
    shown = table(tab)
    assert shown["steps"].to_dict() == {"LSTM": steps, "GRU": steps, "RNN": steps}
    hidden = tab.training.experiment.model.hidden_size
    for cell, rows in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
        assert shown["parameters"][cell] == rows * hidden * (1 + hidden + 2) + hidden + 1
    assert shown["validation loss"].notna().all()
    for other in tab.training.cache["comparison"].runs:
        assert shown["validation loss"][other.experiment.model.module_name] == pytest.approx(
            other._mirror.current.evaluate("valid"), rel=1e-6
        )


def test_the_picture_and_its_sentence_are_the_mean_over_the_windows_that_it_names(visit):
    tab = compared(how_far_back(visit))
    run = tab.training
    starts = cell_comparison_view._comparison_windows(run)
    assert f"Mean over {len(starts)} windows" in tab.words()
    assert set(starts) <= set(run.windows.starts["valid"])
    x = torch.from_numpy(run.windows.inputs(starts))
    models = {"lstm": run.current_model()} | {
        r.experiment.model.cell: r.current_model() for r in run.cache["comparison"].runs
    }
    horizons = {cell: memory_horizon(models[cell], x) for cell in ("lstm", "gru", "rnn")}
    of_x = {cell: horizon.d_x.mean(0) for cell, horizon in horizons.items()}
    for line, curve in enumerate(of_x.values()):
        np.testing.assert_allclose(plotly_values(tab.figure("cells_figure"), line), curve[::-1] / curve.max())
    assert unescaped(cells_sentence(of_x)) in tab.words()
    tab.set("comparison_of", "h")
    of_h = {cell: horizon.d_h[0, 0].mean(0) for cell, horizon in horizons.items()}
    of_h["lstm, c"] = horizons["lstm"].d_c[0, 0].mean(0)
    assert len(tab.figure("cells_figure")["data"]) == 4
    for line, curve in enumerate(of_h.values()):
        np.testing.assert_allclose(plotly_values(tab.figure("cells_figure"), line), curve[::-1] / curve.max())


def test_a_model_at_another_step_than_the_other_cells_is_said_to_be_so(visit):
    tab = compared(how_far_back(visit))
    assert "the other cells of step" not in tab.words()
    tab.training.change(epochs=1000, patience=0)
    steps = tab.training.step
    tab.training.start(steps)
    tab.finish()
    assert f"The model above is of step {2 * steps:,}, the other cells of step {steps:,}" in tab.words()
    assert table(tab)["steps"].to_dict() == {"LSTM": 2 * steps, "GRU": steps, "RNN": steps}


def test_a_sentence_names_the_shortest_memory_first():
    fading = {"lstm": 0.9 ** np.arange(60)[::-1], "gru": 0.99 ** np.arange(60)[::-1], "rnn": 0.5 ** np.arange(60)[::-1]}
    assert [steps_until_faded(curve, 0.01) for curve in fading.values()] == [44, 60, 7]
    assert cells_sentence(fading) == (
        "The RNN's gradient falls below 1\u202f% of its largest after **7** steps, the LSTM's after **44**, the GRU's "
        "not within the window's **60** steps."
    )
    assert cells_sentence({cell: np.ones(5) for cell in fading}) == (
        "No cell's gradient falls below 1\u202f% of its largest within the window's **5** steps."
    )


@pytest.mark.parametrize("cell", ["gru", pytest.param("rnn", marks=pytest.mark.slow)])
def test_a_gru_or_rnn_looks_back_too_and_is_compared_with_the_others(visit, cell):
    tab = how_far_back(visit, cell=cell, num_layers=2, bidirectional=True)
    assert len(tab.figure("horizon_figure")["data"]) == 2
    assert not [c for c in tab.at.get("plotly_chart") if c.proto.id.endswith("time_constants")]
    compared(tab)
    assert not tab.errors()
    run = tab.training
    others = [asdict(one.experiment.model) for one in run.cache["comparison"].runs]
    assert [other.pop("cell") for other in others] == [c for c in ("lstm", "gru", "rnn") if c != cell]
    mine = asdict(run.experiment.model)
    mine.pop("cell")
    assert others == [mine, mine]
    assert not tab.set("comparison_of", "h").set("layer", 1).set("direction", 1).errors()


def test_nothing_is_computed_again_at_a_rerun(visit, monkeypatch):
    tab = compared(how_far_back(visit))

    def refuse(*args, **more):
        raise AssertionError("computed again")

    monkeypatch.setattr("pages.shared.gates.gradient_horizon.memory_horizon", refuse)
    monkeypatch.setattr("pages.shared.gates.cell_comparison.memory_horizon", refuse)
    tab.run()
    assert [line["name"] for line in tab.figure("cells_figure")["data"]] == ["LSTM", "GRU", "RNN"]


def test_a_comparison_in_training_shows_its_progress_and_can_be_cancelled(visit, monkeypatch):
    monkeypatch.setattr(cell_comparison_view, "MAX_STEPS", 10**7)
    monkeypatch.setattr(cell_comparison, "MAX_STEPS", 10**7)
    tab = how_far_back(visit)
    run = tab.training
    tab.go("train").press("reset").go("gates").set("view", HOW_FAR_BACK)
    run = tab.training
    run.train_here(1)
    run.change(
        epochs=1_000_000, patience=0
    )  # before the press: the other cells' few epochs would be over before one looks
    run._mirror.current.step = 10**7  # a run that has had so many
    before = run.status
    tab.run().press("comparison_train")
    result = run.cache["comparison"]
    wait_until(lambda: all(one.step > 1 for one in result.runs), "they train")
    second = visit("gates", run=tab.id).set("view", HOW_FAR_BACK)  # another tab sees the same
    for each in (tab.run(), second):
        assert [bar.proto.text.split(":")[0] for bar in each.at.get("progress")] == ["GRU", "RNN"]
        assert "of 10,000,000" in each.at.get("progress")[0].proto.text
    second.press("comparison_cancel")
    assert not result.is_active
    assert "comparison" not in run.cache
    assert tab.run().pressable("comparison_train")
    assert run.status == before


def test_a_model_that_has_not_trained_has_no_comparison_yet(visit):
    tab = visit("gates").set("view", HOW_FAR_BACK)
    tab.workspace.start_training()
    tab.run()
    assert not tab.pressable("comparison_train")
    assert "Train this model first" in tab.widget("comparison_train").help


def test_another_model_starts_without_a_comparison(visit):
    tab = compared(how_far_back(visit))
    tab.train(epochs=1).go("gates")
    assert tab.widget("view").value == HOW_FAR_BACK
    assert not [c for c in tab.at.get("plotly_chart") if c.proto.id.endswith("cells_figure")]
    assert "again" not in tab.widget("comparison_train").label


def test_cells_that_do_not_fit_are_refused_in_one_sentence(visit, monkeypatch):
    tab = how_far_back(visit)
    monkeypatch.setattr(cell_comparison, "free_memory", lambda: 10_000)
    tab.press("comparison_train")
    assert len(tab.errors()) == 1
    assert "This model would need" in tab.errors()[0]
    assert tab.run().errors()
    monkeypatch.undo()
    assert not compared(tab).errors()


def test_a_cell_that_diverges_says_so_and_is_drawn_as_it_was_last(visit):
    tab = visit("model").set("hidden_size", 4).go("train").set("optimizer", "SGD").train(epochs=1)
    tab.training.change(lr=1e6, max_grad_norm=0.0)
    tab.go("gates").set("view", HOW_FAR_BACK)
    compared(tab)
    stopped = [other for other in tab.training.cache["comparison"].runs if other.status == "failed"]
    assert len(stopped) == 2
    for other in stopped:
        assert f"The {other.experiment.model.module_name} stopped: " in tab.words()
    assert len(tab.figure("cells_figure")["data"]) == 3


def test_a_gradient_that_is_no_number_is_said_in_one_sentence(visit):
    tab = how_far_back(visit)
    tab.press("comparison_train")
    result = tab.training.cache["comparison"]
    wait_until(lambda: not result.is_active, "the other cells had trained")
    result.runs[1]._mirror.current.parameters[0].data.fill_(float("nan"))
    assert len(tab.run().errors()) == 1
    assert "before the training diverged" in tab.errors()[0]
    assert tab.pressable("comparison_train")
    assert not compared(tab).errors()
