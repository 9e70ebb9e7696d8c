"""What a model says in the table's own units, and its score beside naive answers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lstm_core.data.windows import make_windows
from lstm_core.experiment import ModelSpec
from lstm_core.forecasting import predict as predictions
from lstm_core.forecasting.metrics import Score, score_with_baselines, summarize, window_errors
from lstm_core.forecasting.predict import predict
from lstm_core.model.recurrent import build_model
from tests.factories import series, spec_of, table_of


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
    monkeypatch.setattr(predictions, "CHUNK", 7)
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


@pytest.mark.parametrize("head", ["last", "per_step"])
@pytest.mark.parametrize("label", [False, True])
def test_a_part_without_windows_has_no_predictions_and_no_scores(head, label):
    table = series(60, y=["u", "v"] * 30) if label else series(60)
    windows = make_windows(table, spec_of(train_share=0.8, valid_share=0.2, horizon=0 if label else 2))
    starts = windows.starts["test"]
    predicted = predict(model_for(windows, head=head), windows, starts)
    assert predicted.shape == ((0, 2) if label else (0, 2, 1))
    assert len(window_errors(windows, starts, predicted)) == 0
    assert score_with_baselines(windows, starts, predicted) == []
    assert summarize([]) == "This part has no windows."


def test_scores_beside_the_last_value_and_the_training_mean():
    y = np.array([3.0, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4])
    windows = make_windows(table_of(a=y, y=y), spec_of(features=("a",), seq_len=2, horizon=2, train_share=0.5))
    starts = windows.starts["test"]
    targets = windows.targets(starts)
    predicted = targets + np.array([[1.0], [-3.0]])  # (ahead, 1)
    model, last, mean = score_with_baselines(windows, starts, predicted)
    assert (model.name, model.mae, model.rmse) == ("this model", 2.0, pytest.approx(5**0.5))
    error = np.array([y[s + 2 : s + 4] - y[s + 1] for s in starts])
    assert last.name == "repeat the last value"
    assert last.rmse == pytest.approx((error**2).mean() ** 0.5)
    assert last.mae == pytest.approx(np.abs(error).mean())
    assert mean.mae == pytest.approx(np.abs(targets[..., 0] - y[:10].mean()).mean())
    np.testing.assert_allclose(window_errors(windows, starts, predicted), 2.0)


def test_the_last_value_counts_only_where_it_is_known():
    y = np.arange(40.0)
    y[36] = np.nan
    windows = make_windows(table_of(a=np.arange(40.0), y=y), spec_of(features=("a",), seq_len=2))
    starts = windows.starts["test"]
    _, last, _ = score_with_baselines(windows, starts, windows.targets(starts))
    assert last.rmse == 1.0


def test_a_row_that_is_seen_has_no_last_value_to_repeat():
    windows = make_windows(series(60), spec_of(horizon=0))
    starts = windows.starts["test"]
    result = score_with_baselines(windows, starts, windows.targets(starts))
    assert [score.name for score in result] == ["this model", "the training mean"]
    assert result[0].rmse == 0


def test_classes_are_scored_beside_the_commonest_of_the_training_part():
    labels = np.array(["u", "v", "v"] * 20)
    windows = make_windows(series(60, y=labels), spec_of(seq_len=1, horizon=0))
    starts = windows.starts["valid"]
    targets = windows.targets(starts)
    predicted = np.eye(2)[targets]
    predicted[0] = predicted[0][::-1]  # one wrong
    model, naive = score_with_baselines(windows, starts, predicted)
    assert model.accuracy == pytest.approx(1 - 1 / len(starts))
    assert naive.name == "always 'v'"
    assert naive.accuracy == (targets == 1).mean()


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ([Score("m", rmse=1), Score("repeat", rmse=4), Score("mean", rmse=2)], "is 50% lower than “mean” (2)."),
        ([Score("m", rmse=2), Score("repeat", rmse=2)], "is no better than “repeat” (2) so far."),
        ([Score("m", rmse=0.0), Score("repeat", rmse=0.0)], "is no better than “repeat” (0) so far."),
        (
            [Score("m", accuracy=0.9), Score("always 'v'", accuracy=0.5)],
            "90.0% right; always 'v' would be right 50.0% of",
        ),
        ([Score("m", accuracy=0.5), Score("always 'v'", accuracy=0.5)], "so it has not learned anything yet."),
    ],
)
def test_the_verdict_is_one_plain_sentence(result, says):
    assert says in summarize(result)
    assert summarize(result).endswith(".")
