from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_core import machine
from lstm_core.experiment import CELLS, Experiment, ModelSpec, TrainSpec
from lstm_core.model import build_model
from tests.test_training import wave


def test_free_memory_is_a_plausible_number_of_bytes():
    assert 1_000_000 < machine.free_memory() < 1e15


def test_only_the_cores_that_this_process_may_use_are_counted(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 6}, raising=False)
    assert machine.cpu_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    assert machine.cpu_cores() == os.cpu_count()


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(CELLS), st.integers(1, 400), st.integers(1, 3), st.booleans(), st.integers(1, 40),
    st.integers(1, 100),
)  # fmt: skip
def test_one_thread_below_the_measured_work(cell, hidden, layers, both, batch, seq_len):
    windows = wave(rows=300, seq_len=seq_len, features=("a", "y"))
    model = ModelSpec(cell=cell, hidden_size=hidden, num_layers=layers, bidirectional=both)
    trainer = Experiment(windows.spec, model, TrainSpec(batch_size=batch))
    recurrent = build_model(model, 2, 1).recurrent
    weights = sum(p.numel() for name, p in recurrent.named_parameters() if name.startswith("weight"))
    work = weights * min(batch, len(windows.starts["train"])) * seq_len
    assert (machine.best_threads(windows, trainer) == 1) == (
        work < (machine.ONE_THREAD_BELOW if cell == "lstm" else machine.ONE_THREAD_BELOW_UNROLLED)
        or machine.cpu_cores() == 1
    )
