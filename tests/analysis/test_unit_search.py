"""units: scores against numpy's own, units planted by hand, and signals that make no sense."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.analysis import unit_search
from lstm_core.analysis.unit_search import SEARCHABLE, UnitMatch, rank_by_class, rank_by_correlation, trace_windows
from lstm_core.data.generators import generate
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, ModelSpec, PlaygroundError
from lstm_core.model.recurrent import build_model
from tests.conftest import examples


@pytest.fixture(scope="module")
def windows():
    spec = DataSpec(
        source="generator",
        name="adding_problem",
        length=40,
        seq_len=12,
        horizon=0,
        noise=0.0,
        targets=("target",),
        features=("value", "marker"),
        group="sequence",
        scaling="none",
    )
    return make_windows(generate(spec), spec)


def a_model(**fields):
    return build_model(ModelSpec(**({"hidden_size": 5} | fields)), 2, 1).eval()


def values_of(model, windows, starts, result: UnitMatch) -> np.ndarray:
    """(windows, seq_len) by one plain trace, in float64."""
    trace = trace_windows(model, windows, starts)
    return trace.gate(result.gate)[result.layer, result.direction, ..., result.unit].double().numpy()


def first_of(ranking: list[UnitMatch], gate: str) -> UnitMatch:
    return next(one for one in ranking if one.gate == gate)


SHAPES = [{}, {"num_layers": 2, "bidirectional": True}, {"proj_size": 3}, {"batch_first": False}, {"head": "per_step"}]


@pytest.mark.parametrize("fields", SHAPES, ids=str)
def test_the_scores_are_numpys_correlations(windows, fields):
    model, starts = a_model(**fields), windows.starts["train"]
    signal = windows.inputs(starts)[..., 0] + 100.0
    result = rank_by_correlation(model, windows, starts, signal)
    lstm = model.spec
    states = lstm.num_layers * lstm.num_directions
    assert len(result) == len(set(result)) == states * (5 * lstm.hidden_size + lstm.h_size)
    assert [abs(one.score) for one in result] == sorted((abs(one.score) for one in result), reverse=True)
    for one in result:
        values = values_of(model, windows, starts, one)
        assert one.score == pytest.approx(np.corrcoef(values.ravel(), signal.ravel())[0, 1], abs=1e-6)


@pytest.mark.parametrize("fields", SHAPES, ids=str)
def test_eta_squared_is_the_share_between_the_classes(windows, fields):
    model, starts = a_model(**fields), windows.starts["train"]
    classes = (windows.inputs(starts)[..., 0] * 3).astype(int) * 5  # 0, 5 and 10: gaps are no classes
    classes[:, :2] = -1
    for one in rank_by_class(model, windows, starts, classes):
        values = values_of(model, windows, starts, one)
        seen = classes >= 0
        between = sum(
            (classes == k).sum() * (values[classes == k].mean() - values[seen].mean()) ** 2 for k in (0, 5, 10)
        )
        total = ((values[seen] - values[seen].mean()) ** 2).sum()
        assert one.score == pytest.approx(between / total, abs=1e-6)


@examples(25)
@given(st.integers(0, 2**31 - 1), st.integers(1, 7))
def test_of_two_classes_eta_squared_is_r_squared_however_it_is_cut_into_chunks(windows, seed, chunk):
    rng, model, starts = np.random.default_rng(seed), a_model(seed=seed), windows.starts["train"][:9]
    signal = rng.integers(0, 2, (9, 12)).astype(float)
    signal[rng.random((9, 12)) < 0.2] = np.nan
    classes = np.where(np.isnan(signal), -1, signal)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unit_search, "CHUNK", chunk * 12 * 30)
        r = {(f.gate, f.unit): f.score for f in rank_by_correlation(model, windows, starts, signal)}
    eta = {(f.gate, f.unit): f.score for f in rank_by_class(model, windows, starts, classes)}
    assert eta == pytest.approx({index: score**2 for index, score in r.items()}, abs=1e-5)  # float32 in batches


def test_a_gate_that_opens_at_the_marker_and_the_cell_that_counts_are_found(windows):
    model, starts = a_model(), windows.starts["test"]
    with torch.no_grad():
        for parameter in model.lstm.parameters():
            parameter.zero_()
        hidden, planted = 5, 3
        model.lstm.weight_ih_l0[planted, 1] = 20.0  # i = σ(20 marker − 10)
        model.lstm.bias_ih_l0[planted] = -10.0
        model.lstm.bias_ih_l0[hidden + planted] = 20.0  # f = 1
        model.lstm.bias_ih_l0[2 * hidden + planted] = 0.5  # g = tanh ½: each marker adds as much
    marker = windows.inputs(starts)[..., 1]
    gate = rank_by_correlation(model, windows, starts, marker)[0]
    assert (gate.gate, gate.unit) == ("i", planted) and gate.score == pytest.approx(1)
    count = rank_by_correlation(model, windows, starts, -marker.cumsum(axis=1), kinds=("c", "h"))[0]
    assert (count.gate, count.unit) == ("c", planted) and count.score == pytest.approx(-1, abs=1e-6)
    kept = rank_by_class(model, windows, starts, marker.cumsum(axis=1).astype(int))
    assert first_of(kept, "c").unit == planted and kept[0].score == pytest.approx(1)
    assert count.values_in(trace_windows(model, windows, starts)).shape == marker.shape


def test_a_unit_that_holds_still_scores_nothing(windows):
    model, starts = a_model(frozen=("forget_gate",)), windows.starts["train"]
    result = rank_by_correlation(model, windows, starts, windows.inputs(starts)[..., 1])
    assert [one.score for one in result if one.gate == "f"] == [0.0] * 5


def test_a_signal_of_the_last_step_asks_what_is_known_at_the_end(windows):
    model, starts = a_model(), windows.starts["train"]
    signal = np.full((len(starts), 12), np.nan)
    signal[:, -1] = windows.targets(starts)[:, 0, 0]
    one = first_of(rank_by_correlation(model, windows, starts, signal), "h")
    at_end = values_of(model, windows, starts, one)[:, -1]
    assert one.score == pytest.approx(np.corrcoef(at_end, signal[:, -1])[0, 1], abs=1e-6)


@pytest.mark.parametrize(
    ("signal", "words"),
    [
        (np.zeros((28, 11)), "one value a step"),
        (np.ones((28, 12)), "the same at all steps"),
        (np.full((28, 12), np.nan), "the same at all steps"),
    ],
    ids=["shape", "constant", "nowhere"],
)
@pytest.mark.filterwarnings("error")
def test_signals_that_say_nothing_are_refused(windows, signal, words):
    with pytest.raises(PlaygroundError, match=words):
        rank_by_correlation(a_model(), windows, windows.starts["train"], signal)
    with pytest.raises(PlaygroundError, match=words):
        rank_by_class(a_model(), windows, windows.starts["train"], np.nan_to_num(signal, nan=-1))


def test_only_an_lstm_has_these_gates(windows):
    with pytest.raises(PlaygroundError, match="nn.GRU"):
        trace_windows(a_model(cell="gru"), windows, windows.starts["train"])
    assert SEARCHABLE == ("i", "f", "g", "o", "c", "h")
