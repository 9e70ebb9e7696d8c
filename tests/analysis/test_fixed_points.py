"""Fixed points: the map against nn.LSTM and autograd, trained flip-flops whose cube is known, and what is refused."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_core.analysis.fixed_points import find_fixed_points, measure_retention, project_states, saddle_connections
from lstm_core.analysis.fixed_points.search import MAX_Q, MAX_SLOW_Q, SAME, minimise
from lstm_core.analysis.fixed_points.step_map import StepMap
from lstm_core.experiment import ModelSpec, PlaygroundError
from lstm_core.model.recurrent import build_model
from lstm_core.trace.gate_trace import trace_lstm
from tests.analysis.trained import flip_flop_streams, load_fixture, train_flip_flop
from tests.conftest import examples

CUBE = {0: 8, 1: 12, 2: 6, 3: 1}  # unstable directions → points: corners, edges, faces and the middle of a cube


def an_lstm(hidden_size: int = 4, input_size: int = 2, seed: int = 0, gain: float = 1.0, **fields) -> nn.LSTM:
    generator = torch.Generator().manual_seed(seed)
    lstm = nn.LSTM(input_size, hidden_size, **fields).double()
    for parameter in lstm.parameters():
        nn.init.normal_(parameter, std=gain, generator=generator)
    return lstm


def states_of(step_map: StepMap, count: int = 5, seed: int = 0) -> torch.Tensor:
    size = step_map.h_size + step_map.hidden_size
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def flip_flop_states(model) -> np.ndarray:
    """(n, 32): h and c at every step of some streams."""
    x, _ = flip_flop_streams(64, 40, np.random.default_rng(1))
    trace = trace_lstm(model.lstm, model.to_module_layout(x))
    return torch.cat([trace.h, trace.c], dim=-1)[0, 0].flatten(0, 1).numpy()


@st.composite
def lstms(draw) -> nn.LSTM:
    hidden_size = draw(st.integers(1, 6))
    fields = {"proj_size": draw(st.integers(0, hidden_size - 1)), "bias": draw(st.booleans())}
    gain = draw(st.sampled_from([0.1, 1.0, 3.0]))
    return an_lstm(hidden_size, draw(st.integers(1, 3)), draw(st.integers(0, 99)), gain, **fields)


@given(lstms(), st.integers(0, 99))
@examples(60)
@torch.no_grad()
def test_one_step_is_nn_lstms(lstm, seed):
    x = np.random.default_rng(seed).normal(size=lstm.input_size)
    step_map = StepMap(lstm, x)
    states = states_of(step_map, seed=seed)
    h, c = (state[None].contiguous() for state in step_map.split(states))
    _, (h_n, c_n) = lstm(torch.from_numpy(x).expand(1, len(states), -1), (h, c))
    assert step_map(states).numpy() == pytest.approx(torch.cat([h_n[0], c_n[0]], dim=1).numpy(), abs=1e-12)


@given(lstms(), st.integers(0, 99))
@examples(60)
def test_the_jacobians_are_autograds(lstm, seed):
    step_map = StepMap(lstm)
    states = states_of(step_map, seed=seed)
    h = step_map.split(states)[0]
    for own, function, at in (
        (step_map.jacobian, step_map, states),
        (step_map.residual_jacobian, step_map.residual, h),
    ):
        expected = torch.autograd.functional.jacobian(lambda rows, f=function: f(rows).sum(0), at).transpose(0, 1)
        assert own(at).numpy() == pytest.approx(expected.numpy(), rel=1e-9, abs=1e-9)


@given(lstms(), st.integers(0, 99))
@examples(30)
def test_whatever_is_found_rests_and_is_found_once(lstm, seed):
    rng = np.random.default_rng(seed)
    x, step_map = rng.normal(size=lstm.input_size), None
    points, step_map = find_fixed_points(lstm, x, n_starts=64, seed=seed), StepMap(lstm, x)
    for point in points:
        state = torch.from_numpy(np.concatenate([point.h, point.c]))[None]
        assert point.q == pytest.approx(step_map.speed(state).item(), abs=1e-25)
        assert point.q < MAX_Q
        assert (step_map(state) - state).abs().max() < 2e-6
        assert point.stable == (np.abs(point.eigenvalues) < 1).all() == (point.n_unstable == 0)
        assert (point.time_constants > 0).all()
    states = [np.concatenate([point.h, point.c]) for point in points]
    assert all(np.abs(a - b).max() >= SAME for k, a in enumerate(states) for b in states[:k])
    assert [point.n_unstable for point in points] == sorted(point.n_unstable for point in points)


def test_a_state_near_a_stable_point_comes_back_as_slowly_as_its_time_constant_says():
    lstm = load_fixture("flip_flop").lstm
    point, step_map = find_fixed_points(lstm)[0], StepMap(lstm)
    assert point.stable
    at = torch.from_numpy(np.concatenate([point.h, point.c]))
    values, vectors = torch.linalg.eig(step_map.jacobian(at[None])[0])
    slowest = int(values.abs().argmax())
    assert values[slowest].imag == 0
    state, distances = (at + 1e-4 * vectors[:, slowest].real)[None], []
    for _ in range(6):
        distances.append((state - at).norm().item())
        state = step_map(state)
    shares = [after / before for before, after in pairwise(distances)]
    assert shares == pytest.approx([np.exp(-1 / point.time_constants[0])] * 5, rel=1e-3)


def test_the_trained_flip_flop_has_the_cubes_points():
    """Sussillo & Barak (2013): a stable point for each state of the three bits, and saddles between them."""
    model = load_fixture("flip_flop")
    points = find_fixed_points(model.lstm)
    assert Counter(point.n_unstable for point in points) == CUBE
    assert max(point.q for point in points) < MAX_Q
    assert {point.kind for point in points} == {"stable", "saddle"}
    corners = [point for point in points if point.stable]
    assert {bits_of(model, point) for point in corners} == {(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)}
    from_streams = find_fixed_points(model.lstm, starts=flip_flop_states(model), seed=3)
    assert [point.n_unstable for point in from_streams] == [point.n_unstable for point in points]
    assert np.allclose([point.h for point in from_streams], [point.h for point in points], atol=1e-6)


def bits_of(model, point) -> tuple[int, ...]:
    with torch.no_grad():
        return tuple((model.head(torch.from_numpy(point.h).float()) > 0).int().tolist())


def check_edges(model) -> None:
    """Each of the twelve edge saddles leads to two corners that differ in one bit, and they are the cube's edges."""
    points = find_fixed_points(model.lstm)
    assert Counter(point.n_unstable for point in points) == CUBE
    connections = saddle_connections(model.lstm, points)
    edges = [connection.ends for connection in connections if points[connection.saddle].n_unstable == 1]
    bits = [{bits_of(model, points[end]) for end in ends} for ends in edges]
    assert all(sum(a != b for a, b in zip(*pair, strict=True)) == 1 for pair in bits)
    assert len(edges) == len({frozenset(pair) for pair in bits}) == 12


def test_the_edge_saddles_connect_corners_that_differ_in_one_bit():
    check_edges(load_fixture("flip_flop"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
def test_other_flip_flops_have_the_same_cube(seed):
    check_edges(train_flip_flop(seed)[1])


def test_early_in_training_an_answer_is_right_and_its_memory_leaks():
    early, late = load_fixture("flip_flop_early"), load_fixture("flip_flop")
    stable = [sum(point.stable for point in find_fixed_points(model.lstm)) for model in (early, late)]
    assert stable[0] < stable[1] == 8
    x, y = flip_flop_streams(300, 30, np.random.default_rng(7))
    kept = []
    for model in (early, late):
        with torch.no_grad():
            assert (model(x).sign() == y).float().mean() > 0.99
        kept.append(measure_retention(model, x, is_class=False, silent_steps=(0, 100, 1000)))
    assert kept[0].silent_steps == (0, 100, 1000)
    assert kept[0].share[0] == kept[1].share[0] == 1
    assert kept[0].share[1] < 0.99
    assert 0.5 <= kept[1].forgotten < 0.6  # the more frequent sign
    assert kept[1].share.min() == 1


def test_slow_points_stand_apart_from_fixed_ones():
    lstm = load_fixture("flip_flop_early").lstm
    fixed, found = find_fixed_points(lstm), find_fixed_points(lstm, slow=True)
    slow = [point for point in found if point.is_slow]
    assert slow
    assert all(MAX_Q <= point.q < MAX_SLOW_Q and point.kind == "slow" and not point.stable for point in slow)
    assert [point.h.tolist() for point in found[: len(fixed)]] == [point.h.tolist() for point in fixed]
    assert found[len(fixed) :] == slow
    edge_count = len(saddle_connections(lstm, fixed))
    assert len(saddle_connections(lstm, found)) == edge_count


def test_the_constant_input_moves_the_points():
    model = load_fixture("flip_flop")
    points = find_fixed_points(model.lstm, np.array([1.0, 0.0, 0.0]))
    stable = [bits_of(model, point) for point in points if point.stable]
    assert stable
    assert {bits[0] for bits in stable} == {1}  # a pulse that stays on holds its own bit


def test_the_same_seed_finds_the_same_and_the_module_stays_as_it_was():
    model = load_fixture("flip_flop")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    a, b = (find_fixed_points(model.lstm, seed=4, n_starts=100) for _ in range(2))
    assert [point.h.tolist() for point in a] == [point.h.tolist() for point in b]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_forget_gate_that_is_always_open_leaves_nothing_to_find():
    lstm = an_lstm()
    with torch.no_grad():
        lstm.bias_ih_l0[4:8] = 1e4
    assert find_fixed_points(lstm, n_starts=32) == []
    assert saddle_connections(lstm, []) == []


def test_levenberg_marquardt_solves_where_newtons_step_fails():
    def residual(x):
        return torch.stack([x[:, 0] ** 2 - 2, 10 * (x[:, 1] - x[:, 0] ** 2)], dim=1)

    def jacobian(x):
        zero, one = torch.zeros(len(x), dtype=x.dtype), torch.ones(len(x), dtype=x.dtype)
        rows = [torch.stack([2 * x[:, 0], zero], 1), torch.stack([-20 * x[:, 0], 10 * one], 1)]
        return torch.stack(rows, dim=1)

    start = torch.tensor([[1e-3, 5.0], [3.0, -4.0], [-0.5, 0.0]], dtype=torch.float64)
    end = minimise(residual, jacobian, start)
    assert end.numpy() == pytest.approx(np.array([[2**0.5, 2], [2**0.5, 2], [-(2**0.5), 2]]))


@pytest.mark.parametrize(
    ("lstm", "arguments", "sentence"),
    [
        (nn.GRU(2, 3), {}, "need a torch.nn.LSTM, but this is a GRU"),
        (nn.LSTM(2, 3, bidirectional=True), {}, "find fixed points of a model with one direction"),
        (nn.LSTM(2, 3, num_layers=2), {}, "This LSTM has 2 layers"),
        (nn.LSTM(2, 3), {"x": np.zeros(3)}, "reads 2 numbers a step: give (2,)"),
        (nn.LSTM(2, 3), {"x": np.array([np.nan, 0])}, "not finite"),
        (nn.LSTM(2, 3), {"starts": np.zeros((4, 5))}, "rows? of 3 numbers, h, or of 6"),
        (nn.LSTM(2, 3), {"starts": np.full((4, 3), np.inf)}, "leave those rows out"),
        (nn.LSTM(2, 3), {"n_starts": 0}, "choose a whole number from 1"),
    ],
)
def test_what_does_not_fit_is_refused(lstm, arguments, sentence):
    pattern = sentence if "?" in sentence else re.escape(sentence)
    with pytest.raises(PlaygroundError, match=pattern):
        find_fixed_points(lstm, **arguments)


def test_starts_may_leave_c_out():
    model = load_fixture("flip_flop")
    points = find_fixed_points(model.lstm, starts=flip_flop_states(model)[:, :16])
    assert Counter(point.n_unstable for point in points) == CUBE


def test_retention_counts_classes_and_refuses_what_has_no_running_state():
    model, x = load_fixture("tomita5"), torch.eye(2)[torch.randint(0, 2, (20, 6))]
    kept = measure_retention(model, x, is_class=True, silent_steps=(0, 5), constant=[0.0, 0.0])
    share = kept.share
    assert share[0] == 1
    with torch.no_grad():
        assert kept.forgotten == pytest.approx(model(x)[:, -1].argmax(1).bincount().max().item() / 20)
        longer = model(torch.cat([x, torch.zeros(20, 5, 2)], dim=1))
    assert share[1] == (longer[:, -1].argmax(1) == longer[:, 5].argmax(1)).double().mean()
    for arguments, sentence in (
        ({"silent_steps": (3, 1)}, "must rise"),
        ({"silent_steps": ()}, "must rise"),
        ({"constant": np.zeros(3)}, r"give \(2,\)"),
    ):
        with pytest.raises(PlaygroundError, match=sentence):
            measure_retention(model, x, True, **arguments)
    both_ways = build_model(ModelSpec(hidden_size=3, bidirectional=True), 2, 1)
    with pytest.raises(PlaygroundError, match="bidirectional"):
        measure_retention(both_ways, x, False)


@given(st.integers(1, 6), st.integers(2, 40), st.integers(0, 99))
@examples(40)
def test_the_projection_is_principal_components(size, count, seed):
    h = np.random.default_rng(seed).normal(size=(count, size)) * np.arange(1, size + 1)
    projection = project_states(h)
    positions, axes = projection(h), min(3, size)
    variances = np.linalg.svd(h - h.mean(0), compute_uv=False) ** 2
    shares = np.pad(variances / variances.sum(), (0, 3))[:3]
    assert projection.explained == pytest.approx(shares * (np.arange(3) < size), abs=1e-9)
    assert positions.shape == (count, 3)
    assert projection.axes[:axes] @ projection.axes[:axes].T == pytest.approx(np.eye(axes), abs=1e-9)
    if size <= 3:  # nothing is lost
        assert positions @ projection.axes + projection.mean == pytest.approx(h)


def test_three_axes_show_the_flip_flops_cube():
    h = flip_flop_states(load_fixture("flip_flop"))[:, :16]
    assert project_states(h).explained.sum() > 0.9
    with pytest.raises(PlaygroundError, match="at least two rows"):
        project_states(h[:1])
