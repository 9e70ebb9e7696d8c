"""What the stage is sent: the trace's own numbers, every weight once, and names that stay data."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from lstm_core.data.windows import make_windows
from lstm_core.figures import stage_scene as scenes
from tests.factories import MODELS, labelled, scene_of, series, spec_of, table_of, wave

SCRIPTS = Path(__file__).resolve().parents[2] / "pages/shared/components/stage"


def unpacked(header: dict, arrays: list[np.ndarray]) -> dict:
    """The arrays by what the header says that they are, taken one after the other as the browser does."""
    numbers = np.concatenate([np.ravel(array) for array in arrays]).astype(np.float32)
    at = 0

    def take(*shape: int) -> np.ndarray:
        nonlocal at
        result = numbers[at : at + int(np.prod(shape))].reshape(shape)
        at += result.size
        return result

    def weights() -> dict[str, np.ndarray]:
        return {name: take(*shape) for name, shape in header["parameters"]}

    steps, hidden, width = header["steps"], header["hidden"], header["width"]
    result = {"inputs": take(steps, len(header["features"])), "series": [take(steps) for _ in header["series"]]}
    result["trace"] = [
        [
            {name: take(width if name == "h" else hidden, steps) for name in "ifgoch"}
            for _ in range(header["directions"])
        ]
        for _ in range(header["layers"])
    ]
    result |= {"now": weights(), "snapshots": [weights() for _ in header["snapshots"]]}
    result["others"] = [weights() for _ in header["others"]]
    assert header["recipes"] == []  # what they need comes before the future
    if not header["future"]["why"]:
        result["after"] = take(header["future"]["rows"], len(header["features"]))
        result["truth after"] = take(header["future"]["rows"])
    assert at == len(numbers)
    return result


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_it_holds_the_trace_the_inputs_and_every_weight(model):
    run, snapshot, trace, x, header, arrays = scene_of(model)
    result = unpacked(header, arrays)
    assert np.array_equal(result["inputs"], x[0].numpy())
    for layer, directions in enumerate(result["trace"]):
        for direction, maps in enumerate(directions):
            for name, values in maps.items():
                assert np.array_equal(values, trace.gate(name)[layer, direction, 0].numpy().T), name
    for name, parameter in snapshot.model.named_parameters():
        assert np.array_equal(result["now"][name], parameter.detach().numpy()), name
    assert header["snapshots"] == [step for step in run.snapshots.steps if step < 5]
    for step, weights in zip(header["snapshots"], result["snapshots"], strict=True):
        for name, parameter in run.snapshot_at(step).model.named_parameters():
            assert np.array_equal(weights[name], parameter.detach().numpy()), (step, name)


def test_the_series_stands_in_the_tables_own_units():
    run, *_, header, arrays = scene_of({})
    windows = run.windows
    start = int(windows.starts["valid"][0])
    drawn = unpacked(header, arrays)["series"][0]
    want = windows.features[start : start + windows.spec.seq_len, 0]
    assert np.array_equal(drawn, want.astype(np.float32))
    assert header["center"] == float(windows.y_center[0]) and header["scale"] == [float(windows.y_scale[0])]


def test_the_truth_is_what_should_be_predicted_after_each_step():
    run, *_, header, _ = scene_of({})
    windows, start = run.windows, int(run.windows.starts["valid"][0])
    assert header["truth"] == [float(value) for value in windows.y[start + 1 : start + 1 + header["steps"], 0]]
    assert header["truth"][-1] == float(windows.targets(np.array([start]))[0, 0, 0])
    assert header["ahead"] == header["outputSteps"] == 1


def test_the_truth_of_the_whole_horizon_is_sent():
    """Of the first of two targets."""
    windows = make_windows(series(rows=120), spec_of(targets=("a", "y"), horizon=4))
    *_, header, _ = scene_of({}, windows)
    start = windows.starts["valid"][:1]
    assert header["horizon"] == windows.targets(start)[0, :, 0].tolist() == [float(start[0]) + k for k in range(4, 8)]
    assert scene_of({}, labelled())[-2]["horizon"] == []


def test_a_truth_that_is_not_known_is_none():
    run, *_, header, _ = scene_of({}, wave(gaps=tuple(range(0, 90, 4))))
    start = int(run.windows.starts["valid"][0])
    missing = np.isnan(run.windows.y[start + 1 : start + 1 + header["steps"], 0])
    assert missing.any()
    assert [value is None for value in header["truth"]] == list(missing)


def test_a_class_is_named_by_its_number():
    run, *_, header, _ = scene_of({}, labelled())
    windows = run.windows
    assert header["classes"] == list(windows.classes)
    assert header["truth"][-1] == int(windows.targets(windows.starts["valid"][:1])[0])
    assert header["symbols"] is None


def test_one_hot_inputs_are_symbols():
    rows = np.arange(90)
    letters = {name: (rows % 3 == k).astype(np.float32) for k, name in enumerate(("line end", "x", "space"))}
    windows = make_windows(
        table_of(**letters, y=np.where(rows % 3 == 2, "x", "space")), spec_of(features=tuple(letters), horizon=0)
    )
    run, *_, header, _ = scene_of({"head": "per_step"}, windows)
    start = int(run.windows.starts["valid"][0])
    assert header["symbols"] == [(start + k) % 3 for k in range(header["steps"])]
    assert header["glyphs"] == {"line end": "↵", "space": "␣"}


def test_the_target_leads_the_drawn_features():
    windows = make_windows(series(60), spec_of(features=("a", "b", "y")))
    *_, header, arrays = scene_of({}, windows)
    assert header["series"] == ["y", "a", "b"]
    assert [values[0] // 1000 for values in unpacked(header, arrays)["series"]] == [2, 0, 1]


def test_nothing_is_sent_that_the_stage_does_not_read():
    source = "".join(path.read_text(encoding="utf-8") for path in SCRIPTS.rglob("*.js"))
    *_, header, _ = scene_of({})
    assert [name for name in header if not re.search(rf"\b{name}\b", source)] == []


def test_the_header_is_json():
    for windows in (wave(), labelled()):
        *_, header, _ = scene_of({}, windows)
        assert json.loads(json.dumps(header, allow_nan=False)) == header


def test_snapshots_that_are_too_many_to_send_are_thinned(monkeypatch):
    run, *_, header, _ = scene_of({}, steps=12)
    size = run.snapshots.nearest(0).weights.nbytes
    assert len(header["snapshots"]) == 12
    monkeypatch.setattr(scenes, "MAX_BYTES", 4 * size)
    *_, fewer, _ = scene_of({}, steps=12)
    assert len(fewer["snapshots"]) == 4
    assert fewer["snapshots"][0] == 0
    monkeypatch.setattr(scenes, "MAX_BYTES", size)
    *_, none, arrays = scene_of({}, steps=12)
    assert none["snapshots"] == []
    unpacked(none, arrays)


def test_other_weights_come_along_under_their_label():
    other = scene_of({"seed": 7})[1]
    *_, header, arrays = scene_of({}, others={"the run before": other.flat_weights})
    assert header["others"] == ["the run before"]
    result = unpacked(header, arrays)["others"][0]
    assert all(np.array_equal(result[name], p.detach().numpy()) for name, p in other.model.named_parameters())
