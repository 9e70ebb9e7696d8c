"""Backtest: forecasts from rolling origins are those of the model, and a refit knows nothing past its origin."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, PlaygroundError, TrainSpec
from lstm_core.forecasting.backtest import backtest, periods_of, refit_from, refit_of
from lstm_core.forecasting.contest import model_errors
from lstm_core.forecasting.predict import predict
from lstm_core.model.recurrent import build_model
from lstm_core.training.trainer import Trainer
from tests.factories import table_of, timed

MODEL = ModelSpec(hidden_size=4, zero_head=True)


def windows_of(rows: int = 120, y: np.ndarray | None = None, step: str = "D", **fields) -> Windows:
    y = np.random.default_rng(0).normal(size=rows).cumsum() if y is None else y
    time = np.datetime64("2021-01-01") + np.arange(rows) * np.timedelta64(1, step)
    spec = {"targets": ("y",), "features": ("y",), "time": "time", "seq_len": 5, "horizon": 3, "start": "last"}
    return make_windows(timed(time, y=y), DataSpec(**(spec | fields)))


def model_for(windows: Windows, **fields):
    spec = dataclasses.replace(MODEL, **fields)
    return build_model(spec, windows.input_size, windows.output_size).eval()


def trained(windows: Windows, **train) -> Trainer:
    spec = TrainSpec(**({"epochs": 4, "patience": 4, "batch_size": 16, "device": "cpu"} | train))
    trainer = Trainer(windows, Experiment(windows.spec, MODEL, spec))
    for _ in trainer:
        pass
    return trainer


def test_without_a_refit_it_is_the_models_own_prediction_at_every_test_window():
    windows = windows_of()
    model = model_for(windows, zero_head=False)
    result, starts = backtest(model, windows), windows.starts["test"]
    np.testing.assert_array_equal(result.forecasts, predict(model, windows, starts)[..., 0])
    np.testing.assert_array_equal(result.truth, windows.targets(starts)[..., 0])
    np.testing.assert_array_equal(result.rows, result.origins[:, None] + [1, 2, 3])
    np.testing.assert_allclose(result.by_step(), model_errors(model, windows))
    assert result.rmse == pytest.approx(np.sqrt(np.square(result.by_origin()).mean()))
    assert result.spacing == 1 and not result.refitted


def test_origins_are_the_last_ones_so_far_apart():
    windows = windows_of()
    every = windows.last_rows(windows.starts["test"])
    model = model_for(windows)
    np.testing.assert_array_equal(backtest(model, windows, 4, 3).origins, every[-1] - [9, 6, 3, 0])
    spread = backtest(model, windows, 4)
    assert len(spread.origins) == 4 and spread.origins[-1] == every[-1]
    assert spread.origins[0] - every[0] < spread.spacing


def test_errors_by_period_pool_to_the_whole():
    windows = windows_of(rows=24 * 20, step="h", seq_len=4)
    result = backtest(model_for(windows), windows)
    assert periods_of(windows) == ("block", "weekday", "hour")
    for period in periods_of(windows):
        parts = list(result.by_period(windows, period).values())
        assert sum(count for _, count in parts) == result.truth.size
        assert np.sqrt(np.average([e**2 for e, _ in parts], weights=[c for _, c in parts])) == pytest.approx(
            result.rmse
        )
    hours = windows.time[result.rows].astype("M8[h]").astype(int) % 24
    of_seven = result.by_period(windows, "hour")["07:00"]
    assert of_seven == (pytest.approx(np.sqrt(np.square(result.errors[hours == 7]).mean())), (hours == 7).sum())


def test_a_weekday_is_told_by_name_and_only_of_days():
    y = np.zeros(140)
    y[np.arange(140) % 7 == 3] = 9.0  # 2021-01-01 was a Friday, so that these are Mondays
    windows = windows_of(140, y, horizon=1, start="mean")
    errors = backtest(model_for(windows), windows).by_period(windows, "weekday")
    assert max(errors, key=lambda day: errors[day][0]) == "Monday" and next(iter(errors)) == "Monday"
    assert periods_of(windows_of(rows=120, step="W")) == ("block", "month")


def test_a_refit_learns_what_is_known_at_its_origin_and_nothing_later():
    seen = []

    def refit(known, progress):
        seen.append(known)
        progress(1.0)
        return model_for(windows)

    windows = windows_of()
    result = backtest(model_for(windows), windows, 3, 5, refit)
    assert result.refitted and len(seen) == 3
    for known, origin in zip(seen, result.origins, strict=True):
        every = np.sort(np.concatenate(list(windows.starts.values())))
        np.testing.assert_array_equal(known, every[windows.target_rows(every)[:, -1] <= origin])
        assert windows.target_rows(known).max() == origin


def test_series_are_refitted_together_by_their_times():
    names = np.repeat(["a", "b"], [60, 80])
    day = np.concatenate([np.arange(20, 80), np.arange(80)])  # both end on the same day
    y = np.random.default_rng(0).normal(size=140)
    table = timed(np.datetime64("2021-01-01") + day, y=y, shop=names)
    spec = DataSpec(targets=("y",), features=("y",), time="time", group="shop", seq_len=5, horizon=2, start="last")
    windows, seen = make_windows(table, spec), []

    def refit(known, progress):
        seen.append(known)
        return model_for(windows)

    result = backtest(model_for(windows), windows, 4, 2, refit)
    assert len(result.origins) == 4 and len(seen) == 2
    times = windows.time[result.origins]
    for known, moment in zip(seen, np.unique(times), strict=True):
        last = windows.target_rows(known)[:, -1]
        assert windows.time[last].max() <= moment
        assert {0, 1} == set(np.searchsorted(windows.groups, known, side="right") - 1)
    assert set(result.by_period(windows, "series")) == {"a", "b"} and periods_of(windows)[0] == "series"


def test_a_refit_with_the_rows_of_the_training_is_the_training():
    windows = windows_of()
    trainer = trained(windows, patience=0, epochs=2)
    refit = refit_of(trainer)
    model = refit(windows.starts["train"], lambda share: None)
    assert model.head.weight.equal(trainer.model.head.weight)
    halved = refit_from(windows, trainer.experiment, trainer.step, 0.5)(windows.starts["train"], lambda share: None)
    np.testing.assert_allclose(halved.head.weight.detach(), trainer.model.head.weight.detach() / 2)


def test_where_the_untrained_model_was_the_best_a_refit_stays_untrained():
    windows = windows_of()
    model = refit_from(windows, Experiment(windows.spec, MODEL), 0)(windows.starts["train"], lambda share: None)
    assert not model.head.weight.any()


def test_it_can_be_cancelled_and_refuses_what_is_no_forecast():
    windows = windows_of()

    def cancel(share: float, what: str) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        backtest(model_for(windows), windows, progress=cancel)
    for arguments in ({"count": 0}, {"spacing": 0}):
        with pytest.raises(PlaygroundError, match="choose 1"):
            backtest(model_for(windows), windows, **arguments)
    same_row = make_windows(
        table_of(y=np.arange(60.0) % 7, x=np.arange(60.0) % 5),
        DataSpec(targets=("y",), features=("x",), seq_len=4, horizon=0),
    )
    with pytest.raises(PlaygroundError, match="choose a number"):
        backtest(model_for(same_row), same_row)
