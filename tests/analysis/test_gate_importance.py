"""Predictions under interventions are those of the altered run, and a gate's importance is what freezing it costs."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from lstm_core.analysis import gate_importance as importance
from lstm_core.analysis.gate_importance import gate_importance, model_with_interventions, predict_with_interventions
from lstm_core.data.windows import make_windows
from lstm_core.experiment import Experiment, ModelSpec, PlaygroundError
from lstm_core.forecasting.predict import predict
from lstm_core.forecasting.scores import evaluate_windows
from lstm_core.model.recurrent import build_model
from lstm_core.trace.gate_trace import trace_lstm
from lstm_core.trace.interventions import Intervention, trace_with
from lstm_core.training.linear_skip import SkipChoice, fit_skip
from tests.factories import series, spec_of

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


def windows_and_model(labels=False, **fields):
    table = series(90, y=["u", "v", "w"] * 30) if labels else series(90)
    windows = make_windows(table, spec_of(seq_len=6, horizon=0 if labels else 2))
    spec = ModelSpec(**({"hidden_size": 5} | fields))
    return windows, build_model(spec, windows.input_size, windows.output_size)


SPECS = [
    {},
    dict(num_layers=2, bidirectional=True, head="per_step"),
    dict(proj_size=3, bias=False, batch_first=False),
    dict(num_layers=2, bidirectional=True, dropout=0.4, forget_bias=1.0, proj_size=2),
]


@pytest.mark.parametrize("fields", SPECS)
@pytest.mark.parametrize("labels", [False, True])
def test_predictions_with_edits_are_those_of_the_altered_run(fields, labels, monkeypatch):
    windows, model = windows_and_model(labels, **fields)
    starts, top = windows.starts["train"], model.spec.num_layers - 1
    edits = [Intervention("clamp", "f", 1.0, layer=top), Intervention("input_add", value=0.5, steps=(2,))]
    model.eval()
    trace = trace_with(model.lstm, model.to_module_layout(torch.from_numpy(windows.inputs(starts))), edits)
    with torch.no_grad():
        if model.spec.head == "per_step":
            predictions = model.head(trace.output if model.spec.batch_first else trace.output.transpose(0, 1))[:, -1]
        else:
            predictions = model.head(torch.cat(list(trace.h_n[-model.spec.num_directions :]), 1))
    want = (
        predictions.softmax(-1).numpy()
        if labels
        else windows.inverse_transform(predictions.numpy(), windows.last_rows(starts))
    )
    np.testing.assert_allclose(predict_with_interventions(model, windows, starts, edits), want, rtol=1e-5, atol=1e-6)
    monkeypatch.setattr(importance, "_at_once", lambda lstm, seq_len: 25)  # the last part is smaller
    np.testing.assert_allclose(predict_with_interventions(model, windows, starts, edits), want, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        predict_with_interventions(model, windows, starts, []), predict(model, windows, starts), rtol=1e-6, atol=1e-6
    )


def test_a_linear_skip_reads_the_edited_input_and_no_gate():
    windows = make_windows(series(90), spec_of(seq_len=6, horizon=2))
    model = build_model(ModelSpec(hidden_size=5, linear_skip=True), *windows.model_sizes).eval()
    fit_skip(model, Experiment(model=model.spec), windows, SkipChoice(1.0, 1.0))
    starts = windows.starts["valid"]
    x = torch.from_numpy(windows.inputs(starts))
    edits = [Intervention("zero", "h"), Intervention("input_set", value=0.5, steps=(2, 5), units=(1,))]
    with torch.no_grad():
        x[:, [2, 5], 1] = 0.5
        want = windows.inverse_transform(
            (model.skip(x.flatten(1)) + model.head.bias).numpy(), windows.last_rows(starts)
        )
    np.testing.assert_allclose(predict_with_interventions(model, windows, starts, edits), want, rtol=1e-5)
    assert {one.measure for one in gate_importance(model, windows, starts)} == {"RMSE"}


def test_predicting_with_edits_leaves_the_model_and_its_mode_alone():
    windows, model = windows_and_model(num_layers=2, dropout=0.5)
    model.train()
    before, lstm = copy.deepcopy(model.state_dict()), model.lstm
    predictions = [
        predict_with_interventions(model, windows, windows.starts["valid"], [Intervention("zero", "c")])
        for _ in range(2)
    ]
    gate_importance(model, windows, windows.starts["valid"])
    np.testing.assert_array_equal(*predictions)
    assert model.lstm is lstm
    assert model.training
    assert lstm.training
    assert all(p.requires_grad for p in model.parameters())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_a_part_without_windows_has_no_predictions_and_no_importance():
    windows, model = windows_and_model()
    none = windows.starts["train"][:0]
    assert predict_with_interventions(model, windows, none, [Intervention("clamp", "f", 1.0)]).shape == (0, 2, 1)
    assert gate_importance(model, windows, none) == []
    with pytest.raises(PlaygroundError, match="names layer 1"):
        predict_with_interventions(model, windows, none, [Intervention("clamp", "f", layer=1)])


@pytest.mark.parametrize("fields", SPECS)
@pytest.mark.parametrize("labels", [False, True])
def test_importance_is_what_its_own_edit_does(fields, labels, monkeypatch):
    """Told by frozen weights, and here again by the step loop; the means by a trace of all windows at once."""
    windows, model = windows_and_model(labels, **fields)
    starts = windows.starts["train"]
    importances = gate_importance(model, windows, starts)
    trace = trace_lstm(model.eval().lstm, model.to_module_layout(torch.from_numpy(windows.inputs(starts))))
    targets = windows.targets(starts)

    def score(edits):
        if model.spec.head == "per_step":  # whose every step is scored
            score = evaluate_windows(model_with_interventions(model, windows, edits), windows, "train", starts).model
            return score.accuracy if labels else score.rmse
        predictions = predict_with_interventions(model, windows, starts, edits)
        if labels:
            return (predictions.argmax(1) == targets).mean()
        return np.sqrt(((predictions - targets) ** 2).mean())

    places = {
        (entry.intervention.layer, entry.intervention.direction, entry.intervention.gate) for entry in importances
    }
    assert len(places) == len(importances) == 4 * model.spec.num_layers * model.spec.num_directions
    for entry in importances:
        edit = entry.intervention
        mean = trace.gate(edit.gate)[edit.layer, edit.direction].mean((0, 1))
        np.testing.assert_allclose(edit.value, mean, atol=1e-5)
        assert (edit.kind, edit.units, edit.steps) == ("clamp", None, None)
        assert entry.measure == ("accuracy" if labels else "RMSE")
        assert entry.score == pytest.approx(score([]), rel=1e-5)
        assert entry.frozen_score == pytest.approx(score([edit]), rel=1e-4)
        assert entry.score_drop == pytest.approx((entry.frozen_score - entry.score) * (-1 if labels else 1))
    harms = [entry.score_drop for entry in importances]
    assert harms == sorted(harms, reverse=True)
    monkeypatch.setattr(importance, "_at_once", lambda lstm, seq_len: 25)
    for one, other in zip(importances, gate_importance(model, windows, starts), strict=True):
        assert (one.score, one.frozen_score) == pytest.approx((other.score, other.frozen_score), rel=1e-4)


def test_a_gate_that_alone_carries_the_answer_matters_most():
    """One unit that passes its input on through g, its other gates open or shut whatever they read."""
    windows, model = windows_and_model(hidden_size=1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        model.lstm.weight_ih_l0[2, 0] = 1.0
        model.lstm.bias_ih_l0.copy_(torch.tensor([40.0, -40.0, 0.0, 40.0]))
        model.head.weight.fill_(2.0)
    most, *others = gate_importance(model, windows, windows.starts["train"])
    assert most.intervention.gate == "g"
    assert most.frozen_score > 2 * most.score
    assert [entry.score_drop for entry in others] == pytest.approx([0.0] * 3, abs=1e-12)


def test_importance_uses_at_most_so_many_windows_evenly_spread():
    windows, model = windows_and_model()
    starts = windows.starts["train"]
    few = gate_importance(model, windows, starts, limit=3)
    chosen = starts[[0, round((len(starts) - 1) / 2), -1]]
    assert few == gate_importance(model, windows, chosen)
    assert few != gate_importance(model, windows, starts)


def test_the_importance_of_a_model_gone_nan_is_refused():
    windows, model = windows_and_model()
    with torch.no_grad():
        model.lstm.weight_hh_l0[0, 0] = torch.nan
    with pytest.raises(PlaygroundError, match=r"gates are not finite numbers .* before the training diverged"):
        gate_importance(model, windows, windows.starts["train"])


def test_a_part_of_the_windows_is_as_large_as_its_trace_may_be_and_never_empty():
    lstm = nn.LSTM(3, 128, 2, bidirectional=True)
    assert importance._at_once(lstm, 200) * 6 * 128 * 4 * 200 <= 1 << 24
    assert importance._at_once(lstm, 200) > 10
    assert importance._at_once(lstm, 10**6) == 1
