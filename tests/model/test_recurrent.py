"""SequenceModel is nn.LSTM and nn.Linear, drawn from its own seed, whatever else draws."""

from __future__ import annotations

import threading

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_core.experiment import CELLS, ModelSpec
from lstm_core.model.recurrent import build_model, model_from_weights
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
    twin = model_from_weights(spec, (3, 2, 0), weights)
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
