"""Streams: every row of a batch goes on where it was, and says so; drawn states come from the seed alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from lstm_core.architecture.shapes import state_shapes
from lstm_core.data.windows import make_windows
from lstm_core.experiment import CELLS, ModelSpec, PlaygroundError
from lstm_core.model.recurrent import build_model
from lstm_core.training import batches as batches_module
from lstm_core.training.batches import WindowTensors
from lstm_core.training.stateful import StatefulBatches, non_overlapping, random_initial_state, stateful_batches
from tests.conftest import examples
from tests.factories import cut_tables, series, spec_of

CPU = torch.device("cpu")


def by_hand(starts: list[int], seq_len: int) -> list[int]:
    """A window is taken unless it overlaps the last one taken of the same unbroken stretch."""
    taken, before, last = [], None, None
    for start in starts:
        if before is None or start != before + 1 or start == last + seq_len:
            taken.append(start)
            last = start
        before = start
    return taken


@given(st.sets(st.integers(0, 80)), st.integers(1, 9))
def test_of_each_stretch_every_seq_lenth_window_is_taken(starts, seq_len):
    starts = sorted(starts)
    result = non_overlapping(torch.tensor(starts, dtype=torch.int64), seq_len)
    assert result.tolist() == by_hand(starts, seq_len)


@examples(60)
@given(cut_tables(), st.integers(1, 5))
def test_rows_read_the_part_in_equal_shares_and_carry_on_only_where_they_left(case, rows):
    _, spec, windows = case
    starts = windows.starts["train"]
    apart = by_hand(starts.tolist(), spec.seq_len)
    assume(len(apart) >= rows)
    batches = WindowTensors(windows, CPU, per_step=False)
    streams = StatefulBatches(batches, torch.from_numpy(starts), rows)
    share = len(apart) // rows
    assert streams.steps == share
    want = np.array(apart[: share * rows]).reshape(rows, share)
    for index in range(share):
        picked = torch.from_numpy(want[:, index])
        x, expected = streams.batch(index)
        assert torch.equal(x, batches.inputs(picked))
        torch.testing.assert_close(expected, batches.targets(picked), rtol=0, atol=0, equal_nan=True)
        before = streams.initial_state(index)
        if index == 0:
            assert before is None
        else:
            follows = want[:, index] == want[:, index - 1] + spec.seq_len
            assert before[0][1, :, 0].tolist() == [float(index) * on for on in follows]
            assert before[1][1, :, 0].tolist() == [-float(index) * on for on in follows]
        streams.record_state((torch.full((2, rows, 3), index + 1.0), torch.full((2, rows, 4), -index - 1.0)))


def streams(rows: int = 3, length: int = 300, **more) -> StatefulBatches:
    windows = make_windows(series(length), spec_of(seq_len=5))
    return StatefulBatches(
        WindowTensors(windows, CPU, per_step=False), torch.from_numpy(windows.starts["train"]), rows, **more
    )


@pytest.mark.parametrize("gather", [1, 100, 10**9])
def test_how_much_is_gathered_at_once_changes_nothing(gather, monkeypatch):
    want = [streams().batch(index) for index in range(streams().steps)]
    monkeypatch.setattr(batches_module, "GATHER", gather)
    result = streams()
    for index, (x, expected) in enumerate(want):
        assert all(torch.equal(a, b) for a, b in zip(result.batch(index), (x, expected), strict=True))


def test_the_most_batches_are_the_first_of_every_row():
    some, all_of_them = streams(max_batches=4), streams()
    assert some.steps == 4 < all_of_them.steps
    for index in range(4):
        assert torch.equal(some.batch(index)[0], all_of_them.batch(index)[0])


def test_what_is_carried_has_no_past():
    result = streams()
    h, c = (torch.ones(1, 3, 2, requires_grad=True) * k for k in (2, 3))
    result.record_state((h, c))
    before = result.initial_state(1)
    assert [tensor.requires_grad for tensor in before] == [False, False]
    assert torch.equal(before[0], h) and torch.equal(before[1], c)


def test_a_state_of_one_tensor_stays_one_tensor():
    result = streams()
    result.record_state(torch.ones(1, 3, 2))
    assert isinstance(result.initial_state(1), torch.Tensor)
    assert set(result.state_dict(mid_epoch=True)) == {"carried/h"}
    assert result.state_dict(mid_epoch=False) == {}


@pytest.mark.parametrize("cell", CELLS)
def test_drawn_states_fit_the_cell_and_come_from_the_seed_alone(cell):
    spec = ModelSpec(cell=cell, hidden_size=20, num_layers=2)
    model = build_model(spec, 10, 1)
    drawn = random_initial_state(spec, 16, (7, 0, 3), CPU)
    torch.rand(3)  # nobody else's draws matter
    again, other = (random_initial_state(spec, 16, (7, 0, 3), CPU), random_initial_state(spec, 16, (7, 0, 4), CPU))
    first = drawn if isinstance(drawn, tuple) else (drawn,)
    assert [list(tensor.shape) for tensor in first] == list(state_shapes(spec, 16).values())
    for a, b, c in zip(first, *(s if isinstance(s, tuple) else (s,) for s in (again, other)), strict=True):
        assert torch.equal(a, b) and not torch.equal(a, c)
    predictions, after = model.forward_with_state(torch.zeros(16, 5, 10), drawn)
    assert predictions.shape == (16, 1)
    assert type(after) is type(drawn)


def test_they_are_standard_normal():
    h, c = random_initial_state(ModelSpec(hidden_size=100, num_layers=2), 200, (0,), CPU)
    for tensor in (h, c):
        assert abs(tensor.mean()) < 0.02 and abs(tensor.std() - 1) < 0.02
    assert abs((h * c).mean()) < 0.02


def test_what_cannot_be_carried_is_refused_in_one_sentence():
    windows = make_windows(series(100), spec_of(seq_len=10))
    batches, starts = WindowTensors(windows, CPU, per_step=False), torch.from_numpy(windows.starts["train"])
    there = len(non_overlapping(starts, 10))
    assert stateful_batches(batches, starts, ModelSpec(), there).steps == 1
    with pytest.raises(PlaygroundError, match=f"only {there} windows of seq_len 10 .* lower batch_size to {there} or"):
        stateful_batches(batches, starts, ModelSpec(), there + 1)
    with pytest.raises(PlaygroundError, match="the model is bidirectional"):
        stateful_batches(batches, starts, ModelSpec(bidirectional=True), 2)
