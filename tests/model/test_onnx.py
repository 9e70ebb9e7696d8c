"""RawForecast and its ONNX file: raw rows in, the app's own predictions out."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import torch

from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, PlaygroundError
from lstm_core.forecasting.predict import predict
from lstm_core.model.onnx import METADATA, about, onnx_model, smooth_state
from lstm_core.model.raw_forecast import RawForecast
from lstm_core.model.recurrent import SequenceModel, build_model
from lstm_core.training.linear_skip import SkipChoice, fit_skip
from tests.conftest import quick
from tests.factories import labelled, table_of

ONE = {"targets": ("a",), "features": ("a", "k"), "seq_len": 6, "horizon": 3, "season": 5}
TWO = ONE | {"targets": ("a", "b"), "features": ("k", "b", "a")}
CONFIGURATIONS = {  # data, model
    "no start": (ONE | {"horizon": 1}, {}),
    "no start, known ahead": (ONE | {"known_future": ("k",), "scaling": "minmax"}, {"cell": "gru"}),
    "mean": (ONE | {"start": "mean", "log": True}, {"cell": "rnn"}),
    "last": (TWO | {"start": "last"}, {"num_layers": 2, "bidirectional": True}),
    "last, linear skip": (TWO | {"start": "last"}, {"linear_skip": True}),
    "season": (ONE | {"start": "season", "season": 8, "features": ("a",)}, {"head": "per_step"}),
    "season change": (TWO | {"start": "season_change", "horizon": 7, "log": True}, {"batch_first": False}),
    "season change, target not read": (ONE | {"start": "season_change", "season": 9, "features": ("k",)}, {}),
    "smooth": (TWO | {"start": "smooth", "season": 9}, {"zero_head": False}),
    "smooth, short season, known ahead": (ONE | {"start": "smooth", "known_future": ("k",), "season": 4}, {}),
    "smooth without a season": (ONE | {"start": "smooth", "season": 0, "log": True}, {}),
    "each series": (ONE | {"start": "season", "group": "g", "scale_per_series": True}, {}),
    "each series, smooth": (ONE | {"start": "smooth", "group": "g", "scale_per_series": True, "log": True}, {}),
}


def made(name: str) -> tuple[SequenceModel, Windows]:
    data, model = CONFIGURATIONS[name]
    rng, row = np.random.default_rng(0), np.arange(180)
    a = np.exp(row / 90 + np.sin(row) + 0.2 * rng.normal(size=180))
    group = np.repeat(["x", "y"], 90)
    table = table_of(a=a, b=rng.normal(size=180) + 1e6, k=rng.normal(size=180), g=group)
    windows = make_windows(table, DataSpec(**data))
    built = build_model(ModelSpec(hidden_size=5, **model), *windows.model_sizes)
    if built.spec.linear_skip:
        fit_skip(built, Experiment(model=built.spec), windows, SkipChoice(1.0, 1.0))
    return built, windows


def inputs_of(module: RawForecast, starts: np.ndarray) -> dict[str, np.ndarray]:
    """What the exported module reads for these windows; the raw values of the table."""
    windows = module.windows
    end = starts + windows.spec.seq_len
    first = end - module.history
    raw = np.stack([windows.table.column(name).values for name in module.columns], axis=1)
    given = {
        "rows": raw[first[:, None] + np.arange(module.history)],
        "series": np.searchsorted(windows.groups, first, side="right") - 1,
    }
    known = [module.columns.index(name) for name in module.known]
    ahead = np.minimum(end[:, None] + np.arange(module.ahead_rows), len(raw) - 1)
    given["ahead"] = raw[ahead][:, :, known]
    if module.kind == "smooth":
        given |= smooth_state(module, first)
    return {name: given[name] for name in module.input_names}


def late(windows: Windows) -> np.ndarray:
    """Windows far from the beginning of their series."""
    starts = np.concatenate(list(windows.starts.values()))
    begins = windows.groups[np.searchsorted(windows.groups, starts, side="right") - 1]
    return starts[starts - begins > 30]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_module_predicts_from_raw_rows_what_the_app_predicts(name):
    model, windows = made(name)
    module, starts = RawForecast(model, windows).eval(), late(windows)
    with torch.no_grad():
        outputs = module(*map(torch.from_numpy, inputs_of(module, starts).values()))
    expected = predict(model, windows, starts)
    assert outputs[0].shape == (len(starts), windows.output_steps, windows.y.shape[1])
    np.testing.assert_allclose(outputs[0].numpy(), expected, rtol=1e-5, atol=1e-5 * np.abs(expected).std())
    assert len(outputs) == len(module.output_names)
    inside = ~np.isin(starts + windows.spec.seq_len, windows.groups)
    following = inputs_of(module, starts[inside] + 1)  # the state that goes with rows one row later
    for key, values in zip(module.output_names[1:], outputs[1:], strict=True):
        np.testing.assert_allclose(values.numpy()[inside], following[key.removeprefix("next_")], rtol=1e-9, atol=1e-9)


def test_classes_come_as_probabilities():
    windows = labelled()
    model = build_model(ModelSpec(hidden_size=5), windows.input_size, windows.output_size)
    module, starts = RawForecast(model, windows).eval(), windows.starts["test"]
    with torch.no_grad():
        (outputs,) = module(*map(torch.from_numpy, inputs_of(module, starts).values()))
    np.testing.assert_allclose(outputs.numpy(), predict(model, windows, starts), rtol=1e-5, atol=1e-6)
    assert about(module)["classes"] == ["down", "up"]


@pytest.mark.extra
@pytest.mark.parametrize("name", quick(CONFIGURATIONS, "each series, smooth"))  # an export takes seconds
def test_the_file_predicts_what_the_app_predicts(name):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (requirements-extras.txt)")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed (requirements-extras.txt)")
    model, windows = made(name)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    session = runtime.InferenceSession(onnx_model(model, windows), providers=["CPUExecutionProvider"])
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    module = RawForecast(model, windows)
    assert [one.name for one in session.get_inputs()] == module.input_names
    assert all(isinstance(one.shape[0], str) for one in session.get_inputs())
    for starts in (late(windows), late(windows)[:1]):  # a batch of any size
        expected = predict(model, windows, starts)
        outputs = session.run(None, inputs_of(module, starts))
        np.testing.assert_allclose(outputs[0], expected, rtol=1e-5, atol=1e-5 * np.abs(windows.y).std())

    said = json.loads(session.get_modelmeta().custom_metadata_map[METADATA])
    assert said == json.loads(json.dumps(about(module)))
    if "state" in said:  # the forecast of the rows to come of the last series
        state = list(said["state"].values())[-1]
        last = inputs_of(module, np.array([windows.rows - windows.spec.seq_len]))
        assert session.run(["forecast"], last | {key: np.array([value]) for key, value in state.items()})[0].size
        for key, value in state.items():
            np.testing.assert_array_equal(last[key][0], value)


def test_what_cannot_be_exported_is_said(monkeypatch):
    windows = labelled()
    model = build_model(ModelSpec(hidden_size=5, proj_size=2), windows.input_size, windows.output_size)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(PlaygroundError, match="pip install onnx"):
        onnx_model(model, windows)
    monkeypatch.setitem(sys.modules, "onnx", sys)
    monkeypatch.setitem(sys.modules, "onnxscript", sys)
    with pytest.raises(PlaygroundError, match="proj_size"):
        onnx_model(model, windows)


def test_a_model_is_written_after_a_card_was_chosen_too(monkeypatch):
    """As resolve_device leaves PyTorch's flags: cuDNN's LSTMs in full float32."""
    pytest.importorskip("onnxscript", reason="onnxscript is not installed (requirements-extras.txt)")
    monkeypatch.setattr(torch.backends.cudnn.rnn, "fp32_precision", "ieee")
    windows = labelled()
    model = build_model(ModelSpec(hidden_size=3), *windows.model_sizes)
    assert onnx_model(model, windows)
    assert torch.backends.cudnn.rnn.fp32_precision == "ieee"
