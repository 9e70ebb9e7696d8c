from __future__ import annotations

import contextlib
import io

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.architecture.code import model_code
from lstm_core.experiment import ModelSpec
from lstm_core.model import init
from lstm_core.model.recurrent import build_model
from tests.conftest import examples
from tests.factories import model_specs


def run(code: str) -> tuple[dict, str]:
    """What the code defines and what it prints; torch's own generator is left as it was."""
    names: dict = {}
    printed = io.StringIO()
    with torch.random.fork_rng(), contextlib.redirect_stdout(printed):
        exec(code, names)
    return names, printed.getvalue().strip()


@examples(25)
@given(spec=model_specs(), input_size=st.integers(1, 4), output_size=st.integers(1, 3))
def test_the_code_makes_the_very_model(spec, input_size, output_size):
    code = model_code(spec, input_size, output_size)
    names, printed = run(code)
    theirs, ours = names["model"], build_model(spec, input_size, output_size)

    assert list(theirs.state_dict()) == list(ours.state_dict())
    for name, weight in ours.state_dict().items():
        assert torch.equal(theirs.state_dict()[name], weight), name  # same seed, same initialisation

    x = torch.randn(2, 5, input_size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(theirs.eval()(x), ours.eval()(x), rtol=1e-5, atol=1e-6)  # MKL's last bit varies
    assert f"print(tuple(y.shape))  # {printed}" in code  # the comment tells the truth


@examples(10)
@given(spec=model_specs())
def test_other_weights_load_and_give_the_same_outputs(spec):
    ours = build_model(spec, 3, 2)
    theirs = run(model_code(spec, 3, 2))[0]["model"]
    generator = torch.Generator().manual_seed(7)
    weights = {k: torch.randn(v.shape, generator=generator) for k, v in ours.state_dict().items()}
    ours.load_state_dict(weights)
    theirs.load_state_dict(weights)
    x = torch.randn(3, 6, 3, generator=generator)
    with torch.no_grad():
        torch.testing.assert_close(theirs.eval()(x), ours.eval()(x), rtol=1e-5, atol=1e-6)  # MKL's last bit varies


def test_only_what_differs_from_the_defaults_is_written():
    code = model_code(ModelSpec(hidden_size=5, batch_first=False), 3, 1)
    assert "nn.LSTM(input_size=3, hidden_size=5)" in code
    code = model_code(ModelSpec(hidden_size=5, num_layers=2, bias=False, dropout=0.25), 3, 1)
    arguments = "input_size=3, hidden_size=5, num_layers=2, bias=False, batch_first=True, dropout=0.25"
    assert f"nn.LSTM({arguments})" in code


def test_the_code_names_its_cell_and_nothing_of_another():
    code = model_code(ModelSpec(cell="gru", hidden_size=5), 3, 1)
    assert "self.gru = nn.GRU(input_size=3, hidden_size=5, batch_first=True)" in code
    assert "output, h_n = self.gru(x)" in code
    assert "lstm" not in code.lower()
    assert "lstm" not in model_code(ModelSpec(cell="rnn"), 3, 1).lower()


@pytest.mark.parametrize(
    "fields", [{}, {"bidirectional": True, "zero_head": True}, {"cell": "gru", "batch_first": False}]
)
def test_a_linear_skip_reads_the_window_and_never_trains(fields):
    spec = ModelSpec(hidden_size=5, linear_skip=True, **fields)
    theirs, ours = run(model_code(spec, 3, 2, 6))[0]["model"], build_model(spec, 3, 2, 6)
    for name, weight in ours.state_dict().items():
        assert torch.equal(theirs.state_dict()[name], weight), name
    for model in (theirs, ours):
        torch.nn.init.normal_(model.skip.weight, generator=torch.Generator().manual_seed(1))
    x = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(theirs(x), ours(x), rtol=1e-5, atol=1e-6)
    theirs(x).pow(2).sum().backward()
    assert theirs.head.weight.grad.any()
    assert not theirs.skip.weight.grad.any() and not theirs.skip.bias.grad.any()
    assert all(init.freeze(ours)[name].all() for name in ("skip.weight", "skip.bias"))


@pytest.mark.parametrize(
    "frozen",
    [("forget_gate",), ("input_gate", "output_gate"), ("bias_hh",), ("head",), ("forget_gate", "bias_hh", "head")],
)
def test_what_is_frozen_has_its_value_and_no_gradient(frozen):
    spec = ModelSpec(hidden_size=4, proj_size=2, num_layers=2, frozen=frozen)
    theirs, ours = run(model_code(spec, 3, 2))[0]["model"], build_model(spec, 3, 2)
    for name, weight in ours.state_dict().items():
        assert torch.equal(theirs.state_dict()[name], weight), name
    theirs(torch.randn(2, 5, 3)).pow(2).sum().backward()
    held = init.freeze(ours)
    for name, parameter in theirs.named_parameters():
        mask = held.get(name, torch.zeros_like(parameter, dtype=torch.bool))
        assert not parameter.grad[mask].any() and parameter.grad[~mask].all(), name


def test_dropout_of_one_layer_is_left_out_as_in_the_model():
    assert "dropout" not in model_code(ModelSpec(dropout=0.5), 3, 1)


def test_training_mode_drops_the_same_units():
    spec = ModelSpec(hidden_size=6, num_layers=3, dropout=0.4)
    theirs, ours = run(model_code(spec, 2, 1))[0]["model"].train(), build_model(spec, 2, 1).train()
    x = torch.ones(4, 5, 2)
    outputs = []
    for model in (theirs, ours):
        with torch.random.fork_rng():
            torch.manual_seed(3)
            outputs.append(model(x))
    assert torch.equal(*outputs)
    assert not torch.equal(outputs[0], ours.eval()(x))
