"""SequenceModel is nn.LSTM and nn.Linear, drawn from its own seed, whatever else draws."""

from __future__ import annotations

import dataclasses
import threading

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_core.experiment import CELLS, ModelSpec, PlaygroundError
from lstm_core.model import devices as devices_module
from lstm_core.model.devices import available_devices, resolve_device
from lstm_core.model.init import init_forget_bias
from lstm_core.model.recurrent import build_model, model_from_weights
from lstm_core.model.rng import rng_scope, rng_state
from tests.conftest import examples
from tests.factories import model_specs, some

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


@examples(60)
@given(model_specs(), st.integers(1, 4), st.integers(1, 3), st.integers(1, 5), st.integers(1, 6))
def test_the_head_reads_what_each_direction_says_once_it_has_seen_all(spec, inputs, outputs, batch, seq_len):
    model, x = build_model(spec, inputs, outputs).eval(), some(batch, seq_len, inputs)
    with torch.no_grad():
        predictions = model(x)
        ours, _ = model.recurrent(x if spec.batch_first else x.transpose(0, 1))
        ours = ours if spec.batch_first else ours.transpose(0, 1)  # (batch, seq_len, directions·width)
        if spec.head == "last":  # forwards: its last step; backwards: its last is the first
            ours = torch.cat([ours[:, -1, : spec.h_size], ours[:, 0, spec.h_size :]], dim=1)
        want = ours @ model.head.weight.T + model.head.bias
    torch.testing.assert_close(predictions, want)
    assert predictions.shape == ((batch, outputs) if spec.head == "last" else (batch, seq_len, outputs))


@examples(30)
@given(model_specs(), st.integers(1, 4))
def test_batch_first_changes_nothing_of_what_is_said(spec, inputs):
    values = vars(spec)
    ways = [build_model(ModelSpec(**values | {"batch_first": way}), inputs, 2).eval() for way in (True, False)]
    x = some(3, 4, inputs)
    with torch.no_grad():
        torch.testing.assert_close(ways[0](x), ways[1](x))


@examples(40)
@given(model_specs(cells=("lstm",)), st.floats(-3, 3))
def test_forget_gates_start_with_the_bias_once_and_nothing_else_moves(spec, value):
    plain = build_model(dataclasses.replace(spec, bias=True, forget_bias=None, chrono_t_max=None), 3, 2)
    biased = build_model(dataclasses.replace(spec, bias=True, forget_bias=value, chrono_t_max=None), 3, 2)
    hidden, count = spec.hidden_size, 0
    for layer in range(spec.num_layers):
        for suffix in [f"_l{layer}", f"_l{layer}_reverse"][: spec.num_directions]:
            total = getattr(biased.lstm, "bias_ih" + suffix) + getattr(biased.lstm, "bias_hh" + suffix)
            torch.testing.assert_close(total[hidden : 2 * hidden], torch.full((hidden,), value))
            count += 1
    assert count == spec.num_layers * spec.num_directions
    for (name, a), (_, b) in zip(plain.named_parameters(), biased.named_parameters(), strict=True):
        rest = torch.ones(len(a), dtype=torch.bool)
        if name.startswith("lstm.bias"):
            rest[hidden : 2 * hidden] = False
        assert torch.equal(a[rest], b[rest]), name


def test_forget_bias_of_an_lstm_without_bias_is_left_alone():
    lstm = nn.LSTM(2, 3, bias=False)
    before = [p.clone() for p in lstm.parameters()]
    init_forget_bias(lstm, 1.0)
    assert all(torch.equal(a, b) for a, b in zip(before, lstm.parameters(), strict=True))


@examples(40)
@given(model_specs(cells=("lstm",)), st.integers(3, 200))
def test_chrono_draws_times_within_its_range_and_closes_the_input_gates_as_far(spec, t_max):
    plain = build_model(dataclasses.replace(spec, bias=True, forget_bias=None, chrono_t_max=None), 3, 2)
    drawn = build_model(dataclasses.replace(spec, bias=True, forget_bias=None, chrono_t_max=t_max), 3, 2)
    hidden, seen = spec.hidden_size, []
    for layer in range(spec.num_layers):
        for suffix in [f"_l{layer}", f"_l{layer}_reverse"][: spec.num_directions]:
            total = getattr(drawn.lstm, "bias_ih" + suffix) + getattr(drawn.lstm, "bias_hh" + suffix)
            i, f = total[:hidden], total[hidden : 2 * hidden]
            assert torch.equal(i, -f)
            times = 1 / (1 - f.double().sigmoid())  # a unit's mean time to forget: 1 + e^b_f
            assert bool((times > 2 - 1e-4).all()) and bool((times < t_max * (1 + 1e-4)).all())
            seen += f.tolist()
    assert len(set(seen)) == len(seen)  # each unit its own, in every layer and direction
    for (name, a), (_, b) in zip(plain.named_parameters(), drawn.named_parameters(), strict=True):
        rest = torch.ones(len(a), dtype=torch.bool)
        if name.startswith("lstm.bias"):
            rest[: 2 * hidden] = False
        assert torch.equal(a[rest], b[rest]), name


def test_chrono_covers_its_range_and_comes_from_the_models_seed():
    forget = [
        build_model(ModelSpec(hidden_size=2000, chrono_t_max=50, seed=seed), 1, 1).lstm.bias_ih_l0[2000:4000]
        for seed in (0, 0, 1)
    ]
    assert torch.equal(forget[0], forget[1]) and not torch.equal(forget[0], forget[2])
    even = forget[0].exp().double()  # U(1, 49)
    assert even.mean().item() == pytest.approx(25, abs=1) and even.std().item() == pytest.approx(48 / 12**0.5, abs=0.5)


def weights_of(model: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.parametrize("cell", CELLS)
def test_weights_are_those_of_torch_at_this_seed_and_of_no_other(cell):
    spec = ModelSpec(cell=cell, hidden_size=5, num_layers=2, dropout=0.2, bidirectional=True, seed=11)
    kind = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[cell]
    with torch.random.fork_rng():
        torch.manual_seed(11)
        recurrent = kind(3, 5, num_layers=2, batch_first=True, dropout=0.2, bidirectional=True)
        theirs = nn.ModuleDict({cell: recurrent, "head": nn.Linear(10, 1)})
    ours = build_model(spec, 3, 1)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert torch.equal(weights_of(ours), weights_of(theirs))
    other = ModelSpec(**vars(spec) | {"seed": 12})
    assert not torch.equal(weights_of(ours), weights_of(build_model(other, 3, 1)))


def test_the_recurrent_module_bears_its_cells_name():
    for cell, kind in (("lstm", nn.LSTM), ("gru", nn.GRU), ("rnn", nn.RNN)):
        model = build_model(ModelSpec(cell=cell), 2, 1)
        assert type(model.recurrent) is kind
        assert model.recurrent is getattr(model, cell)
        assert not any(hasattr(model, other) for other in CELLS if other != cell)
    assert model.recurrent.nonlinearity == "tanh"


def test_nothing_here_moves_torchs_own_generator():
    before = torch.get_rng_state()
    model = build_model(ModelSpec(num_layers=2, dropout=0.5), 3, 1)
    model_from_weights(model.spec, 3, 1, model.state_dict())

    def draw_and_fail() -> None:
        with rng_scope(rng_state(1)):
            torch.rand(3)
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        draw_and_fail()
    assert torch.equal(torch.get_rng_state(), before)


def test_random_state_goes_on_from_the_state_that_it_yields():
    generator = torch.Generator().manual_seed(3)
    want = torch.rand(6, generator=generator)
    with rng_scope(rng_state(3)) as after:
        first = torch.rand(4)
    with rng_scope(after[0]):
        second = torch.rand(2)
    assert torch.equal(torch.cat([first, second]), want)


def test_models_built_at_once_in_many_threads_are_the_same():
    spec, result = ModelSpec(hidden_size=8, num_layers=3), [None] * 8
    want = weights_of(build_model(spec, 4, 1))
    threads = [
        threading.Thread(target=lambda k=k: result.__setitem__(k, weights_of(build_model(spec, 4, 1))))
        for k in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(weights, want) for weights in result)


@examples(30)
@given(model_specs())
def test_model_with_holds_these_very_tensors(spec):
    model = build_model(spec, 3, 2).eval()
    weights = model.state_dict()
    twin = model_from_weights(spec, 3, 2, weights)
    assert not twin.training
    for name, value in twin.state_dict().items():
        assert value.data_ptr() == weights[name].data_ptr()
    with torch.no_grad():
        assert torch.equal(twin(some(2, 5, 3)), model(some(2, 5, 3)))


def test_dropout_acts_between_layers_and_only_in_training():
    x = some(2, 6, 3)
    deep = build_model(ModelSpec(num_layers=2, dropout=0.5), 3, 1)
    assert not torch.equal(deep(x), deep(x))
    assert torch.equal(deep.eval()(x), deep(x))
    single = build_model(ModelSpec(num_layers=1, dropout=0.5), 3, 1)  # and PyTorch has nothing to warn of
    assert torch.equal(single(x), single(x))


def test_devices_start_with_auto_and_know_the_cpu(monkeypatch):
    assert next(iter(available_devices())) == "auto"
    assert resolve_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: f"Card {index}")
    assert available_devices()["auto"] == "auto (GPU 0: Card 0)"
    assert available_devices()["cuda:1"] == "GPU 1: Card 1"
    assert [resolve_device(name) for name in ("auto", "cuda", "cuda:1")] == [
        torch.device("cuda", index) for index in (0, 0, 1)
    ]


@pytest.mark.parametrize("name", ["cuda:7", "cuda:", "cpu:0", "mps:3", "auto:1"])
def test_a_device_that_is_not_here_is_refused_with_those_that_are(name, monkeypatch):
    monkeypatch.setattr(devices_module, "available_devices", lambda: {"auto": "auto (CPU)", "cpu": "CPU"})
    with pytest.raises(PlaygroundError, match=f"no device {name}: choose one of auto, cpu"):
        resolve_device(name)
