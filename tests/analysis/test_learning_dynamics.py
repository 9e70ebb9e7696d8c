"""The replay of learning: every row of the picture is the trace of the weights that the run had then."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.analysis.learning_dynamics import settling_index, unit_history
from lstm_core.experiment import PlaygroundError
from lstm_core.runs.run import Run
from lstm_core.trace.gate_trace import trace_lstm
from tests.factories import trainer_of, wave


def run_of(steps: int = 30, model: dict | None = None) -> tuple[Run, torch.Tensor]:
    """A run that has made so many steps, and one of its windows."""
    trainer = trainer_of(wave(), model, epochs=20)
    for _ in range(steps):
        next(trainer)
    windows = trainer.windows
    return Run(trainer, None), torch.from_numpy(windows.inputs(windows.starts["valid"][:1]))


def test_every_row_is_the_trace_of_that_moment():
    run, x = run_of(model={"num_layers": 2, "bidirectional": True})
    steps = run.snapshots.steps
    result = unit_history(map(run.snapshot_at, steps), x, layer=1, direction=1, unit=2)
    for row, step in enumerate(steps):
        model = run.snapshot_at(step).model
        trace = trace_lstm(model.lstm, x)
        for name, values in result.items():
            assert np.array_equal(values[row], trace.gate(name)[1, 1, 0, :, 2].numpy()), (name, step)
    assert list(result) == ["i", "f", "g", "o", "c", "h"]
    assert not np.allclose(result["f"][0], result["f"][-1])


def test_the_last_row_may_be_now():
    run, x = run_of()
    now = unit_history([run.snapshot_at()], x, unit=0)["c"][0]
    assert np.array_equal(now, trace_lstm(run._mirror.current.model.eval().lstm, x).c[0, 0, 0, :, 0].detach().numpy())


def test_without_a_unit_it_is_their_mean():
    run, x = run_of(5)
    snapshot = run.snapshot_at()
    expected = trace_lstm(snapshot.model.lstm, x).f[0, 0, 0].mean(1).numpy()
    np.testing.assert_allclose(unit_history([snapshot], x)["f"][0], expected, atol=1e-7)


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_a_projection_has_fewer_units_of_h():
    run, x = run_of(3, {"hidden_size": 5, "proj_size": 2})
    assert "h" in unit_history([run.snapshot_at()], x, unit=1)
    assert "h" not in unit_history([run.snapshot_at()], x, unit=4)


@pytest.mark.parametrize("index", [{"layer": 1}, {"direction": 1}, {"unit": 99}, {"layer": -1}, {"unit": -1}])
def test_what_is_not_there_is_named(index):
    run, x = run_of(1)
    with pytest.raises(PlaygroundError, match="choose one that it has"):
        unit_history([run.snapshot_at()], x, **index)


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=30), st.floats(0.01, 0.9))
def test_settled_means_that_it_never_leaves_again(values, share):
    values = np.array(values, float)
    at = settling_index(values, share)
    far = np.abs(values - values[-1])
    assert (far[at:] <= share * far.max()).all()
    assert at == 0 or far[at - 1] > share * far.max()


def test_a_curve_that_settles():
    assert settling_index(np.array([[0.0, 0.0], [5.0, 5.0], [9.8, 9.9], [10.0, 10.0]])) == 2
    assert settling_index(np.full(5, 3.0)) == 0
