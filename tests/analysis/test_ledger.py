"""attribution: the ledger, writes and integrated gradients add up, on random nn.LSTMs and against known answers."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_core.analysis.attribution import contributions
from lstm_core.analysis.attribution.integrated_gradients import integrated_gradients, max_points
from lstm_core.analysis.attribution.ledger import batch_contributions, secant
from lstm_core.analysis.attribution.writes import writes
from lstm_core.experiment import PlaygroundError
from tests.conftest import examples
from tests.factories import some

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


@st.composite
def cases(draw):
    """An nn.LSTM, a head, a sequence, a readout and a state before it, or none."""
    hidden_size, seed = draw(st.integers(2, 9)), draw(st.integers(0, 2**31))
    lstm = nn.LSTM(
        draw(st.integers(1, 4)),
        hidden_size,
        draw(st.integers(1, 3)),
        bias=draw(st.booleans()),
        batch_first=draw(st.booleans()),
        bidirectional=draw(st.booleans()),
        proj_size=draw(st.sampled_from([0, 0, hidden_size - 1])),
    )
    width = (lstm.proj_size or hidden_size) * (1 + lstm.bidirectional)
    head = nn.Linear(width, 3, bias=draw(st.booleans()))
    generator, bound = torch.Generator().manual_seed(seed), draw(st.sampled_from([0.3, 1.0, 3.0]))
    for parameter in (*lstm.parameters(), *head.parameters()):
        nn.init.uniform_(parameter, -bound, bound, generator=generator)
    seq_len = draw(st.sampled_from([1, 2, 7, 40]))
    x = torch.randn(seq_len, lstm.input_size, generator=generator)
    rows, hx = len(lstm.all_weights), None
    if draw(st.booleans()):
        sizes = lstm.proj_size or hidden_size, hidden_size
        hx = tuple(torch.randn(rows, size, generator=generator) for size in sizes)
    output = draw(st.sampled_from([2, (0, 1), np.array([0.5, -1.0, 2.0])]))
    step = draw(st.none() | st.integers(0, seq_len - 1))
    return lstm, head, x, output, hx, step


def prediction(lstm, head, x, output, hx, step) -> float:
    """As a person would compute it."""
    with torch.no_grad():
        sequence, (h_n, _) = lstm(x, hx)
        top = h_n[-1 - lstm.bidirectional :].flatten() if step is None else sequence[step]
        logits = head(top).double().numpy()
    if isinstance(output, np.ndarray):
        return float(output @ logits)
    return float(logits[output[0]] - logits[output[1]]) if isinstance(output, tuple) else float(logits[output])


@examples(200)
@given(cases())
def test_the_items_sum_to_the_prediction(case):
    lstm, head, x, output, hx, step = case
    for dtype, tolerance in ((torch.float32, 1e-6), (torch.float64, 1e-13)):
        lstm, head, x = lstm.to(dtype), head.to(dtype), x.to(dtype)
        hx = None if hx is None else tuple(state.to(dtype) for state in hx)
        given_weights = copy.deepcopy(lstm.state_dict())
        result = contributions(lstm, head, x, output, hx, step)
        expected = prediction(lstm, head, x, output, hx, step)
        assert result.inputs.shape == tuple(x.shape) and result.constants.shape == (len(x),)
        assert result.prediction == pytest.approx(expected, rel=0, abs=tolerance * max(1, abs(expected)))
        total = result.inputs.sum() + result.constants.sum() + result.initial_state + result.bias
        assert abs(total - result.prediction) <= tolerance * max(1.0, np.abs(result.items).sum())
        assert result.error == pytest.approx(total - result.prediction, abs=1e-12 * max(1, result.magnitude))
        written = writes(lstm, head, x, output, hx, step)
        size = max(1.0, np.abs(written.units).sum() + abs(written.initial_state))
        assert abs(written.error) <= tolerance * size and written.prediction == result.prediction
        if not lstm.bias:
            assert (result.constants == 0).all()
        if hx is None:
            assert result.initial_state == written.initial_state == 0
        assert all(torch.equal(given_weights[name], weight) for name, weight in lstm.state_dict().items())


def small_lstm(**arguments) -> tuple[nn.LSTM, nn.Linear]:
    lstm = nn.LSTM(2, 5, **arguments).double()
    head = nn.Linear(5 * (1 + lstm.bidirectional), 1).double()
    for k, parameter in enumerate((*lstm.parameters(), *head.parameters())):
        nn.init.uniform_(parameter, -0.8, 0.8, generator=torch.Generator().manual_seed(k))
    return lstm, head


def test_an_item_is_what_the_frozen_linear_run_gives_for_that_input_alone():
    """The definition itself, forward and by hand: gates and secants kept, one input at a time."""
    lstm, head = small_lstm()
    x = some(6, 2).double()
    w_ih, w_hh, b_ih, b_hh = (weight.detach() for weight in lstm.all_weights[0])
    gates, h, c = [], torch.zeros(5).double(), torch.zeros(5).double()
    for x_t in x:
        a_i, a_f, a_g, a_o = (w_ih @ x_t + w_hh @ h + b_ih + b_hh).split(5)
        c = a_f.sigmoid() * c + a_i.sigmoid() * a_g.tanh()
        h = a_o.sigmoid() * c.tanh()
        gates.append((a_f.sigmoid(), a_i.sigmoid() * a_g.tanh() / a_g, a_o.sigmoid() * c.tanh() / c))

    def linear_run(inputs: torch.Tensor, bias: torch.Tensor) -> float:
        h, c = torch.zeros(5).double(), torch.zeros(5).double()
        for x_t, b_t, (f, write, read) in zip(inputs, bias, gates, strict=True):
            c = f * c + write * (w_ih[10:15] @ x_t + w_hh[10:15] @ h + b_t)
            h = read * c
        return float(head.weight[0].detach() @ h)

    result, nothing = contributions(lstm, head, x), torch.zeros(6, 5).double()
    for t, k in np.ndindex(6, 2):
        alone = torch.zeros_like(x)
        alone[t, k] = x[t, k]
        assert result.inputs[t, k] == pytest.approx(linear_run(alone, nothing), abs=1e-14)
    for t in range(6):
        bias = nothing.clone()
        bias[t] = (b_ih + b_hh)[10:15]
        assert result.constants[t] == pytest.approx(linear_run(torch.zeros_like(x), bias), abs=1e-14)


def test_what_was_written_decays_by_the_forget_gates():
    lstm, head = small_lstm(bidirectional=True)
    with torch.no_grad():
        for suffix in ("", "_reverse"):  # f = σ(2), i = σ(20), o = σ(20), g = tanh(1) at every step
            getattr(lstm, f"weight_ih_l0{suffix}").zero_()
            getattr(lstm, f"weight_hh_l0{suffix}").zero_()
            getattr(lstm, f"bias_hh_l0{suffix}").zero_()
            getattr(lstm, f"bias_ih_l0{suffix}").copy_(torch.tensor([20.0, 2.0, 1.0, 20.0]).repeat_interleave(5))
    kept = torch.tensor(2.0).sigmoid().item() ** np.arange(4)
    result = writes(lstm, head, some(4, 2).double())
    forward, backward = result.units.sum(2)
    np.testing.assert_allclose(forward / forward[-1], kept[::-1], rtol=1e-6)
    np.testing.assert_allclose(backward / backward[0], kept, rtol=1e-6)
    early = writes(lstm, head, some(4, 2).double(), step=1)
    assert (early.units[0, 2:] == 0).all() and (early.units[1, :1] == 0).all() and (early.units[1, 1:] != 0).all()


def test_many_sequences_at_once_give_each_its_own_ledger():
    lstm, head = small_lstm(num_layers=2, batch_first=True)
    x = some(3, 6, 2).double()
    for one, result in zip(x, batch_contributions(lstm, head, x), strict=True):
        expected = contributions(lstm, head, one)
        np.testing.assert_allclose(result.items, expected.items, rtol=0, atol=1e-14)


def test_the_secant_is_one_at_zero():
    z = torch.tensor([0.0, 1e-9, -2.0], dtype=torch.float64)
    np.testing.assert_allclose(secant(z).numpy(), [1.0, 1.0, np.tanh(2) / 2], rtol=1e-14)


@pytest.mark.parametrize("arguments", [{}, {"bidirectional": True, "num_layers": 2}], ids=str)
def test_integrated_gradients_equal_a_naive_riemann_sum(arguments):
    lstm, head = small_lstm(**arguments)
    x, baseline = some(5, 2).double(), some(7, 2)[2:].double() / 3
    result = integrated_gradients(lstm, head, x, baseline=baseline)
    alphas = (torch.arange(2000).double() + 0.5) / 2000
    points = (baseline + alphas[:, None, None] * (x - baseline)).transpose(0, 1).requires_grad_()
    _, (h_n, _) = lstm(points)
    head(h_n[-1 - lstm.bidirectional :].transpose(0, 1).flatten(1)).sum().backward()
    expected = points.grad.mean(1) * (x - baseline)
    np.testing.assert_allclose(result.inputs, expected.numpy(), rtol=0, atol=1e-7)
    assert result.is_complete and result.points == 32
    assert result.error == abs(result.inputs.sum() - (result.prediction - result.baseline_prediction))


def test_integrated_gradients_double_their_points_until_they_are_complete_and_say_so_where_they_are_not():
    lstm, head = small_lstm()
    with torch.no_grad():
        lstm.weight_ih_l0.mul_(300)  # gates that flip at once on the way
    result = integrated_gradients(lstm, head, some(3, 2).double())
    assert result.points > 32
    assert result.is_complete == (result.error <= 1e-3 * abs(result.prediction - result.baseline_prediction))
    with torch.no_grad():
        lstm.weight_ih_l0.mul_(1e6)  # steps, which no gradient sees
    result = integrated_gradients(lstm, head, some(3, 2).double())
    assert result.points == max_points(3) == 4096 and not result.is_complete and result.error > 0.01
    assert max_points(4000) == 128 and max_points(10**6) == 32


REFUSED = [
    (dict(x=torch.zeros(1, 4, 2).double()), r"pass one sequence, a Tensor \(seq_len, 2\)"),
    (dict(x=torch.zeros(4, 3).double()), r"x has shape \(4, 3\)"),
    (dict(x=torch.zeros(4, 2)), "float32, but the LSTM's weights are torch.float64"),
    (dict(head=nn.Linear(4, 1)), "reads these 5 of h"),
    (dict(output=1), "There is no output 1: choose one of 0 to 0"),
    (dict(output=(0, 3)), r"There is no output \(0, 3\)"),
    (dict(output="first"), "There is no output 'first'"),
    (dict(output=np.array([1.0, 2.0])), "give 1 finite numbers"),
    (dict(step=4), "There is no step 4: choose one of 0 to 3"),
    (dict(lstm=nn.GRU(2, 5)), "given a GRU"),
]


@pytest.mark.parametrize(("change", "sentence"), REFUSED)
def test_what_does_not_fit_is_refused_in_one_sentence(change, sentence):
    lstm, head = small_lstm()
    arguments = {"lstm": lstm, "head": head, "x": some(4, 2).double()} | change
    with pytest.raises(PlaygroundError, match=sentence) as caught:
        contributions(**arguments)
    assert str(caught.value).endswith(".")
