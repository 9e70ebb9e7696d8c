"""twin: the other window that differs in one thing, found without being told which thing matters."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
import torch

from lstm_core.analysis.patching.run_pair import run_pair
from lstm_core.analysis.patching.twin import find_twin, prediction_spread, twin_kinds
from lstm_core.data.generators.reber import SYMBOLS, decode_one_hot
from lstm_core.data.windows import make_windows
from lstm_core.experiment import ModelSpec, PlaygroundError
from lstm_core.forecasting.predict import predict
from lstm_core.model.recurrent import build_model
from tests.factories import labelled, spec_of, table_of, trainer_of, wave
from tests.lessons.shipped import shipped_runs


@pytest.fixture(scope="module")
def reber():
    return shipped_runs("embedded_reber")["lstm"]


def test_of_embedded_reber_the_deciding_symbol_is_exchanged(reber):
    model, windows, right = reber.current_model(), reber.windows, 0
    starts = windows.starts["test"][:20]
    for start in starts:
        string = decode_one_hot(windows.inputs(np.array([start])))[0]
        deciding = len(string) - (string >= 0).sum() + 1
        twin = find_twin(model, windows, int(start))
        right += twin.steps == (deciding,)
        new, old = (SYMBOLS[int(one)] for one in (twin.x[twin.steps[0]].argmax(), string[twin.steps[0]]))
        assert twin.difference == f"{new} in place of {old} at step {twin.steps[0] + 1}"
        assert {SYMBOLS[k] for k in twin.output} == {"T", "P"} and twin.y_b > 0 > twin.y_a
    assert right == len(starts)


def test_its_predictions_are_those_of_the_pair_and_far_apart(reber):
    model, windows = reber.current_model(), reber.windows
    start, last = int(windows.starts["test"][0]), windows.spec.seq_len - 1
    for kind in twin_kinds(windows, start):
        twin = find_twin(model, windows, start, kind)
        x_a, x_b = torch.from_numpy(twin.x), torch.from_numpy(windows.inputs(np.array([start]))[0])
        pair = run_pair(model.lstm, model.head, x_a, x_b, twin.output, last)
        assert (pair.y_a, pair.y_b) == pytest.approx((twin.y_a, twin.y_b), abs=1e-4)
        pair.check(prediction_spread(model, windows, twin.output))
        assert twin.steps == tuple(np.flatnonzero((twin.x != x_b.numpy()).any(1)))


def test_a_step_of_a_head_at_every_step_hears_only_what_came_before(reber):
    model, windows = reber.current_model(), reber.windows
    start = int(windows.starts["test"][0])
    twin = find_twin(model, windows, start, step=windows.spec.seq_len - 3)
    assert twin.steps[0] <= windows.spec.seq_len - 3


def marker_windows():
    """The target is the value where the marker is 1, far back: with it a model can be built by hand."""
    rng = np.random.default_rng(0)
    a, marker = rng.normal(size=400), (np.arange(400) % 7 == 0).astype(float)
    return make_windows(table_of(a=a, marker=marker, y=a), spec_of(features=("a", "marker"), seq_len=5, scaling="none"))


def test_one_value_is_set_to_what_it_can_be_in_training():
    windows = marker_windows()
    model = build_model(ModelSpec(hidden_size=3), *windows.model_sizes).eval()
    with torch.no_grad():
        model.lstm.weight_ih_l0[:, 0] = 0.0  # it reads the marker alone
        model.lstm.weight_ih_l0[6:9, 1] = 4.0
    for start in windows.starts["test"][:5]:
        twin = find_twin(model, windows, int(start))
        x = windows.inputs(np.array([start]))[0]
        (changed,) = np.argwhere(twin.x != x)
        assert twin.kind == "value" and changed[1] == 1
        new, old = ("1", "0") if x[tuple(changed)] == 0 else ("0", "1")
        assert twin.difference == f"marker = {new} in place of {old} at step {changed[0] + 1}"
    twin = find_twin(model, windows, int(start), output=0)
    assert twin.output == 0


def test_a_value_is_told_in_its_own_units_at_its_own_time():
    row = np.arange(90.0)
    table = table_of(year=1900 + row, y=100 + 20 * np.sin(row / 3))
    windows = make_windows(table, spec_of(features=("y",), targets=("y",), time="year"))
    model = trainer_of(windows).model.eval()
    start = int(windows.starts["test"][0])
    twin = find_twin(model, windows, start)
    step = twin.steps[0]
    new = twin.x[step, 0] * windows.x_scale[0] + windows.x_center[0]
    shown = predict(model, windows, np.array([start]))[0, 0, 0]
    assert twin.shown_b == pytest.approx(shown) and twin.shown_a != twin.shown_b
    assert twin.shown_b == pytest.approx(twin.y_b * windows.y_scale[0] + windows.y_center[0])
    expected = f"y = {new:.4g} in place of {windows.y[start + step, 0]:.4g} at {1900 + start + step}"
    assert twin.difference == expected
    assert 80 <= new <= 120


def test_of_values_that_move_it_the_one_furthest_back_is_altered():
    windows = marker_windows()
    model = build_model(ModelSpec(hidden_size=3), *windows.model_sizes).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.lstm.weight_ih_l0[6:9, 0] = 1.0  # c adds up tanh(a) / 2, of which σ(0.2) is left after each step
        model.lstm.bias_ih_l0[3:6] = 0.2
        model.head.weight.fill_(1.0)
    start = int(windows.starts["test"][0])
    twin = find_twin(model, windows, start)
    x, moved = windows.inputs(np.array([start]))[0], []
    low, high = np.percentile(windows.scaled_x[windows.split_of_row == 0, 0], (5, 95)).astype(np.float32)
    for t in range(5):
        altered = np.stack([x, x, x])
        altered[1, t, 0], altered[2, t, 0] = low, high
        with torch.no_grad():
            y = model(torch.from_numpy(altered))[:, 0].numpy()
        moved.append(np.abs(y - y[0]).max())
    assert twin.steps == (int(np.argmax(np.array(moved) >= max(moved) / 5)),)


@pytest.mark.parametrize("windows", [wave(), labelled()], ids=["numbers", "classes"])
def test_the_nearest_window_with_another_outcome(windows):
    trainer = trainer_of(windows)
    list(trainer)
    model, starts = trainer.model.eval(), windows.starts["test"]
    start = int(starts[3])
    twin = find_twin(model, windows, start, "window")
    assert twin.start in starts and twin.start != start
    assert np.array_equal(twin.x, windows.inputs(np.array([twin.start]))[0])
    predictions, inputs = predict(model, windows, starts), windows.inputs(starts)
    distance = np.square(inputs - inputs[3]).sum((1, 2))
    if windows.classes:
        other = predictions.argmax(1) != predictions[3].argmax()
    else:
        other = np.abs(predictions - predictions[3])[:, 0, 0] > predictions.std()
    nearest = starts[np.where(other, distance, np.inf).argmin()]
    assert twin.start == nearest
    assert f"of {other.sum():,} with another outcome the most similar" in twin.difference


def test_the_step_of_the_exchange_can_be_chosen(reber):
    model, windows = reber.current_model(), reber.windows
    start, last = int(windows.starts["test"][0]), windows.spec.seq_len - 1
    for at in range(last - 5, last):
        with suppress(PlaygroundError):  # no other symbol may follow there
            assert find_twin(model, windows, start, "symbol", at=at).steps == (at,)
    with pytest.raises(PlaygroundError, match="No symbol at this step can be exchanged"):
        find_twin(model, windows, start, "symbol", at=0)  # padding
    windows = wave()
    model, start = trainer_of(windows).model.eval(), int(windows.starts["test"][0])
    assert [find_twin(model, windows, start, at=at).steps for at in range(6)] == [(at,) for at in range(6)]


def test_what_cannot_be_found_is_said_in_one_sentence(reber):
    windows = wave()
    model, start = trainer_of(windows).model.eval(), int(windows.starts["test"][0])
    for kind, sentence in (("symbol", "The inputs are no symbols"), ("best", "choose one of symbol, value, window")):
        with pytest.raises(PlaygroundError, match=sentence):
            find_twin(model, windows, start, kind)
    with torch.no_grad():
        model.head.weight.zero_()
    with pytest.raises(PlaygroundError, match="None of .* has another outcome"):
        find_twin(model, windows, start, "window")
    gru = build_model(ModelSpec(cell="gru"), *windows.model_sizes)
    with pytest.raises(PlaygroundError, match="nn.GRU"):
        find_twin(gru, windows, start)
