"""Snapshots: few, evenly spread in log, the first and the newest always there, and never another run's weights."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.experiment import MAX_SNAPSHOTS, PlaygroundError
from lstm_core.training import snapshots
from lstm_core.training.checkpoint import load_checkpoint, resume_trainer, save_checkpoint
from lstm_core.training.loss import NonFiniteLossError
from lstm_core.training.snapshots import SPACING, Snapshot, SnapshotBuffer
from tests.factories import flat_weights, trainer_of, wave


def weights(value: float, numbers: int = 3) -> torch.Tensor:
    return torch.full((numbers,), float(value))


def along(steps: int, **settings) -> SnapshotBuffer:
    """What is kept of a run of so many steps, each snapshot's weights being its step."""
    kept = SnapshotBuffer(**settings)
    for step in range(steps + 1):
        if step >= kept.next_step:
            kept.append(Snapshot(step, weights(step)))
    return kept


@given(st.integers(0, 30_000))
def test_a_run_of_any_length_keeps_its_first_step_and_a_late_one(steps):
    kept = along(steps)
    assert kept.steps[0] == 0
    assert kept.steps[-1] >= steps / 1.06
    assert len(kept.steps) <= MAX_SNAPSHOTS
    assert kept.steps == sorted(set(kept.steps))
    assert len(kept.steps) >= min(steps + 1, 2 * SPACING)


@given(st.integers(3_000, 100_000))
def test_they_are_spread_evenly_on_a_log_scale(steps):
    logs = [math.log1p(step) for step in along(steps).steps]
    gaps = [b - a for a, b in pairwise(logs)]
    even = logs[-1] / (len(logs) - 1)
    late = [gap for gap, end in zip(gaps, logs[1:], strict=True) if end > math.log(30)]  # whole steps are coarse before
    assert max(late) < 2.2 * even


def test_many_numbers_mean_few_snapshots():
    kept = along(5_000, budget=12 * 5)
    assert len(kept.steps) == 5
    assert kept.steps[0] == 0
    assert len(along(5_000, budget=1).steps) == 2


def test_gradients_count_too():
    kept = SnapshotBuffer(budget=12 * 6)
    for step in range(100):
        kept.append(Snapshot(step, weights(step), weights(-step)))
    assert len(kept.steps) == 3


@given(st.integers(0, 2_000), st.integers(0, 3_000))
def test_the_nearest_is_the_nearest(steps, expected):
    kept = along(steps)
    result = kept.nearest(expected)
    assert abs(result.step - expected) == min(abs(step - expected) for step in kept.steps)
    assert torch.equal(result.weights, weights(result.step))


@given(st.integers(0, 500), st.integers(0, 600))
def test_what_went_wrong_is_forgotten_but_never_the_first(steps, wrong):
    kept = along(steps)
    before = kept.steps
    kept.drop_from(wrong)
    assert kept.steps == [0, *(step for step in before if 0 < step < wrong)]


@given(st.integers(0, 3_000), st.integers(0, 12 * MAX_SNAPSHOTS))
def test_a_file_holds_what_fits(steps, most_bytes):
    kept = along(steps)
    packed_steps, rows = kept.to_tensors(most_bytes)
    assert rows.nbytes <= most_bytes
    assert len(packed_steps) == len(rows)
    if most_bytes >= 12 * MAX_SNAPSHOTS:
        assert packed_steps.tolist() == kept.steps
    again = SnapshotBuffer.from_tensors(packed_steps, rows)
    assert again.steps == packed_steps.tolist()
    for step in again.steps:
        assert torch.equal(again.nearest(step).weights, weights(step))


def test_the_trainer_keeps_what_it_was_at_every_snapshot():
    trainer = trainer_of(wave(), epochs=30)
    seen = {0: flat_weights(trainer)}
    for record in trainer:
        seen[record["step"]] = flat_weights(trainer)
    steps = trainer.snapshots.steps
    assert steps[0] == 0
    assert len(steps) > 30
    for step in steps:
        assert torch.equal(trainer.snapshots.nearest(step).weights, seen[step])


def test_a_snapshots_gradients_are_those_that_made_the_step():
    trainer = trainer_of(wave(), optimizer="SGD", lr=0.1, momentum=0.0, max_grad_norm=0.0, epochs=1)
    assert trainer.snapshots.nearest(0).gradients is None
    before = flat_weights(trainer)
    next(trainer)
    made = trainer.snapshots.nearest(1)
    torch.testing.assert_close(before - 0.1 * made.gradients, made.weights)
    assert torch.equal(trainer.snapshot().gradients, made.gradients)


def test_flat_numbers_have_their_names_back():
    trainer = trainer_of(wave())
    next(trainer)
    named = trainer.unflatten(trainer.snapshots.nearest(1).weights)
    state = trainer.model.state_dict()
    assert named.keys() == state.keys()
    assert all(torch.equal(named[name], state[name]) for name in state)


def test_a_run_that_blows_up_keeps_no_broken_snapshot():
    trainer = trainer_of(wave(), optimizer="SGD", lr=1e6, max_grad_norm=0.0, epochs=50)
    with pytest.raises(NonFiniteLossError):
        list(trainer)
    for step in trainer.snapshots.steps:
        assert trainer.snapshots.nearest(step).weights.isfinite().all()


def test_a_saved_run_replays_and_its_snapshots_go_on():
    trainer = trainer_of(wave(), epochs=20)
    for _ in range(30):
        next(trainer)
    steps = trainer.snapshots.steps
    again = resume_trainer(load_checkpoint(save_checkpoint(trainer, {})), wave())
    assert again.snapshots.steps[: len(steps)] == steps
    for step in steps:
        assert torch.equal(again.snapshots.nearest(step).weights, trainer.snapshots.nearest(step).weights)
    list(again)
    assert again.snapshots.steps[-1] > 60


def test_a_model_too_large_for_snapshots_in_its_file_starts_them_anew():
    trainer = trainer_of(wave())
    for _ in range(7):
        next(trainer)
    again = resume_trainer(load_checkpoint(save_checkpoint(trainer, {}, snapshot_bytes=10)), wave())
    assert again.snapshots.steps == [7]
    assert torch.equal(again.snapshots.nearest(0).weights, flat_weights(trainer))


def test_a_file_whose_snapshots_are_out_of_order_is_refused(monkeypatch):
    trainer = trainer_of(wave())
    for _ in range(7):
        next(trainer)
    monkeypatch.setattr(
        snapshots.SnapshotBuffer,
        "to_tensors",
        lambda self, most: (torch.tensor([3, 2]), torch.zeros(2, len(flat_weights(trainer)))),
    )
    with pytest.raises(PlaygroundError, match="not in order"):
        load_checkpoint(save_checkpoint(trainer, {}))
