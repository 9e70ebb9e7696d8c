"""Start: it opens trained, with its curve, its forecast and its gates, and leads on from there."""

from __future__ import annotations

import numpy as np


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


def test_draws_a_heatmap_of_the_forget_gates(visit):
    tab = visit()
    figure = tab.figure("start_heatmap")
    assert figure["data"][0]["type"] == "heatmap"
    assert "forget gates" in tab.words()


def test_trains_from_scratch_in_one_click(visit):
    tab = visit()
    example = tab.training
    button = next(b for b in tab.at.button if b.label == "Train it from scratch")
    button.click()
    tab.run()
    assert tab.at.title[0].value == "Train"
    assert tab.training is not example
    assert tab.training.experiment == example.experiment
    assert tab.training.is_active or tab.training.step > 0


def test_leads_to_ones_own_csv(visit):
    tab = visit()
    next(b for b in tab.at.button if b.label == "Use my CSV").click()
    tab.run()
    assert tab.at.title[0].value == "Data"
    assert tab.at.file_uploader(key="csv").value is None


def test_the_sidebar_tells_of_the_run_on_every_other_page(visit):
    tab = visit()
    for page in ("start", "data", "model", "gates"):
        tab.go(page)
        assert any("Trained" in m.value for m in tab.at.sidebar.markdown), page
    tab.go("train")
    assert not tab.at.sidebar.markdown
