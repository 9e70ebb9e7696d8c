from __future__ import annotations

import numpy as np
import pytest
import torch

from lstm_core.data.generators import generate
from lstm_core.data.generators.reber import LEGAL, SYMBOLS, decode_one_hot, states_after
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.lessons.catalog.papers.reber.scores import (
    EARLY_STEPS,
    STREAM_STEPS,
    STREAMS,
    ReberPredictions,
    longest_error_free,
    mean_by_position,
    memory_unit,
    one_hot,
    predict_streams,
    predict_test_strings,
    recall_history,
    solved_history,
    unseen_streams,
)
from lstm_core.runs.run import Run
from lstm_core.trace.gate_trace import trace_lstm
from lstm_core.training.trainer import Trainer

STRING = "BTBTXSET"  # T is to be said again after its E


def padded(text: str, front: int = 2) -> np.ndarray:
    return np.array([[-1] * front + [SYMBOLS.index(letter) for letter in text]])


def knowing(symbols: np.ndarray) -> np.ndarray:
    """Outputs that say exactly what the grammar allows."""
    return LEGAL[states_after(symbols)].astype(np.float32)


def run_of(name: str, seq_len: int = 24, epochs: int = 2, seed: int = 0) -> Run:
    data = DataSpec(
        "generator",
        name,
        length=30,
        seq_len=seq_len,
        noise=0.0,
        seed=seed,
        targets=("next",),
        features=SYMBOLS,
        group="sequence",
        horizon=0,
        scaling="none",
    )
    experiment = Experiment(data, ModelSpec(hidden_size=3, head="per_step"), TrainSpec(epochs=epochs, batch_size=8))
    table = generate(data)
    run = Run(Trainer(make_windows(table, data), experiment), table)
    run.train_here()
    return run


def test_one_who_knows_the_grammar_is_right_everywhere():
    symbols = padded(STRING)
    result = ReberPredictions(symbols, knowing(symbols))
    assert result.solved.tolist() == [True]
    assert np.isnan(result.legal_ranked_first[0, :2]).all() and (result.legal_ranked_first[0, 2:] == 1).all()
    assert np.flatnonzero(~np.isnan(result.recalled[0])).tolist() == [8]  # after the inner string's E
    assert result.recalled[0, 8] == 1


def test_one_symbol_wrong_is_a_string_wrong_and_both_legal_ones_count():
    symbols = np.repeat(padded(STRING), 4, axis=0)
    predictions = knowing(symbols)
    predictions[0, 4, SYMBOLS.index("P")] = 0.5  # after BTB: T and P are legal; still above the others
    predictions[1, 4, SYMBOLS.index("P")] = -1  # one of the two legal ones falls behind
    predictions[2, 4, SYMBOLS.index("E")] = 1  # as active as a legal one: not good enough
    predictions[3, 8, SYMBOLS.index("P")] = 2  # P for T at the end
    result = ReberPredictions(symbols, predictions)
    assert result.solved.tolist() == [True, False, False, False]
    assert result.legal_ranked_first[1:3, 4].tolist() == [0, 0]
    assert result.recalled[:, 8].tolist() == [1, 1, 1, 0]


def test_means_by_position_leave_out_what_is_not_scored():
    values = np.array([[1.0, np.nan, 0.0, 0.0, 5.0], [0.0, np.nan, np.nan, 1.0, 5.0]])
    x, y = mean_by_position(values, 2)
    assert x.tolist() == [1.0, 3.0]
    np.testing.assert_allclose(y, [0.5, 1 / 3])


def test_one_hot_is_what_the_windows_show():
    run = run_of("embedded_reber")
    x = run.windows.inputs(run.windows.starts["test"])
    np.testing.assert_array_equal(one_hot(decode_one_hot(x)), x)
    assert one_hot(decode_one_hot(x)).dtype == np.float32


def test_strings_are_those_of_the_test_part_and_the_shares_go_along_the_training():
    run = run_of("embedded_reber")
    result = predict_test_strings(run)
    windows = run.windows
    with torch.no_grad():
        predictions = run.current_model()(torch.from_numpy(windows.inputs(windows.starts["test"])))
    np.testing.assert_array_equal(result.logits, predictions.numpy())
    epochs, shares = solved_history(run)
    assert epochs[0] == 0 and epochs[-1] == 2 and (np.diff(epochs) > 0).all()
    assert shares.shape == epochs.shape and shares[-1] == result.solved.mean()


def test_streams_were_not_trained_on_and_stay_the_same():
    run = run_of("continual_reber", 40)
    x = unseen_streams(run)
    assert x.shape == (STREAMS, STREAM_STEPS, 7) and unseen_streams(run) is x
    starts = run.windows.starts["train"]
    trained = {row.tobytes() for row in run.windows.inputs(starts)}
    assert not trained & {row[:40].tobytes() for row in x}
    assert not np.array_equal(x, unseen_streams(run_of("continual_reber", 40, seed=1)))
    result = predict_streams(run)
    assert result.logits.shape == (STREAMS, STREAM_STEPS, 7)
    epochs, shares = recall_history(run)
    early = result.recalled[:, :EARLY_STEPS]
    assert shares[-1] == pytest.approx(np.nanmean(early), abs=0.01) and len(shares) == len(epochs)


def test_a_reading_follows_the_training():
    run = run_of("continual_reber", 40, epochs=1)
    before = predict_streams(run)
    assert predict_streams(run) is before
    run._mirror.current.change(epochs=2)
    run.train_here()
    assert not np.array_equal(predict_streams(run).logits, before.logits)


def test_the_unit_that_holds_t_or_p_is_found_where_one_was_put():
    run = run_of("embedded_reber", 24)
    lstm, unit = run._mirror.current.model.lstm, 1
    with torch.no_grad():  # by hand: g follows T and P, i opens only after B and before anything was held
        for parameter in lstm.parameters():
            parameter.normal_(0, 0.05, generator=torch.Generator().manual_seed(0))
        lstm.bias_ih_l0[3 + unit] = 20.0  # f: always open
        lstm.weight_ih_l0[6 + unit, SYMBOLS.index("T")] = 5.0
        lstm.weight_ih_l0[6 + unit, SYMBOLS.index("P")] = -5.0
    result = memory_unit(run, "train")
    assert (result.gate, result.unit) == ("c", unit)
    x = run.windows.inputs(run.windows.starts["test"])
    trace = trace_lstm(run.current_model().lstm, torch.from_numpy(x))
    np.testing.assert_array_equal(result.values_in(trace), trace.c[0, 0, :, :, unit].numpy())


def test_the_longest_stretch_without_an_error_is_between_two_errors_or_an_end():
    right = np.array([[1, 1, 0, 1, 1, 1, 0, 1], [1] * 8, [0] * 8, [0, 1, 1, 1, 1, 1, 1, 1]], float)
    predictions = ReberPredictions(np.zeros((4, 8), int), np.zeros((4, 8, 7)))
    predictions.__dict__["legal_ranked_first"] = right
    assert longest_error_free(predictions).tolist() == [3, 8, 0, 7]
