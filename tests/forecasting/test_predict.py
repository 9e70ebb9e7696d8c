"""Predictions in the table's own units."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lstm_core.data.windows import make_windows
from lstm_core.experiment import ModelSpec
from lstm_core.forecasting import predict as predictions
from lstm_core.forecasting.predict import predict
from lstm_core.forecasting.scores import window_errors
from lstm_core.model.recurrent import build_model
from tests.factories import series, spec_of


def model_for(windows, **fields):
    return build_model(ModelSpec(**({"hidden_size": 5} | fields)), windows.input_size, windows.output_size)


@pytest.mark.parametrize("head", ["last", "per_step"])
@pytest.mark.parametrize("horizon", [0, 1, 3])
def test_predictions_are_the_models_own_in_the_tables_units(head, horizon, monkeypatch):
    windows = make_windows(series(80), spec_of(targets=("y", "b"), features=("a",), horizon=horizon))
    model, starts = model_for(windows, head=head), windows.starts["train"]
    with torch.no_grad():
        predicted = model(torch.from_numpy(windows.inputs(starts)))
    predicted = (predicted if head == "last" else predicted[:, -1]).numpy().reshape(len(starts), -1, 2)
    want = predicted * windows.y_scale + windows.y_center
    np.testing.assert_allclose(predict(model, windows, starts), want, rtol=1e-5)
    monkeypatch.setattr(predictions, "MAX_WINDOWS_AT_ONCE", 7)
    np.testing.assert_allclose(predict(model, windows, starts), want, rtol=1e-5)


def test_classes_get_probabilities():
    windows = make_windows(series(60, y=["u", "v", "w"] * 20), spec_of(horizon=0))
    starts = windows.starts["train"]
    predicted = predict(model_for(windows), windows, starts)
    assert predicted.shape == (len(starts), 3)
    np.testing.assert_allclose(predicted.sum(1), 1, rtol=1e-5)
    targets = windows.targets(starts)
    np.testing.assert_allclose(
        window_errors(windows, starts, predicted), [1 - s[t] for s, t in zip(predicted, targets, strict=True)]
    )


def test_predicting_drops_nothing_and_leaves_the_mode_alone():
    windows = make_windows(series(60), spec_of())
    model = model_for(windows, num_layers=2, dropout=0.5).train()
    starts = windows.starts["valid"]
    np.testing.assert_array_equal(predict(model, windows, starts), predict(model, windows, starts))
    assert model.training
    predict(model.eval(), windows, starts)
    assert not model.training
