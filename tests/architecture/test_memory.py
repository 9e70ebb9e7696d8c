"""Training memory: the estimate is near what was measured, and a refusal names the largest sizes that fit."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.architecture.memory import MEMORY_SHARE, check_memory, estimate_training_bytes, largest_batch
from lstm_core.data.number_format import format_bytes
from lstm_core.data.table import ColumnRoles, Table
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, PlaygroundError, TrainSpec
from tests.conftest import examples
from tests.factories import model_specs

sizes = st.integers(1, 5)


def experiment_of(model: ModelSpec, batch_size: int) -> Experiment:
    return Experiment(model=model, train=TrainSpec(batch_size=batch_size))


def windows_of(input_size: int, output_size: int, training_windows: int, seq_len: int) -> Windows:
    """Windows of these sizes; no value of them is read."""
    names = tuple(f"x{k}" for k in range(max(input_size, output_size)))
    numbers = np.broadcast_to(np.float32(0), (2 * seq_len + 12, len(names)))
    table = Table.from_columns("sizes", {name: numbers[:, k] for k, name in enumerate(names)}, ColumnRoles())
    spec = DataSpec(
        targets=names[:output_size],
        features=names[:input_size],
        seq_len=seq_len,
        train_share=0.95,
        valid_share=0.0,
        scaling="none",
    )
    starts = {"train": np.zeros(training_windows, np.int64)}
    return dataclasses.replace(make_windows(table, spec), starts=starts)


# Measured peaks in bytes (tests/benchmarks/memory.py, x86-64, torch 2.13)
MEASURED = [
    (ModelSpec(hidden_size=64), (8, 1, 256, 200), 209e6),
    (ModelSpec(hidden_size=64), (512, 1, 128, 200), 405e6),
    (ModelSpec(hidden_size=64, num_layers=2, bidirectional=True), (8, 1, 128, 200), 329e6),
    (ModelSpec(hidden_size=1000, num_layers=2, bidirectional=True), (8, 1, 4, 4), 580e6),
    (ModelSpec(hidden_size=32, head="per_step"), (4, 500, 64, 200), 207e6),
    (ModelSpec(cell="gru", hidden_size=64), (8, 1, 256, 200), 189e6),
    (ModelSpec(cell="gru", hidden_size=64, num_layers=3, dropout=0.3, bidirectional=True), (8, 1, 128, 200), 460e6),
    (ModelSpec(cell="gru", hidden_size=4), (2, 1, 1, 5000), 80e6),
    (ModelSpec(cell="rnn", hidden_size=64), (512, 1, 128, 200), 137e6),
    (ModelSpec(cell="rnn", hidden_size=128, num_layers=3, dropout=0.3, bidirectional=True), (8, 1, 128, 200), 488e6),
    (ModelSpec(cell="rnn", hidden_size=1500, num_layers=2), (8, 1, 4, 4), 175e6),
]


@pytest.mark.parametrize(("spec", "run", "measured"), MEASURED)
def test_the_memory_estimate_is_near_what_was_measured(spec, run, measured):
    assert estimate_training_bytes(spec, *run) == pytest.approx(measured, rel=0.3)


@examples(60)
@given(model_specs(), sizes, sizes, sizes, sizes)
def test_memory_grows_with_every_size(spec, input_size, output_size, batch_size, seq_len):
    size = estimate_training_bytes(spec, input_size, output_size, batch_size, seq_len)
    wider = dataclasses.replace(spec, hidden_size=spec.hidden_size + 1)
    deeper = dataclasses.replace(spec, num_layers=spec.num_layers + 1)
    assert estimate_training_bytes(wider, input_size, output_size, batch_size, seq_len) > size
    assert estimate_training_bytes(deeper, input_size, output_size, batch_size, seq_len) > size
    assert estimate_training_bytes(spec, input_size, output_size, batch_size + 1, seq_len) > size
    assert estimate_training_bytes(spec, input_size, output_size, batch_size, seq_len + 1) > size


@examples(100)
@given(
    model_specs(most_units=3000),
    st.integers(1, 500),
    st.integers(1, 3000),
    st.integers(1, 500),
    st.integers(100_000, 4_000_000_000),
)
def test_the_suggested_sizes_are_the_largest_that_fit(spec, input_size, batch_size, seq_len, free):
    def fits(hidden_size: int, batch: int) -> bool:
        sized = dataclasses.replace(spec, hidden_size=hidden_size)
        return estimate_training_bytes(sized, input_size, 1, batch, seq_len) <= MEMORY_SHARE * free

    training = (experiment_of(spec, batch_size), windows_of(input_size, 1, batch_size, seq_len), free)
    if fits(spec.hidden_size, batch_size):
        check_memory(*training)
        return
    with pytest.raises(PlaygroundError) as refused:
        check_memory(*training)
    suggested = {name: int(n) for name, n in re.findall(r"(batch_size|hidden_size) (\d+)", str(refused.value))}
    hidden, batch = suggested.get("hidden_size"), suggested.get("batch_size")
    if " and hidden_size" in str(refused.value):  # neither alone is enough
        assert fits(hidden, 1)
        assert not fits(hidden + 1, 1)
        assert not fits(spec.proj_size + 1, batch_size)
        return
    if batch:
        assert fits(spec.hidden_size, batch)
        assert not fits(spec.hidden_size, batch + 1)
    else:
        assert not fits(spec.hidden_size, 1)
    if hidden:
        assert hidden > spec.proj_size
        assert fits(hidden, batch_size)
        assert not fits(hidden + 1, batch_size)
    else:
        assert not fits(spec.proj_size + 1, batch_size)
    if not suggested:
        assert "shorten seq_len or take fewer layers" in str(refused.value)


def test_the_refusal_names_need_room_and_what_fits():
    spec = ModelSpec(hidden_size=2048, num_layers=2)
    with pytest.raises(PlaygroundError) as refused:
        check_memory(experiment_of(spec, 512), windows_of(8, 1, 512, 500), 14_000_000_000)
    match = re.fullmatch(
        r"This model would need about (\d+) GB to train and may take 8\.4 GB of the 14 GB that are free: "
        r"with batch_size (\d+) or hidden_size (\d+) it fits\.",
        str(refused.value),
    )
    assert match
    assert math.isclose(float(match[1]), estimate_training_bytes(spec, 8, 1, 512, 500) / 1e9, abs_tol=0.6)


def test_a_linear_skip_of_a_long_window_takes_memory_before_the_training():
    plain, skip = ModelSpec(hidden_size=4), ModelSpec(hidden_size=4, linear_skip=True)
    short, long = ([estimate_training_bytes(one, 2, 1, 1, steps) for one in (plain, skip)] for steps in (10, 1000))
    assert short[0] < short[1] < short[0] + 20_000
    assert long[1] > 5 * 8 * 2000**2 > long[0]


@pytest.mark.parametrize(("batch_size", "training_windows", "largest"), [(32, 500, 32), (32, 20, 20)])
def test_no_batch_is_larger_than_the_training_split(batch_size, training_windows, largest):
    windows = windows_of(1, 1, training_windows, 10)
    assert largest_batch(TrainSpec(batch_size=batch_size), windows) == largest


def test_memory_is_checked_for_the_largest_batch_that_there_will_be():
    model, few = ModelSpec(hidden_size=64), windows_of(2, 1, 10, 50)
    free = 1.01 * estimate_training_bytes(model, 2, 1, 10, 50) / MEMORY_SHARE
    check_memory(experiment_of(model, 1_000_000), few, int(free))
    with pytest.raises(PlaygroundError, match="with batch_size 10 or"):
        check_memory(
            experiment_of(model, 1_000_000), dataclasses.replace(few, starts={"train": np.zeros(11)}), int(free)
        )


@pytest.mark.parametrize(
    ("amount", "text"),
    [(31.4e9, "31 GB"), (8.4e9, "8.4 GB"), (250e6, "250 MB"), (1.24e6, "1.2 MB"), (4e3, "4 kB"), (30, "0 kB")],
)
def test_bytes_are_written_in_the_unit_that_fits(amount, text):
    assert format_bytes(amount) == text
