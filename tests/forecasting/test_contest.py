"""Contest: every method on the LSTM's own test windows, in the target's units; the best is named whoever it is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lstm_core.data.table import ColumnRoles, Table
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, ModelSpec, PlaygroundError
from lstm_core.forecasting import contest as contest_module
from lstm_core.forecasting.contest import (
    LSTM,
    QUICK,
    Contest,
    baseline_errors,
    contest_of,
    model_errors,
    run_contest,
    train_seeds,
)
from lstm_core.forecasting.predict import predict
from lstm_core.forecasting.recipe import default_horizon, recommended_experiment
from lstm_core.model.recurrent import build_model

SEASON = np.tile([3.0, 5.0, 9.0, 4.0], 40)


def table_of(**columns: np.ndarray) -> Table:
    return Table.from_columns("sales.csv", columns, ColumnRoles())


def series(seed: int = 3, rows: int = 160) -> np.ndarray:
    return 20 + SEASON[:rows] + np.random.default_rng(seed).normal(size=rows).cumsum()


def spec_of(**fields) -> DataSpec:
    first = {"targets": ("y",), "features": ("y",), "seq_len": 6, "horizon": 3, "start": "last", "season": 4}
    return DataSpec(**(first | fields))


def model_for(windows):
    spec = ModelSpec(hidden_size=4, zero_head=True)
    return build_model(spec, windows.input_size, windows.output_size).eval()


def test_all_are_scored_on_the_lstms_own_windows():
    y = series()
    windows = make_windows(table_of(y=y), spec_of())
    origins = windows.last_rows(windows.starts["test"])
    truth = y[origins[:, None] + np.arange(1, 4)]
    model = model_for(windows)
    result = contest_of(model, windows, QUICK)
    assert result.windows == len(origins) and result.horizon == 3 and result.series == 1
    want = {
        "persistence": y[origins][:, None] - truth,
        "seasonal_naive": y[origins[:, None] + np.arange(1, 4) - 4] - truth,
        "mean": y[:112].mean() - truth,
        LSTM: predict(model, windows, windows.starts["test"])[..., 0] - truth,
    }
    for name, errors in want.items():
        assert result.rmse[name] == pytest.approx(np.sqrt(np.square(errors).mean()))
        assert result.first_step[name] == pytest.approx(np.sqrt(np.square(errors[:, 0]).mean()))
    assert result.rmse[LSTM] == pytest.approx(result.rmse["persistence"])  # its zero head is the start itself
    assert result.rmse["ets"] is None


def test_each_series_has_baselines_of_its_own_and_errors_are_pooled():
    parts = [series(1, 100), 1000 + 50 * series(2, 140)]
    name = np.repeat(["a", "b"], [100, 140])
    both = make_windows(table_of(y=np.concatenate(parts), shop=name), spec_of(group="shop"))
    alone = [make_windows(table_of(y=part), spec_of()) for part in parts]
    counts = [len(one.starts["test"]) for one in alone]
    got, each = baseline_errors(both, QUICK), [baseline_errors(one, QUICK) for one in alone]
    assert len(both.starts["test"]) == sum(counts)
    for name in QUICK:
        squares = np.average([np.square(one[name]) for one in each], axis=0, weights=counts)
        np.testing.assert_allclose(got[name], np.sqrt(squares))


def test_gaps_are_filled_forward_and_rows_that_are_not_scored_stay_out():
    y = series()
    y[[0, 150]] = np.nan
    windows = make_windows(table_of(y=y), spec_of(horizon=1, seq_len=4))
    origins = windows.last_rows(windows.starts["test"])
    assert 149 not in origins and 150 in origins
    filled = y.copy()
    filled[150] = y[149]
    (rmse,) = baseline_errors(windows, ("persistence",))["persistence"]
    assert rmse == pytest.approx(np.sqrt(np.square(filled[origins] - y[origins + 1]).mean()))


def test_a_method_that_does_not_apply_has_no_error():
    windows = make_windows(table_of(y=np.random.default_rng(0).normal(size=160)), spec_of(season=0))
    result = baseline_errors(windows, QUICK)
    assert result["seasonal_naive"] is None and result["arima"] is None and result["drift"] is not None


def test_ets_and_arima_are_left_out_for_many_series(monkeypatch):
    def refuse(*arguments):
        raise AssertionError

    monkeypatch.setitem(contest_module.BASELINES, "ets", refuse)
    y, name = np.tile(series(rows=80), 11), np.repeat([f"s{k:02}" for k in range(11)], 80)
    windows = make_windows(table_of(y=y, shop=name), spec_of(group="shop"))
    assert baseline_errors(windows, ("ets", "mean"))["ets"] is None


def test_seeds_repeat_and_differ_and_the_first_is_the_experiments_own():
    table = table_of(y=series())
    experiment = recommended_experiment(table, spec_of(start="none", season=0, horizon=2))
    experiment = dataclasses.replace(experiment, train=dataclasses.replace(experiment.train, epochs=3))
    windows = make_windows(table, experiment.data)
    one, two = train_seeds(windows, experiment, range(2))
    assert len(one) == 2 and one != two
    assert train_seeds(windows, experiment, (1,)) == (two,)
    assert one == model_errors(contest_module.train_seed(windows, experiment, 0).model, windows)


def test_a_contest_of_a_table_takes_what_is_recommended_and_can_be_cancelled():
    table, shares = table_of(y=series()), []
    data = spec_of(start="none", season=0, horizon=1)
    result = run_contest(table, data, seeds=1, names=QUICK, progress=lambda share, what: shares.append(share))
    assert result.start == recommended_experiment(table, data).data.start and result.season == 4
    assert shares == sorted(shares) and shares[0] >= 0 and shares[-1] <= 1

    def cancel(share: float, what: str) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        run_contest(table, data, seeds=1, names=QUICK, progress=cancel)


def contest_with(lstm, **baselines) -> Contest:
    values = {name: None if value is None else (value,) for name, value in baselines.items()}
    return Contest("y", 0, 1, 31, 1, "last", 0, values, tuple((value,) for value in lstm))


@pytest.mark.parametrize(
    ("contest", "best", "sentence"),
    [
        (
            contest_with((12.8, 13.4, 12.8), persistence=20.0, ets=None, arima=12.3),
            "arima",
            "AutoARIMA is best here: RMSE 12.3; the LSTM's is 13.0 (12.8–13.4 over 3 seeds).",
        ),
        (
            contest_with((12.0, 12.6), persistence=20.0, ridge=12.5),
            LSTM,
            "The LSTM is best here: RMSE 12.3 (12.0–12.6 over 2 seeds); next comes ridge regression with 12.5, within "
            "that spread.",
        ),
        (
            contest_with((20.0,), persistence=20.0),
            "persistence",
            "Persistence (the last value) is best here: RMSE 20.0; the LSTM's is the same.",
        ),
    ],
)
def test_the_best_is_named_also_when_it_is_not_the_lstm(contest, best, sentence):
    assert contest.best == best
    assert contest.sentence() == sentence


def test_the_default_horizon_is_a_season_or_12_rows_and_leaves_test_windows():
    data = spec_of(start="none", season=0)
    assert default_horizon(table_of(y=series()), data) == 4
    noise = np.random.default_rng(0).normal(size=200)
    assert default_horizon(table_of(y=noise), data) == 12
    assert default_horizon(table_of(y=noise[:60]), data) == 9


def test_classes_and_labels_are_refused():
    windows = make_windows(table_of(y=series()), spec_of())
    with pytest.raises(PlaygroundError, match="choose a number"):
        contest_of(model_for(windows), dataclasses.replace(windows, spec=spec_of(horizon=0, start="none")), QUICK)
