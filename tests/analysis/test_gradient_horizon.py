"""horizon against three oracles: autograd over a step loop written out here, finite differences, closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

from lstm_core.analysis.gradient_horizon import horizon_of_module, memory_horizon, steps_until_faded
from lstm_core.experiment import ModelSpec, PlaygroundError
from lstm_core.model.recurrent import SequenceModel, build_model
from lstm_core.trace.gate_trace import trace_lstm
from tests.conftest import examples

EXACT = 1e-10  # relative
KINDS = (nn.LSTM, nn.GRU, nn.RNN)

pytestmark = [
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
    pytest.mark.filterwarnings("ignore:dropout option adds dropout after all but last"),
]


def cell_step(module, row, x, state):
    """One step of one layer and direction, in PyTorch's own cells where they can: the new state, h first."""
    weights = module.all_weights[row]
    biases = weights[2:4] if module.bias else [None, None]
    if isinstance(module, nn.GRU):
        return (torch.gru_cell(x, state[0], *weights[:2], *biases),)
    if isinstance(module, nn.RNN):
        cell = torch.rnn_tanh_cell if module.nonlinearity == "tanh" else torch.rnn_relu_cell
        return (cell(x, state[0], *weights[:2], *biases),)
    a = x @ weights[0].T + state[0] @ weights[1].T
    if module.bias:
        a = a + weights[2] + weights[3]
    i, f, g, o = a.chunk(4, 1)
    c = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    return h @ weights[-1].T if module.proj_size else h, c


def autograd_norms(module, head, x, output_index, every):
    """(d_x, d_h, d_c or None), shaped as in Horizon, and the chosen output (batch,), by torch.autograd.grad."""
    batch, seq_len, _ = x.shape
    directions = 2 if module.bidirectional else 1
    x_steps = [x[:, t].clone().requires_grad_() for t in range(seq_len)]
    sizes = [module.proj_size or module.hidden_size] + [module.hidden_size] * isinstance(module, nn.LSTM)
    states, inputs = {}, x_steps  # (layer, direction, step) → (h,) or (h, c)
    for layer in range(module.num_layers):
        for direction in range(directions):
            state = tuple(x.new_zeros(batch, size) for size in sizes)
            for t in reversed(range(seq_len)) if direction else range(seq_len):
                state = cell_step(module, layer * directions + direction, inputs[t], state)
                states[layer, direction, t] = state
        inputs = [torch.cat([states[layer, d, t][0] for d in range(directions)], 1) for t in range(seq_len)]
    ends = [seq_len - 1, seq_len - 1 if every else 0][:directions]
    top = torch.cat([states[module.num_layers - 1, d, end][0] for d, end in enumerate(ends)], 1)
    predictions = head(top)[:, output_index]
    nodes = [*x_steps, *(states[key][k] for k in range(len(sizes)) for key in sorted(states))]
    grads = torch.autograd.grad(predictions.sum(), nodes, materialize_grads=True)
    norms = [grad.norm(dim=1) for grad in grads]
    d_x, per_state = torch.stack(norms[:seq_len], 1), torch.stack(norms[seq_len:])
    shape = len(sizes), module.num_layers, directions, seq_len, batch
    d_states = per_state.view(shape).transpose(3, 4).numpy()
    return d_x.numpy(), d_states[0], d_states[1] if len(sizes) > 1 else None, predictions.detach()


def assert_exact(got, expected):
    assert got.dtype == np.float64
    assert got.shape == expected.shape
    # atol: where one feature's paths cancel, not even autograd knows the rest to ten digits
    np.testing.assert_allclose(got, expected, rtol=EXACT, atol=1e-14 * expected.max())


def fill(module, generator, low=-0.8, high=0.8):
    for weight in module.parameters():
        nn.init.uniform_(weight, low, high, generator=generator)


@st.composite
def recurrent(draw, kinds=KINDS):
    """(module, head, x, output_index, every): any configuration, float64."""
    kind = draw(st.sampled_from(kinds))
    hidden_size = draw(st.integers(2, 8))
    settings_of_kind = {}
    if kind is nn.LSTM:
        settings_of_kind["proj_size"] = draw(st.sampled_from([0, 0, hidden_size - 1]))
    if kind is nn.RNN:
        settings_of_kind["nonlinearity"] = draw(st.sampled_from(["tanh", "relu"]))
    module = kind(
        draw(st.integers(1, 5)),
        hidden_size,
        draw(st.integers(1, 3)),
        bias=draw(st.booleans()),
        batch_first=draw(st.booleans()),
        dropout=draw(st.sampled_from([0.0, 0.5])),
        bidirectional=draw(st.booleans()),
        dtype=torch.float64,
        **settings_of_kind,
    ).train(draw(st.booleans()))
    width = (module.proj_size or hidden_size) * (2 if module.bidirectional else 1)
    head = nn.Linear(width, draw(st.integers(1, 3)), dtype=torch.float64)
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    fill(module, generator)
    fill(head, generator)
    batch, seq_len = draw(st.integers(1, 4)), draw(st.sampled_from([1, 2, 5, 17]))
    x = torch.randn(batch, seq_len, module.input_size, dtype=torch.float64, generator=generator)
    return module, head, x, draw(st.integers(0, head.out_features - 1)), draw(st.booleans())


def two_directions(kind):
    """A case of recurrent() that no draw may miss: both directions, two layers, several steps and windows."""
    generator = torch.Generator().manual_seed(7)
    module = kind(2, 4, 2, bidirectional=True, dtype=torch.float64)
    head = nn.Linear(8, 2, dtype=torch.float64)
    fill(module, generator)
    fill(head, generator)
    return module, head, torch.randn(3, 9, 2, dtype=torch.float64, generator=generator), 1, False


@examples(50)
@given(recurrent())
@example(two_directions(nn.LSTM))
@example(two_directions(nn.GRU))
@example(two_directions(nn.RNN))
def test_equals_autograd_over_a_step_loop(case):
    module, head, x, output_index, every = case
    got = horizon_of_module(module, head, x, output_index, every)
    d_x, d_h, d_c, _ = autograd_norms(*case)
    assert_exact(got.d_x, d_x)
    assert_exact(got.d_h, d_h)
    if isinstance(module, nn.LSTM):
        assert_exact(got.d_c, d_c)
    else:
        assert got.d_c is got.unit_forget_product is got.forget_product is got.time_constants is None


@examples(20)
@given(recurrent(), st.sampled_from(["last", "per_step"]), st.sampled_from([torch.float32, torch.float64]))
@example(two_directions(nn.GRU), "last", torch.float32)
@example(two_directions(nn.RNN), "last", torch.float32)
def test_a_model_of_the_playground(case, head_kind, dtype):
    """The oracle's output is the model's own, so its derivatives are those of what the page shows."""
    module, head, x, output_index, _ = case
    assume(module.mode != "RNN_RELU")
    spec = ModelSpec(
        cell=type(module).__name__.lower(),
        hidden_size=module.hidden_size,
        num_layers=module.num_layers,
        bias=module.bias,
        batch_first=module.batch_first,
        bidirectional=module.bidirectional,
        proj_size=module.proj_size,
        head=head_kind,
    )
    model = SequenceModel(spec, module.input_size, head.out_features).double()
    model.recurrent.load_state_dict(module.state_dict())
    model.head.load_state_dict(head.state_dict())
    model, x = model.to(dtype), x.to(dtype)
    got = memory_horizon(model, x, output_index)
    model, x = model.double(), x.double()  # the same numbers, exactly
    d_x, d_h, d_c, predictions = autograd_norms(model.recurrent, model.head, x, output_index, head_kind == "per_step")
    with torch.no_grad():
        output = model(x)
    output = output if head_kind == "last" else output[:, -1]
    torch.testing.assert_close(predictions, output[:, output_index], rtol=1e-12, atol=1e-14)
    assert_exact(got.d_x, d_x)
    assert_exact(got.d_h, d_h)
    if spec.cell == "lstm":
        assert_exact(got.d_c, d_c)
    else:
        assert got.d_c is None


@pytest.mark.parametrize("steps", [4, 6, 9])
def test_a_linear_skip_looks_straight_at_the_window(steps):
    spec = ModelSpec(hidden_size=3, linear_skip=True, bidirectional=True)
    model = build_model(spec, 2, 3, 6).double()
    nn.init.normal_(model.skip.weight, generator=torch.Generator().manual_seed(1))
    x = torch.randn(5, steps, 2, generator=torch.Generator().manual_seed(2)).double().requires_grad_()
    model(x)[:, 1].sum().backward()
    assert_exact(memory_horizon(model, x, 1).d_x, x.grad.norm(dim=2).numpy())


@examples(15)
@given(recurrent(kinds=(nn.LSTM,)))
@example(two_directions(nn.LSTM))
def test_forget_products_and_time_constants_follow_from_the_traced_gates(case):
    lstm, _, x, *_ = case
    got = horizon_of_module(*case)
    f = trace_lstm(lstm.eval(), x if lstm.batch_first else x.transpose(0, 1)).f
    seq_len = x.shape[1]
    expected = torch.empty_like(f)
    for t in range(seq_len):
        expected[:, 0, :, t] = f[:, 0, :, t + 1 :].prod(2)
        if lstm.bidirectional:
            expected[:, 1, :, t] = f[:, 1, :, :t].prod(2)
    assert_exact(got.unit_forget_product, expected.numpy())
    assert_exact(got.forget_product, expected.mean(-1).numpy())
    assert_exact(got.time_constants, -1 / np.log(f.mean(3).numpy()))


@pytest.mark.parametrize("kind", KINDS)
def test_finite_differences_agree(kind):
    generator = torch.Generator().manual_seed(5)
    module, head = (kind(2, 4, 2, bidirectional=True, dtype=torch.float64), nn.Linear(8, 3, dtype=torch.float64))
    fill(module, generator)
    x = torch.randn(9, 1, 2, dtype=torch.float64, generator=generator)

    def said(x):
        h_n = module(x)[1][0] if kind is nn.LSTM else module(x)[1]
        return head(h_n[-2:].transpose(0, 1).flatten(1))[0, 1].item()

    got, step = horizon_of_module(module, head, x.transpose(0, 1), 1).d_x[0], 1e-6
    with torch.no_grad():
        for t in range(9):
            slopes = []
            for feature in range(2):
                nudge = torch.zeros_like(x)
                nudge[t, 0, feature] = step
                slopes.append((said(x + nudge) - said(x - nudge)) / (2 * step))
            assert got[t] == pytest.approx(math.hypot(*slopes), rel=1e-6)


def lstm_with_forget_gate(logit, hidden_size=3):
    """An LSTM whose only path through time is c: no recurrent weights, and f = σ(logit) at every step."""
    lstm = nn.LSTM(2, hidden_size, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        lstm.weight_hh_l0.zero_()
        lstm.weight_ih_l0[hidden_size : 2 * hidden_size] = 0
        lstm.bias_ih_l0[hidden_size : 2 * hidden_size] = logit
        lstm.bias_hh_l0[hidden_size : 2 * hidden_size] = 0
        for bias in (lstm.bias_ih_l0, lstm.bias_hh_l0):  # g follows x alone, so that c stays small
            bias[2 * hidden_size : 3 * hidden_size] = 0
    return lstm, nn.Linear(hidden_size, 1, dtype=torch.float64)


def test_a_forget_gate_stuck_open_carries_the_gradient_unchanged():
    lstm, head = lstm_with_forget_gate(100.0)  # σ(100) is 1 in float64
    x = 0.01 * torch.randn(2, 300, 2, generator=torch.Generator().manual_seed(0))
    got = horizon_of_module(lstm, head, x)
    assert (got.d_c == got.d_c[..., -1:]).all()
    assert (got.d_c > 0).all()
    assert (got.forget_product == 1).all()
    assert np.isposinf(got.time_constants).all()
    assert (got.d_h[..., :-1] == 0).all()  # h feeds nothing but the head, at the end
    np.testing.assert_allclose(got.d_h[0, 0, :, -1], [head.weight.norm().item()] * 2, rtol=1e-14)
    assert steps_until_faded(got.d_c[0, 0, 0]) == 300


def test_a_forget_gate_of_a_tenth_lets_the_gradient_vanish_tenfold_a_step():
    lstm, head = lstm_with_forget_gate(math.log(0.1 / 0.9))  # σ of that is 0.1
    x = torch.randn(1, 200, 2, generator=torch.Generator().manual_seed(0))
    got = horizon_of_module(lstm, head, x)
    back = np.arange(199, -1, -1.0)
    np.testing.assert_allclose(got.d_c[0, 0, 0], got.d_c[0, 0, 0, -1] * 0.1**back, rtol=1e-12)
    np.testing.assert_allclose(got.forget_product[0, 0, 0], 0.1**back, rtol=1e-12)
    np.testing.assert_allclose(got.time_constants, 1 / math.log(10), rtol=1e-12)
    assert got.d_c[0, 0, 0, 0] > 0  # 1e-199, which float32 could not hold
    assert steps_until_faded(got.d_c[0, 0, 0]) == 1
    assert steps_until_faded(got.d_c[0, 0, 0], share=0.05) == 2


def test_a_closed_forget_gate_keeps_nothing():
    lstm, head = lstm_with_forget_gate(-1000.0)  # σ(−1000) is 0 in float64
    got = horizon_of_module(lstm, head, torch.ones(1, 4, 2))
    assert (got.time_constants == 0).all()
    assert got.forget_product[0, 0, 0].tolist() == [0, 0, 0, 1]
    assert (got.d_x[0] > 0).tolist() == [False, False, False, True]


@pytest.mark.parametrize(("factor", "nonlinearity"), [(1.0, "relu"), (0.5, "relu"), (1.25, "relu"), (0.5, "tanh")])
def test_an_rnn_of_scaled_identity_shrinks_or_grows_by_its_factor(factor, nonlinearity):
    rnn = nn.RNN(2, 2, nonlinearity=nonlinearity, bias=False, dtype=torch.float64)
    head = nn.Linear(2, 1, dtype=torch.float64)
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(torch.eye(2))
        rnn.weight_hh_l0.copy_(factor * torch.eye(2))
    x = torch.full((1, 40, 2), 1e-12 if nonlinearity == "tanh" else 1.0)  # so small that tanh is the identity
    got = horizon_of_module(rnn, head, x)
    expected = head.weight.norm().item() * factor ** np.arange(39, -1, -1.0)
    np.testing.assert_allclose(got.d_h[0, 0, 0], expected, rtol=1e-12)
    np.testing.assert_allclose(got.d_x[0], expected, rtol=1e-12)


def test_a_gru_that_keeps_everything_carries_the_gradient_unchanged():
    gru = nn.GRU(2, 3, dtype=torch.float64)
    with torch.no_grad():
        gru.bias_ih_l0[3:6] = 100.0  # z = 1: h_t = h_{t−1}
    head = nn.Linear(3, 1, dtype=torch.float64)
    got = horizon_of_module(gru, head, torch.randn(1, 50, 2, generator=torch.Generator().manual_seed(0)))
    np.testing.assert_allclose(got.d_h[0, 0, 0], head.weight.norm().item(), rtol=1e-12)
    assert (got.d_x < 1e-12).all()


def test_the_reverse_direction_of_a_head_on_every_step_has_seen_the_last_step_only():
    spec = ModelSpec(hidden_size=4, bidirectional=True, head="per_step", seed=3)
    got = memory_horizon(build_model(spec, 2, 1), torch.ones(1, 6, 2))
    assert (got.d_c[0, 1, 0] > 0).tolist() == [False] * 5 + [True]
    assert (got.d_c[0, 0, 0] > 0).all()
    at_the_ends = memory_horizon(build_model(ModelSpec(hidden_size=4, bidirectional=True), 2, 1), torch.ones(1, 6, 2))
    assert (at_the_ends.d_c > 0).all()


def test_what_a_window_owes_does_not_depend_on_its_neighbours():
    model = build_model(ModelSpec(hidden_size=5, num_layers=2, bidirectional=True, seed=1), 3, 2)
    x = torch.randn(4, 12, 3, generator=torch.Generator().manual_seed(2))
    together = memory_horizon(model, x, 1)
    for b in range(4):
        alone = memory_horizon(model, x[b : b + 1], 1)
        np.testing.assert_allclose(together.d_x[b], alone.d_x[0], rtol=1e-12)
        np.testing.assert_allclose(together.d_c[:, :, b], alone.d_c[:, :, 0], rtol=1e-12)
        np.testing.assert_allclose(together.time_constants[:, :, b], alone.time_constants[:, :, 0], rtol=1e-12)


@pytest.mark.parametrize("training", [False, True])
def test_the_model_is_left_as_it_was(training):
    model = build_model(ModelSpec(hidden_size=4, num_layers=2, dropout=0.5, batch_first=False), 3, 1).train(training)
    x = torch.randn(2, 5, 3, requires_grad=True)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    first, second = memory_horizon(model, x), memory_horizon(model, x)
    assert (first.d_x == second.d_x).all()  # dropout plays no part
    assert model.training is model.lstm.training is training
    assert not model.lstm.batch_first
    assert x.grad is None
    for name, parameter in model.named_parameters():
        assert parameter.grad is None
        assert parameter.requires_grad
        assert parameter.dtype == torch.float32
        assert torch.equal(parameter, weights[name])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"x": torch.ones(2, 5, 4)}, r"shape \(2, 5, 4\): pass a Tensor \(batch, seq_len, 3\)"),
        ({"x": torch.ones(5, 3)}, r"shape \(5, 3\)"),
        ({"x": torch.ones(0, 5, 3)}, "at least one window"),
        ({"x": torch.ones(1, 0, 3)}, "one step"),
        ({"x": np.ones((2, 5, 3))}, "x is a ndarray"),
        ({"output_index": 2}, "There is no output 2: choose one of 0 to 1"),
        ({"output_index": -1}, "There is no output -1"),
        ({"head": nn.Linear(5, 2)}, "reads these 4 values of h"),
        ({"head": nn.ReLU()}, "The head is ReLU"),
        ({"module": nn.Linear(3, 4)}, "The recurrent module is a Linear"),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(kind, change, sentence):
    fitting = {"module": kind(3, 4), "head": nn.Linear(4, 2), "x": torch.ones(2, 5, 3), "output_index": 1}
    horizon_of_module(**fitting)
    with pytest.raises(PlaygroundError, match=sentence):
        horizon_of_module(**{**fitting, **change})


@examples(200)
@given(arrays(np.float64, st.integers(0, 12), elements=st.floats(0, 1e6)), st.floats(0.001, 1))
@example(np.array([0.0, 4.0, 1.0, 8.0, 3.0]), 0.5)
@example(np.zeros(4), 0.5)
def test_steps_back_is_the_first_step_from_which_all_is_weak(curve, share):
    n = steps_until_faded(curve, share)
    assert 0 <= n <= len(curve)
    bar = share * curve.max(initial=0)
    before = curve[: len(curve) - n]
    assert ((before < bar) | (before == 0)).all()
    if n:
        assert curve[len(curve) - n] >= bar > 0 or curve.max() > 0 == bar  # one step fewer would not do


def test_steps_back_by_hand():
    curve = np.array([0.02, 0.1, 4.0, 1.0, 8.0, 3.0])
    assert [steps_until_faded(curve, share) for share in (1, 0.6, 0.5, 0.1, 0.01, 0.001)] == [2, 2, 4, 4, 5, 6]


@pytest.mark.parametrize("curve", [np.array([1.0, np.nan]), np.array([np.inf, 1.0]), np.ones((2, 3))])
def test_steps_back_of_no_finite_line_is_refused(curve):
    with pytest.raises(PlaygroundError, match="one line of finite numbers"):
        steps_until_faded(curve)
