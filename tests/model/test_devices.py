from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lstm_core.experiment import CELLS, Experiment, ModelSpec, TrainSpec
from lstm_core.model import devices
from lstm_core.model.recurrent import build_model
from lstm_core.training import threads
from tests.conftest import examples
from tests.factories import wave


def test_free_memory_is_a_plausible_number_of_bytes():
    assert 1_000_000 < devices.free_memory() < 1e15


def test_only_the_cores_that_this_process_may_use_are_counted(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 6}, raising=False)
    assert devices.cpu_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    assert devices.cpu_cores() == os.cpu_count()


@examples(20)
@given(
    st.sampled_from(CELLS),
    st.integers(1, 400),
    st.integers(1, 3),
    st.booleans(),
    st.integers(1, 40),
    st.integers(1, 100),
)
def test_one_thread_below_the_measured_work(cell, hidden, layers, both, batch, seq_len):
    windows = wave(rows=300, seq_len=seq_len, features=("a", "y"))
    model = ModelSpec(cell=cell, hidden_size=hidden, num_layers=layers, bidirectional=both)
    trainer = Experiment(windows.spec, model, TrainSpec(batch_size=batch))
    recurrent = build_model(model, 2, 1).recurrent
    weights = sum(p.numel() for name, p in recurrent.named_parameters() if name.startswith("weight"))
    work = weights * min(batch, len(windows.starts["train"])) * seq_len
    assert (threads.choose_thread_count(windows, trainer) == 1) == (
        work < (threads.SINGLE_THREAD_MAX_MACS if cell == "lstm" else threads.SINGLE_THREAD_MAX_MACS_UNROLLED)
        or devices.cpu_cores() == 1
    )


def test_a_page_works_in_one_thread_and_a_training_says_its_own():
    """In a process of its own, before PyTorch has loaded, when it takes the environment's word, and after."""
    code = """
import sys, threading
from lstm_core.model.devices import limit_to_one_thread
def training(): torch.get_num_threads(); torch.set_num_threads(2); ready.set(); done.wait(); told.append(torch.get_num_threads())
def page(): limit_to_one_thread(); told.append(torch.get_num_threads())
for loaded in (False, True):
    assert ("torch" in sys.modules) == loaded
    limit_to_one_thread()
    import torch
    told, ready, done = [torch.get_num_threads()], threading.Event(), threading.Event()
    one = threading.Thread(target=training); one.start(); ready.wait()
    other = threading.Thread(target=page); other.start(); other.join()
    done.set(); one.join()
    print(*told)
    torch.set_num_threads(2)
"""
    environment = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.splitlines() == ["1 1 2"] * 2
