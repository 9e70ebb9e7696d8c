"""How many CPU threads a training step uses."""

from __future__ import annotations

from lstm_core.data.windows import Windows
from lstm_core.experiment import Experiment
from lstm_core.model.devices import cpu_cores

# Multiply-adds of one forward step below which one thread beats all of them (tests/benchmarks/engine.py). A rule
# and not a trial run: the same seed must give the same weights, and the thread count changes the rounding.
SINGLE_THREAD_MAX_MACS = 8_000_000


# nn.GRU and nn.RNN: PyTorch unrolls their steps into kernels so small that two threads win 1.3 times at best, and
# beside another training lose 20 times and more, waiting for each other at every one.
SINGLE_THREAD_MAX_MACS_UNROLLED = 500_000_000


def choose_thread_count(windows: Windows, experiment: Experiment) -> int:
    """One CPU thread for small models, all cores for large ones."""
    model, train = experiment.model, experiment.train
    wider = model.h_size * model.num_directions
    inputs = windows.input_size + wider * (model.num_layers - 1)
    weights = model.gate_size * model.num_directions * (inputs + model.h_size * model.num_layers)
    batch = min(train.batch_size, len(windows.starts["train"]))
    work = weights * batch * windows.spec.seq_len
    small = SINGLE_THREAD_MAX_MACS if model.cell == "lstm" else SINGLE_THREAD_MAX_MACS_UNROLLED
    return 1 if work < small else cpu_cores()
