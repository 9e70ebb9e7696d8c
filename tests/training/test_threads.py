"""The thread count of a run follows from the work of a step."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lstm_core.experiment import CELLS, Experiment, ModelSpec, TrainSpec
from lstm_core.model import devices
from lstm_core.model.recurrent import build_model
from lstm_core.training import threads
from tests.conftest import examples
from tests.factories import wave


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
