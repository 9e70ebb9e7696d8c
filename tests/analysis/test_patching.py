"""patching: each cell equals nn.LSTM restarted with one number changed; what must carry all carries all."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_core.analysis.patching import effects as effects_module
from lstm_core.analysis.patching import patch_effects
from lstm_core.analysis.patching.effects import exact_effects, first_order_effects
from lstm_core.analysis.patching.run_pair import PATCHABLE, run_pair
from lstm_core.analysis.patching.unit_sets import best_units, last_difference, set_effect
from lstm_core.data.generators.reber import SYMBOLS, decode_one_hot
from lstm_core.experiment import PlaygroundError
from lstm_core.trace.gate_trace import trace_lstm
from lstm_core.trace.interventions import Intervention, trace_with
from tests.conftest import examples
from tests.factories import some
from tests.lessons.shipped import shipped_runs

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


def modules(outputs: int = 2, seed: int = 0, bound: float = 0.9, **arguments) -> tuple[nn.LSTM, nn.Linear]:
    lstm = nn.LSTM(2, 4, **arguments)
    head = nn.Linear((lstm.proj_size or 4) * (1 + lstm.bidirectional), outputs)
    generator = torch.Generator().manual_seed(seed)
    for parameter in (*lstm.parameters(), *head.parameters()):
        nn.init.uniform_(parameter, -bound, bound, generator=generator)
    return lstm.double(), head.double()


def twins(seq_len: int = 9, changed: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    """A and B, which differ at one step."""
    a = some(seq_len, 2).double()
    b = a.clone()
    b[changed] += 1.5
    return a, b


def restarted(lstm, head, a, b, tensor, t, unit) -> float:
    """The first output of B with one number of A at step t: PyTorch's own LSTM, started again from there."""
    of_a, of_b = trace_lstm(lstm, a), trace_lstm(lstm, b)
    values = {name: of_b.gate(name)[-1, 0, 0, t].clone() for name in PATCHABLE}
    values[tensor][unit] = of_a.gate(tensor)[-1, 0, 0, t, unit]
    c_before = of_b.c[-1, 0, 0, t - 1] if t else torch.zeros(4).double()
    c = values["c"] if tensor in "ch" else values["f"] * c_before + values["i"] * values["g"]
    h = values["o"] * c.tanh()
    h = lstm.weight_hr_l0.double() @ h if lstm.proj_size else h
    h = values["h"] if tensor == "h" else h
    with torch.no_grad():
        if t + 1 < len(b):
            _, (h_n, _) = lstm(b[t + 1 :], (h[None], c[None]))
            h = h_n[0]
        return float(head(h)[0])


@pytest.mark.parametrize("arguments", [{}, {"proj_size": 3, "bias": False, "batch_first": True}], ids=str)
@pytest.mark.parametrize("tensor", PATCHABLE)
def test_every_cell_equals_nn_lstm_restarted(tensor, arguments):
    (lstm, head), (a, b) = modules(**arguments), twins()
    effects = patch_effects(lstm, head, a, b, tensor)
    assert effects.shape == (9, (lstm.proj_size or 4) if tensor == "h" else 4)
    with torch.no_grad():
        y_a, y_b = (float(head(lstm(x)[1][0][0])[0]) for x in (a, b))
    for t, unit in np.ndindex(effects.shape):
        expected = (restarted(lstm, head, a, b, tensor, t, unit) - y_b) / (y_a - y_b)
        assert effects[t, unit] == pytest.approx(expected, abs=1e-10)
    assert (effects[:3] == 0).all() and (effects[4:] != 0).any()


@st.composite
def cases(draw):
    arguments = {
        "num_layers": draw(st.integers(1, 3)),
        "bias": draw(st.booleans()),
        "batch_first": draw(st.booleans()),
        "bidirectional": draw(st.booleans()),
        "proj_size": draw(st.sampled_from([0, 0, 3])),
    }
    lstm, head = modules(seed=draw(st.integers(0, 2**31)), **arguments)
    output = draw(st.sampled_from([1, (0, 1), np.array([0.3, -1.0])]))
    step = draw(st.none() | st.integers(4, 8))
    return lstm, head, output, step, draw(st.integers(0, int(lstm.bidirectional))), draw(st.sampled_from(PATCHABLE))


@examples(100)
@given(cases())
def test_a_cell_of_any_lstm_equals_a_run_with_that_intervention(case):
    lstm, head, output, step, direction, tensor = case
    a, b = twins()
    pair = run_pair(lstm, head, a, b, output, step, direction)
    effects, of_a = exact_effects(pair, tensor), trace_lstm(lstm, a)
    top, mix = lstm.num_layers - 1, np.zeros(2)
    mix[:] = output if isinstance(output, np.ndarray) else [0, 1] if output == 1 else [1, -1]

    def prediction(trace) -> float:
        h = trace.output[step] if step is not None else trace.h_n[-1 - lstm.bidirectional :].flatten()
        with torch.no_grad():
            return float(head(h).numpy() @ mix)

    y_a, y_b = prediction(of_a), prediction(trace_lstm(lstm, b))
    assert (pair.y_a, pair.y_b) == pytest.approx((y_a, y_b), abs=1e-12)
    for t, unit in ((3, 0), (5, 2), (8, 1)):
        value = float(of_a.gate(tensor)[top, direction, 0, t, unit])
        altered = trace_with(lstm, b, [Intervention("clamp", tensor, value, top, direction, (unit,), (t,))])
        expected = (prediction(altered) - y_b) / (y_a - y_b)
        assert effects[t, unit] == pytest.approx(expected, abs=1e-9 / min(1, abs(y_a - y_b)))


@pytest.mark.parametrize("arguments", [{}, {"proj_size": 2}], ids=str)
def test_the_whole_state_carries_all_after_the_difference_and_nothing_before_it(arguments):
    (lstm, head), (a, b) = modules(**arguments), twins()
    pair = run_pair(lstm.float(), head.float(), a.float(), b.float())
    assert last_difference(a, b) == 3
    for t in range(9):
        assert set_effect(pair, (t,)) == pytest.approx(float(t >= 3), abs=1e-5)
    assert set_effect(pair, range(9)) == pytest.approx(1, abs=1e-5)
    assert set_effect(pair, range(3)) == pytest.approx(0, abs=1e-12)
    assert set_effect(pair, (), (0,)) == 0
    assert last_difference(a, a) == 0


def test_of_several_layers_the_top_one_does_not_carry_all():
    """What the layer below still sends up is B's; with the state of both layers nothing of B is left."""
    (lstm, head), (a, b) = modules(num_layers=2), twins()
    pair, of_a = run_pair(lstm, head, a, b), trace_lstm(lstm, a)
    assert abs(set_effect(pair, (5,)) - 1) > 1e-3
    edits = [
        Intervention("clamp", name, of_a.gate(name)[layer, 0, 0, 5].tolist(), layer, steps=(5,))
        for name in ("c", "h")
        for layer in (0, 1)
    ]
    torch.testing.assert_close(trace_with(lstm, b, edits).h_n, of_a.h_n, rtol=0, atol=1e-13)


def test_a_set_of_one_is_its_cell_and_of_several_a_run_with_their_interventions():
    (lstm, head), (a, b) = modules(), twins()
    pair = run_pair(lstm, head, a, b)
    assert set_effect(pair, (5,), (2,), ("c",)) == pytest.approx(exact_effects(pair, "c")[5, 2], abs=1e-12)
    of_a = trace_lstm(lstm, a)
    edits = [
        Intervention("clamp", name, of_a.gate(name)[0, 0, 0][[4, 6]][:, [0, 3]].tolist(), units=(0, 3), steps=(4, 6))
        for name in ("c", "h")
    ]
    with torch.no_grad():
        expected = float(head(trace_with(lstm, b, edits).h_n[0])[0])
    assert set_effect(pair, (6, 4), (0, 3)) == pytest.approx((expected - pair.y_b) / pair.difference, abs=1e-12)
    with pytest.raises(PlaygroundError, match="There is no unit 4: choose from 0 to 3"):
        set_effect(pair, (4,), (4,))


def test_first_order_is_the_slope_of_the_exact_effect():
    (lstm, head), (a, _) = modules(bidirectional=True), twins()
    b = a.clone()
    b[3] += 1e-5  # so little that the run is linear in it
    for direction in (0, 1):
        pair = run_pair(lstm, head, a, b, direction=direction)
        for tensor in PATCHABLE:
            np.testing.assert_allclose(first_order_effects(pair, tensor), exact_effects(pair, tensor), atol=1e-4)


def test_some_steps_in_any_order_in_chunks_and_in_float32_give_the_same(monkeypatch):
    (lstm, head), (a, b) = modules(), twins()
    whole, told = exact_effects(run_pair(lstm, head, a, b)), []
    monkeypatch.setattr(effects_module, "ROWS", 8)
    np.testing.assert_allclose(exact_effects(run_pair(lstm, head, a, b), progress=told.append), whole, atol=1e-13)
    assert told == sorted(told) and told[-1] == 1 and len(told) == 3
    single = run_pair(lstm, head, a, b, dtype=torch.float32)
    np.testing.assert_allclose(exact_effects(single, "c", (7, 1, 4)), whole[[7, 1, 4]], atol=1e-5)

    def cancel(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exact_effects(single, progress=cancel)


def test_a_step_that_is_read_hears_nothing_of_later_ones():
    (lstm, head), (a, b) = modules(), twins()
    effects = patch_effects(lstm, head, a, b, step=5)
    assert (effects[6:] == 0).all() and (effects[3:6] != 0).all()


def test_the_best_units_carry_more_with_each():
    (lstm, head), (a, b) = modules(), twins()
    pair = run_pair(lstm, head, a, b)
    single = exact_effects(pair)[3]
    greedy, ranked = best_units(pair, 3, count=9), best_units(pair, 3, method="rank")
    assert sorted(greedy.units) == sorted(ranked.units) == [0, 1, 2, 3]
    assert list(ranked.units) == np.argsort(-single).tolist()
    assert ranked.effects[0] == pytest.approx(single.max())
    assert abs(greedy.effects[0] - 1) == pytest.approx(np.abs(single - 1).min())
    assert greedy.effects[-1] == pytest.approx(ranked.effects[-1])
    assert greedy.effects[-1] == pytest.approx(set_effect(pair, (3,), tensors=("c",)))
    assert greedy.needed(-9) == 1 and greedy.needed(1e9) is None
    with pytest.raises(PlaygroundError, match="There is no step 9"):
        best_units(pair, 9)
    with pytest.raises(PlaygroundError, match="choose greedy or rank"):
        best_units(pair, 3, method="best")


REFUSED = [
    (dict(x_a=some(8, 2).double()), "pass two sequences of one length"),
    (dict(x_b=some(9, 3).double()), r"x has shape \(9, 3\)"),
    (dict(tensor="z"), "nothing called 'z' to patch: choose one of c, h, i, f, g, o"),
    (dict(direction=1), "There is no direction 1: choose one of 0 to 0"),
    (dict(output=2), "There is no output 2"),
    (dict(step=9), "There is no step 9"),
    (dict(x_a=twins()[1]), "Both runs have the same prediction"),
    (dict(spread=1e4), "differ by less than 5\u202f% of their spread"),
]


@pytest.mark.parametrize(("change", "sentence"), REFUSED)
def test_what_does_not_fit_is_refused_in_one_sentence(change, sentence):
    (lstm, head), (a, b) = modules(), twins()
    arguments = {"lstm": lstm, "head": head, "x_a": a, "x_b": b} | change
    with pytest.raises(PlaygroundError, match=sentence) as caught:
        patch_effects(**arguments)
    assert str(caught.value).endswith(".")


def test_of_embedded_reber_one_unit_carries_the_answer():
    run = shipped_runs("embedded_reber")["lstm"]
    model, windows = run.current_model(), run.windows
    x = windows.inputs(windows.starts["test"][:40])  # padded in front, as in training
    strings = decode_one_hot(x)
    deciding = x.shape[1] - (strings >= 0).sum(1) + 1
    t_and_p = [SYMBOLS.index(symbol) for symbol in "TP"]
    carried, units = [], []
    for b, step in zip(x, deciding, strict=True):
        a = b.copy()
        a[step, t_and_p] = b[step, t_and_p[::-1]]
        tensors = torch.from_numpy(a), torch.from_numpy(b)
        pair = run_pair(model.lstm, model.head, *tensors, tuple(t_and_p), x.shape[1] - 1)
        best = best_units(pair, (step + x.shape[1]) // 2, count=1)
        units, carried = [*units, best.units[0]], [*carried, best.effects[0]]
        assert set_effect(pair, (int(step),)) == pytest.approx(1, abs=1e-5)
        assert abs(set_effect(pair, (int(step) - 1,))) < 1e-12
    assert np.median(carried) >= 0.9
    assert np.bincount(units).max() >= 0.9 * len(units)  # the same one in nearly all strings
