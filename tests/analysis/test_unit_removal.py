"""Units taken out: what is left is an ordinary nn.LSTM that computes what the big one does with them frozen."""

from __future__ import annotations

import re

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from lstm_core.analysis.unit_removal import (
    UnitRemoval,
    freeze_units,
    removal_sentence,
    remove_greedily,
    remove_units,
    smaller_model,
)
from lstm_core.analysis.window_score import Scale
from lstm_core.data.windows import make_windows
from lstm_core.experiment import ModelSpec, PlaygroundError
from lstm_core.forecasting.scores import evaluate_windows
from lstm_core.model.import_weights import read_lstms
from lstm_core.model.recurrent import SequenceModel, build_model
from tests.conftest import examples
from tests.factories import series, some, spec_of

SHAPES = [
    {},
    {"bias": False, "head": "per_step"},
    {"bidirectional": True},
    {"num_layers": 3, "bidirectional": True, "batch_first": False},
    {"num_layers": 2, "head": "per_step", "dropout": 0.4},
]


def a_model(**fields) -> SequenceModel:
    return build_model(ModelSpec(**({"hidden_size": 5} | fields)), 2, 2).eval()


def rows_of(spec: ModelSpec) -> list[tuple[int, int]]:
    return [(layer, d) for layer in range(spec.num_layers) for d in range(spec.num_directions)]


@torch.no_grad()
def step_by_step(model: SequenceModel, x: Tensor, constants: dict[tuple[int, int, int], float]) -> Tensor:
    """The head's output (batch, outputs) at the last step, or (batch, seq_len, outputs), with h of some units held at a
    constant before, at and after every step."""
    spec, steps = model.spec, x
    for layer in range(spec.num_layers):
        outputs, last = [], []
        for direction in range(spec.num_directions):
            weights = model.lstm.all_weights[layer * spec.num_directions + direction]
            held = {u: value for (at, d, u), value in constants.items() if (at, d) == (layer, direction)}
            h, c, kept = x.new_zeros(len(x), spec.hidden_size), x.new_zeros(len(x), spec.hidden_size), []
            for step in (steps.flip(1) if direction else steps).unbind(1):
                for unit, value in held.items():
                    h[:, unit] = value
                gates = step @ weights[0].T + h @ weights[1].T + sum(weights[2:])
                i, f, g, o = gates.chunk(4, 1)
                c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                h = o.sigmoid() * c.tanh()
                for unit, value in held.items():
                    h[:, unit] = value
                kept.append(h.clone())
            outputs.append(torch.stack(kept[::-1] if direction else kept, 1))
            last.append(h)
        steps = torch.cat(outputs, 2)
    return model.head(steps if spec.head == "per_step" else torch.cat(last, 1))


@pytest.mark.parametrize("fields", SHAPES, ids=str)
def test_the_smaller_lstm_computes_what_the_big_one_does_with_units_frozen(fields):
    model, x = a_model(**fields), some(3, 7, 2)
    rng = np.random.default_rng(1)
    units = {row: rng.permutation(5)[:2] for row in rows_of(model.spec)}
    constants = {(*row, int(u)): float(rng.uniform(-0.6, 0.6)) for row, pair in units.items() for u in pair}
    smaller = remove_units(model, constants)
    assert smaller.spec.hidden_size == 3 and isinstance(smaller.lstm, nn.LSTM)
    want = step_by_step(model, x, constants)
    with torch.no_grad():
        assert (smaller(x) - want).abs().max() < 1e-6
        assert (freeze_units(model, constants)(x) - want).abs().max() < 1e-6


@pytest.mark.parametrize("fields", SHAPES, ids=str)
def test_removing_units_that_never_move_changes_nothing(fields):
    model, x = a_model(**fields), some(3, 7, 2)
    constants = {(*row, k % 5): 0.0 for k, row in enumerate(rows_of(model.spec))}
    with torch.no_grad():
        for layer, direction, unit in constants:  # g = tanh 0 at every step: c and h stay 0
            for weight in model.lstm.all_weights[layer * model.spec.num_directions + direction]:
                weight[10 + unit] = 0.0
        assert (remove_units(model, constants)(x) - model(x)).abs().max() < 1e-6


def test_a_unit_that_is_constant_from_its_initial_state_on_goes_without_a_trace():
    """f = 0, i = o = 1, and g from its bias alone: h = tanh(tanh 1) at every step, and before the first."""
    model, x, unit = a_model(head="per_step"), some(3, 7, 2), 2
    with torch.no_grad():
        for weight in (model.lstm.weight_ih_l0, model.lstm.weight_hh_l0):
            weight[unit::5] = 0.0
        model.lstm.bias_hh_l0[unit::5] = 0.0
        model.lstm.bias_ih_l0[unit::5] = torch.tensor([40.0, -40.0, 1.0, 40.0])
        h = float(torch.tensor(1.0).tanh().tanh())
        h_0 = torch.zeros(1, 3, 5)
        h_0[..., unit] = h
        want = model(x, (h_0, torch.zeros(1, 3, 5)))
        assert (remove_units(model, {(0, 0, unit): h})(x) - want).abs().max() < 1e-6


def test_what_is_left_is_saved_and_read_as_any_nn_lstm():
    model, x = a_model(num_layers=2), some(2, 4, 2)
    smaller = remove_units(model, {(0, 0, 1): 0.2, (1, 0, 4): -0.1})
    data = safetensors.torch.save(smaller.state_dict())
    lstm = read_lstms(data, "smaller.safetensors")["lstm"]
    plain = nn.LSTM(2, 4, 2, batch_first=True)
    plain.load_state_dict({name.removeprefix("lstm."): w for name, w in smaller.state_dict().items() if "lstm" in name})
    with torch.no_grad():
        assert torch.equal(lstm(x)[0], plain(x)[0])
        assert torch.allclose(smaller.head(plain(x)[0][:, -1]), smaller(x), atol=1e-6)


@examples(20)
@given(st.integers(0, 2**31), st.sampled_from(SHAPES), st.integers(1, 4))
def test_units_may_go_one_after_the_other_or_together(seed, fields, count):
    model, rng = a_model(**fields), np.random.default_rng(seed)
    together, one_by_one = {}, model
    left = {row: list(range(5)) for row in rows_of(model.spec)}
    for _ in range(count):
        step = {}
        for row, units in left.items():
            at, value = int(rng.integers(len(units))), float(rng.normal())
            step[(*row, at)], together[(*row, units.pop(at))] = value, value
        one_by_one = remove_units(one_by_one, step)
    x = some(2, 5, 2)
    with torch.no_grad():
        assert torch.allclose(one_by_one(x), remove_units(model, together)(x), atol=1e-5)


# ---- which units


def windows_and_model(labels: bool = False, **fields):
    table = series(90, y=["u", "v", "w"] * 30) if labels else series(90)
    windows = make_windows(table, spec_of(seq_len=6, horizon=0 if labels else 2))
    model = build_model(ModelSpec(**({"hidden_size": 5} | fields)), windows.input_size, windows.output_size)
    return windows, model.eval()


@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("fields", SHAPES, ids=str)
def test_each_step_is_a_model_whose_score_is_told(fields, labels):
    windows, model = windows_and_model(labels, **fields)
    starts, before = windows.starts["train"], {name: w.clone() for name, w in model.state_dict().items()}
    shares: list[float] = []
    removal = remove_greedily(model, windows, starts, keep=2, progress=shares.append)
    assert removal.units == (5, 4, 3, 2) and removal.hidden_size == 5
    assert shares == sorted(shares) and len(shares) == 3 * removal.rows == 3 * len(rows_of(model.spec))
    for units, score in zip(removal.units, removal.scores, strict=True):
        smaller = smaller_model(model, removal, units)
        assert smaller.spec.hidden_size == units
        told = evaluate_windows(smaller, windows, "train", starts).model
        assert score == pytest.approx(told.accuracy if labels else told.rmse, rel=1e-4)
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


def test_the_unit_that_costs_least_goes_first():
    windows, model = windows_and_model()
    starts = windows.starts["train"]
    removal = remove_greedily(model, windows, starts, keep=4)
    (step,) = removal.steps
    mean = model.lstm(torch.from_numpy(windows.inputs(starts)))[0].mean((0, 1)).tolist()
    assert step.constants[0] == pytest.approx(mean[step.places[0][2]], abs=1e-6)
    scores = [
        evaluate_windows(remove_units(model, {(0, 0, u): mean[u]}), windows, "", starts).model.rmse for u in range(5)
    ]
    assert int(np.argmin(scores)) == step.places[0][2]
    assert step.score == pytest.approx(min(scores))


def test_a_unit_that_nothing_reads_goes_first_for_nothing():
    windows, model = windows_and_model(hidden_size=6)
    with torch.no_grad():
        model.lstm.weight_hh_l0[:, 3] = 0.0
        model.head.weight[:, 3] = 0.0
    removal = remove_greedily(model, windows, windows.starts["train"], keep=5, candidates=1)
    assert removal.steps[0].places == ((0, 0, 3),)
    assert removal.scores[1] == pytest.approx(removal.scores[0], rel=1e-6)


@pytest.mark.parametrize(
    ("fields", "arguments", "words"),
    [
        ({"cell": "gru"}, {}, "nn.GRU: choose a model"),
        ({"proj_size": 2}, {}, "projects its h to 2"),
        ({}, {"keep": 0}, "choose 1 to 5"),
        ({}, {"keep": 6}, "choose 1 to 5"),
        ({}, {"candidates": 0}, "at least 1 unit"),
    ],
)
def test_what_cannot_be_taken_out_is_refused(fields, arguments, words):
    windows, model = windows_and_model(**fields)
    with pytest.raises(PlaygroundError, match=words):
        remove_greedily(model, windows, windows.starts["train"], **arguments)


def test_an_lstm_keeps_as_many_units_in_each_layer():
    model = a_model(num_layers=2)
    for constants in ({(0, 0, 1): 0.0}, {(layer, 0, u): 0.0 for layer in (0, 1) for u in range(5)}):
        with pytest.raises(PlaygroundError, match="the same number of each"):
            remove_units(model, constants)
    windows, model = windows_and_model()
    removal = remove_greedily(model, windows, windows.starts["train"], keep=4)
    with pytest.raises(PlaygroundError, match="no step with 3 units: choose 4 to 5"):
        smaller_model(model, removal, 3)


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ((2.0, 2.1, 2.2, 9.0), "2 of the 4 units are enough to keep 95\u202f% .*RMSE 2.20, 2.00 with all"),
        ((2.0, 5.0, 2.2, 9.0), "All 4 units are needed: .*from 2.00 to 5.00"),
        ((2.0,), "All 4 units are needed"),
    ],
)
def test_the_sentence_says_how_many_are_enough(scores, words, monkeypatch):
    scale = Scale("RMSE", "the training mean", 10.0, 2.0)
    removal = UnitRemoval(4, 1, (), scale, 9)
    monkeypatch.setattr(UnitRemoval, "scores", scores)
    monkeypatch.setattr(UnitRemoval, "units", tuple(range(4, 4 - len(scores), -1)))
    assert re.search(words, removal_sentence(removal))
    worse = UnitRemoval(4, 1, (), Scale("RMSE", "the training mean", 2.0, 2.5), 9)
    assert "no better than the training mean (2.00)" in removal_sentence(worse)
