"""A linear skip in scores, sentences, forecasts and backtests: a part of the model, apart from what the LSTM adds."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import Experiment, ModelSpec, TrainSpec
from lstm_core.forecasting.backtest import backtest, refit_of
from lstm_core.forecasting.future import forecast, measure_bands
from lstm_core.forecasting.predict import predict, predict_skip
from lstm_core.forecasting.scores import SKIP, Evaluation, evaluate
from lstm_core.forecasting.verdict import start_sentence
from lstm_core.training.trainer import Trainer
from tests.factories import spec_of, table_of


def windows_of(**data) -> Windows:
    """k tells most of the next change."""
    k, noise = np.random.default_rng(0).normal(size=(2, 160))
    y = 50 + np.cumsum(np.roll(k, 1) + 0.3 * noise)
    fields = {"start": "last", "features": ("y", "k"), "seq_len": 5, "horizon": 2}
    return make_windows(table_of(y=y, k=k), spec_of(**fields | data))


def trained(windows: Windows, **train) -> Trainer:
    model = ModelSpec(hidden_size=4, zero_head=True, linear_skip=True)
    spec = TrainSpec(**{"epochs": 4, "patience": 0, "batch_size": 32, "lr": 0.03, "device": "cpu"} | train)
    trainer = Trainer(windows, Experiment(windows.spec, model, spec))
    for _ in trainer:
        pass
    return trainer


def skip_by_hand(trainer: Trainer, starts: np.ndarray) -> np.ndarray:
    windows, skip = trainer.windows, trainer.model.skip
    inputs = windows.inputs(starts).reshape(len(starts), -1)
    outputs = inputs @ skip.weight.detach().numpy().T + skip.bias.detach().numpy()
    return windows.inverse_transform(outputs, windows.last_rows(starts))


@pytest.mark.parametrize("data", [{}, {"start": "none"}])
def test_it_is_scored_by_itself_on_the_same_windows(data):
    trainer = trained(windows_of(**data))
    windows = trainer.windows
    starts, evaluation = windows.starts["test"], evaluate(trainer.model, windows, "test")
    alone = skip_by_hand(trainer, starts)
    np.testing.assert_allclose(predict_skip(trainer.model, windows, starts), alone, rtol=1e-5)
    error = alone - windows.targets(starts)
    assert evaluation.baselines[SKIP].rmse == pytest.approx(np.sqrt(np.square(error).mean()), rel=1e-4)
    assert evaluation.model.rmse != evaluation.baselines[SKIP].rmse
    with torch.no_grad():
        for parameter in trainer.model.skip.parameters():
            parameter.zero_()
    assert SKIP not in evaluate(trainer.model, windows, "test").baselines


def sentence(evaluation: Evaluation, windows: Windows, **changes) -> str:
    return start_sentence(windows, evaluation, **{"adds_nothing": False, "linear_skip": True} | changes)


def test_the_sentence_tells_the_three_parts():
    trainer = trained(windows_of())
    windows, evaluation = trainer.windows, evaluate(trainer.model, trainer.windows, "test")
    skip, rmse = (f"{score.rmse:.4g}" for score in (evaluation.baselines[SKIP], evaluation.model))
    assert sentence(evaluation, windows).endswith(f". The linear skip makes that {skip}, the LSTM {rmse}.")
    nothing = sentence(evaluation, windows, adds_nothing=True)
    assert nothing.startswith("Here the LSTM adds nothing to the last value and the linear skip together:")
    without = dataclasses.replace(evaluation, baselines={k: v for k, v in evaluation.baselines.items() if k != SKIP})
    assert "Its linear skip is left out" in sentence(without, windows)
    assert sentence(without, windows, linear_skip=False).endswith(f"The LSTM makes that {rmse}.")


@pytest.mark.parametrize("steps", [2, 5])
def test_a_forecast_has_what_the_skip_makes_of_the_start(steps):
    trainer = trained(windows_of())
    windows, model = trainer.windows, trainer.model
    bands = measure_bands(model, windows)
    (one,) = forecast(model, windows, steps, bands).series
    assert one.skip.shape == one.values.shape
    np.testing.assert_allclose(one.skip[:2], skip_by_hand(trainer, np.array([windows.rows - 5]))[0], rtol=1e-5)
    assert np.isfinite(one.skip).all() and (one.skip != one.start).any() and (one.skip != one.values).any()
    with torch.no_grad():
        for parameter in model.head.parameters():
            parameter.zero_()
    (alone,) = forecast(model, windows, steps, bands).series
    np.testing.assert_allclose(alone.values, alone.skip, rtol=1e-6)


def test_a_refit_at_an_origin_fits_it_to_what_is_known_there():
    trainer = trained(windows_of())
    windows = trainer.windows
    result = backtest(trainer.model, windows, count=2, refit=refit_of(trainer))
    same = backtest(trainer.model, windows, count=2)
    assert (result.forecasts != same.forecasts).any()
    known = windows.starts["train"]
    again = refit_of(trainer)(known, lambda share: None)
    assert torch.equal(again.skip.weight, trainer.model.skip.weight)  # the same windows, the same penalty
    more = refit_of(trainer)(np.sort(np.concatenate([known, windows.starts["valid"]])), lambda share: None)
    assert not torch.equal(more.skip.weight, trainer.model.skip.weight)


def test_the_prediction_is_the_skip_and_what_the_lstm_adds():
    trainer = trained(windows_of(start="none"))
    windows, starts = trainer.windows, trainer.windows.starts["test"]
    with torch.no_grad():
        x = torch.from_numpy(windows.inputs(starts))
        h = trainer.model.lstm(x)[1][0][-1]
        added = trainer.model.head(h).numpy().reshape(len(starts), 2, 1) * windows.y_scale
    np.testing.assert_allclose(
        predict(trainer.model, windows, starts), skip_by_hand(trainer, starts) + added, rtol=1e-5
    )
