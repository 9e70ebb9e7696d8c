"""Which loss of a trial counts, and after which epoch it is pruned."""

from __future__ import annotations

import math

import pytest

from lstm_core.runs.records import RecordWriter
from lstm_core.runs.sweeps.outcome import Curve, loss_of, pruned_at

GOOD = [(0.5, 0.4, 0.3, 0.2)] * 2 + [(0.6, 0.5, 0.4, 0.3)] + [(0.9, 0.8, 0.7, 0.6)] * 2  # medians 0.6, 0.5, 0.4, 0.3


@pytest.mark.parametrize(
    ("curve", "warmup", "epoch"),
    [
        ((0.7, 0.6, 0.5, 0.4), 0, 1),
        ((0.7, 0.6, 0.5, 0.4), 2, 3),
        ((0.7, 0.5, 0.5, 0.4), 1, 3),  # as good as the median is good enough
        ((0.2, 0.9, 0.9, 0.9), 0, None),  # its best counts, not its last
        ((0.6, 0.5, 0.4, 0.9), 0, None),  # at the end nothing is left to save
        ((), 0, None),
    ],
)
def test_a_trial_is_pruned_where_its_best_is_worse_than_the_median(curve, warmup, epoch):
    assert pruned_at(curve, GOOD, warmup, epochs=4) == epoch
    assert pruned_at(curve, GOOD[:4], warmup, epochs=4) is None


def test_a_trial_that_trained_on_is_pruned_at_the_same_epoch():
    slow = (0.9, 0.8, 0.1, 0.1)
    assert pruned_at(slow[:1], GOOD, 0, 4) == pruned_at(slow, GOOD, 0, 4) == 1


def test_one_that_stopped_early_counts_with_its_best_from_then_on():
    references = [(0.5, 0.3)] * 5
    assert pruned_at((0.4, 0.4, 0.35, 0.2, 0.1), references, 2, epochs=9) == 3


def test_the_loss_is_that_of_the_weights_it_ends_with():
    assert loss_of((0.5, 0.2, 0.4), patience=3, best=None) == 0.2
    assert loss_of((0.5, 0.2, 0.4), patience=0, best=0.2) == 0.4
    assert loss_of((0.5, 0.4), patience=3, best=0.1) == 0.1  # the untrained model is the best


def test_a_curve_grows_with_the_records_and_takes_a_kill(tmp_path):
    path = tmp_path / "records.bin"
    curve, writer = Curve(path), RecordWriter(path, 0)

    def append(step: int) -> None:
        valid = 1 / step if step % 2 == 0 else None
        writer.append({"step": step, "lr": 0.1, "train_loss": 1.0, "grad_norm": 1.0, "valid_loss": valid})
        writer.flush()

    assert curve.read(4) == []
    for step in range(1, 10):
        append(step)
    assert curve.read(4) == [1 / 4, 1 / 8]  # step 2 is in the middle of an epoch
    writer.close()
    writer = RecordWriter(path, 3)  # a worker that was killed goes on from its last state
    append(4)
    assert curve.read(4) == [1 / 4, 1 / 8]
    for step in range(5, 13):
        append(step)
    assert curve.read(4) == [1 / 4, 1 / 8, 1 / 12]
    writer.close()


def test_an_epoch_without_a_validation_split_has_no_loss(tmp_path):
    path = tmp_path / "records.bin"
    writer = RecordWriter(path, 0)
    writer.append({"step": 1, "lr": 0.1, "train_loss": 1.0, "grad_norm": 1.0, "valid_loss": None})
    writer.close()
    assert math.isnan(Curve(path).read(1)[0])
