"""Scores over all windows of a split against the same worked out in a few lines of numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lstm_core.data.windows import make_windows
from lstm_core.experiment import ModelSpec
from lstm_core.forecasting import predict as predictions
from lstm_core.forecasting.predict import predict
from lstm_core.forecasting.scores import MAJORITY, MEAN, PERSISTENCE, SAMPLE, Evaluation, Score, evaluate
from lstm_core.forecasting.verdict import lag_sentence, verdict
from lstm_core.model.recurrent import build_model
from tests.factories import series, spec_of, table_of


def model_for(windows, **fields):
    return build_model(ModelSpec(**({"hidden_size": 5} | fields)), windows.input_size, windows.output_size)


def errors(error: np.ndarray, scale: float | np.ndarray = np.nan) -> tuple[float, float, float]:
    """(RMSE, MAE, MASE); error: (…, targets)."""
    mase = np.nanmean(np.abs(error).mean(tuple(range(error.ndim - 1))) / scale)
    return np.sqrt((error**2).mean()), np.abs(error).mean(), mase


def assert_scores(score: Score, error: np.ndarray, scale: float | np.ndarray) -> None:
    assert (score.rmse, score.mae, score.mase) == pytest.approx(errors(error, scale), rel=1e-6)


@pytest.mark.parametrize("rows", [120, 3_600, 9_000])  # at 5,000 and more the test part used to have no window
@pytest.mark.parametrize("horizon", [1, 3])
def test_every_window_of_the_test_part_is_scored_beside_baselines_on_the_same(rows, horizon, monkeypatch):
    monkeypatch.setattr(predictions, "MAX_WINDOWS_AT_ONCE", 500)
    y = np.cumsum(np.random.default_rng(rows).normal(size=rows))
    windows = make_windows(table_of(y=y), spec_of(features=("y",), seq_len=12, horizon=horizon))
    y = y.astype(np.float32).astype(np.float64)
    model = model_for(windows)
    result = evaluate(model, windows, "test")
    n = round(rows * 0.85)
    starts = np.arange(n - 12, rows - 12 - horizon + 1)
    assert (result.windows, result.split_windows) == (len(starts), len(starts))
    targets = y[starts[:, None] + 12 + np.arange(horizon)]
    scale = np.abs(np.diff(y[: round(rows * 0.7)])).mean()
    assert_scores(result.model, (predict(model, windows, starts)[..., 0] - targets)[..., None], scale)
    assert_scores(result.baselines[PERSISTENCE], (y[starts + 11][:, None] - targets)[..., None], scale)
    assert_scores(result.baselines[MEAN], (y[: round(rows * 0.7)].mean() - targets)[..., None], scale)


def test_several_targets_are_pooled_and_their_mase_is_the_mean():
    table = series(200)
    windows = make_windows(table, spec_of(targets=("y", "b"), features=("a",), horizon=2))
    starts = windows.starts["test"]
    model = model_for(windows)
    error = predict(model, windows, starts) - windows.targets(starts)
    scale = np.abs(np.diff(windows.y[windows.split_of_row == 0].astype(float), axis=0)).mean(0)
    assert_scores(evaluate(model, windows, "test").model, error, scale)


def test_with_an_output_at_every_step_each_scored_step_counts_once():
    y = np.sin(np.arange(90.0))
    y[[7, 41, 80]] = np.nan
    windows = make_windows(table_of(a=np.arange(90.0), y=y), spec_of(features=("a",), seq_len=6, horizon=2))
    model = model_for(windows, head="per_step")
    result = evaluate(model, windows, "test")
    found = []
    with torch.no_grad():
        for start in windows.starts["test"]:
            out = model(torch.from_numpy(windows.inputs(np.array([start]))))[0].numpy().reshape(6, 2)
            for step in range(6):
                rows = start + step + np.array([1, 2])
                error = out[step] * windows.y_scale + windows.y_center - windows.y[rows, 0]
                found += list(error[windows.split_of_row[rows] == 2])
    found = np.array(found)[~np.isnan(found)]
    assert (result.model.rmse, result.model.mae) == pytest.approx(errors(found[:, None])[:2], rel=1e-5)


def test_persistence_repeats_the_last_value_that_is_known_in_the_sequence():
    y = np.arange(40.0)
    y[35:37] = np.nan
    windows = make_windows(table_of(a=np.arange(40.0), y=y), spec_of(features=("a",), seq_len=2))
    starts = windows.starts["test"]
    last = {row: max(k for k in range(row) if not np.isnan(y[k])) for row in range(1, 40)}
    error = np.array([y[row] - y[last[row]] for row in starts + 2])
    assert error.max() == 3
    persistence = evaluate(model_for(windows), windows, "test").baselines[PERSISTENCE]
    assert persistence.mae == pytest.approx(np.abs(error).mean())


def test_the_change_from_one_sequence_to_the_next_is_no_change():
    table = table_of(y=np.r_[np.arange(30.0), 1e6 + np.arange(30.0)], id=["a"] * 30 + ["b"] * 30)
    windows = make_windows(table, spec_of(features=("y",), group="id", seq_len=3))
    result = evaluate(model_for(windows), windows, "test")
    assert result.model.mase == pytest.approx(result.model.mae)  # all changes are 1
    assert result.baselines[PERSISTENCE].mae == 1


def test_with_horizon_0_there_is_no_last_value_to_repeat():
    windows = make_windows(series(60), spec_of(horizon=0))
    assert list(evaluate(model_for(windows), windows, "test").baselines) == [MEAN]


def test_a_split_without_windows_has_no_score():
    windows = make_windows(series(60), spec_of(train_share=0.8, valid_share=0.2, horizon=2))
    assert evaluate(model_for(windows), windows, "test") is None


def test_a_sample_says_of_how_many_it_is():
    windows = make_windows(series(4000), spec_of())
    sample = evaluate(model_for(windows), windows, "test", SAMPLE)
    assert sample.coverage == f"a sample of 300 of the {len(windows.starts['test'])} test windows"
    assert evaluate(model_for(windows), windows, "test").coverage == f"all {len(windows.starts['test'])} test windows"


def test_the_majority_class_is_the_training_parts_scored_on_the_test_part():
    labels = np.array(["u", "u", "v"] * 20 + ["v", "v", "w"] * 10)
    windows = make_windows(series(90, y=labels), spec_of(seq_len=1, horizon=0, train_share=0.6, valid_share=0.1))
    model = model_for(windows)
    result = evaluate(model, windows, "test")
    starts = windows.starts["test"]
    truth, guess = windows.targets(starts), predict(model, windows, starts).argmax(1)
    confusion = np.array([[((truth == a) & (guess == b)).sum() for b in range(3)] for a in range(3)])
    np.testing.assert_array_equal(result.confusion, confusion)
    recall = [confusion[a, a] / confusion[a].sum() for a in range(3) if confusion[a].sum()]
    assert result.model.accuracy == pytest.approx((truth == guess).mean())
    assert result.model.balanced_accuracy == pytest.approx(np.mean(recall))
    assert result.majority == "u"
    assert result.baselines[MAJORITY].accuracy == pytest.approx((truth == 0).mean())
    assert result.baselines[MAJORITY].balanced_accuracy == pytest.approx(1 / len(recall) if 0 in truth else 0)


def test_a_model_that_repeats_the_last_value_is_found_to_lag():
    y = np.cumsum(np.random.default_rng(1).normal(size=900))
    windows = make_windows(table_of(y=y), spec_of(features=("y",), seq_len=4))
    model = model_for(windows, hidden_size=1)
    with torch.no_grad():  # an LSTM of one unit that is nearly y[t-1]: gates open, small weights
        for p in model.parameters():
            p.zero_()
        model.lstm.bias_ih_l0[:] = torch.tensor([20.0, -20.0, 0.0, 20.0])
        model.lstm.weight_ih_l0[2] = 0.01
        model.head.weight.fill_(100.0)
    result = evaluate(model, windows, "test")
    starts = windows.starts["test"]
    guess = predict(model, windows, starts)[:, 0, 0]
    now, before = (np.corrcoef(guess, windows.y[starts + k, 0])[0, 1] for k in (4, 3))
    assert result.lag == pytest.approx((now, before), abs=1e-5)
    assert "lag by one row" in lag_sentence(result) and f"{before:.3f}" in lag_sentence(result)


def of(rmse: float, baseline: float) -> Evaluation:
    return Evaluation("test", 9, 9, Score(rmse=rmse), {PERSISTENCE: Score(rmse=baseline), MEAN: Score(rmse=99.0)})


def of_classes(accuracy: float, majority: float) -> Evaluation:
    scores = Score(accuracy=accuracy), {MAJORITY: Score(accuracy=majority)}
    return Evaluation("test", 9, 9, *scores, np.eye(2), majority="v")


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (of(1, 2), "(RMSE 1.000) is 50\u202f% lower than that of persistence (the last value) (2.000)."),
        (of(2, 2), "is the same as that of persistence"),
        (of(0, 0), "is the same as"),
        (
            of(1.31, 1),
            "is 31\u202f% higher than that of persistence (the last value) (1.000): the simple answer is better.",
        ),
        (of(3.629, 1.295), "is 2.8 times that of persistence (the last value) (1.295): the simple answer is better."),
        (of_classes(0.9, 0.5), "90.0\u202f% are right, more than the 50.0\u202f% of always answering 'v'"),
        (of_classes(0.3, 0.5), "30.0\u202f% are right, fewer than the 50.0\u202f% of always answering 'v'"),
        (of_classes(0.5, 0.5), "50.0\u202f% are right, as many as by always answering 'v'"),
    ],
)
def test_the_verdict_is_one_plain_sentence_and_never_the_reverse(result, says):
    assert says in verdict(result)
    assert verdict(result).endswith(".")


def test_steps_without_a_start_are_not_scored():
    """With an output at every step the first steps of a series have no season change to start from yet."""
    y = np.tile([1.0, 4.0, 2.0], 30) + np.arange(90)
    spec = spec_of(start="season_change", season=3, features=("y",), seq_len=12, horizon=5, train_share=0.3)
    windows = make_windows(table_of(y=y), spec)
    result = evaluate(model_for(windows, head="per_step"), windows, "train")
    assert np.isfinite(result.model.rmse) and np.isfinite(result.baselines["start"].rmse)
