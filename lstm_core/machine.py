"""What this machine has, and how much of it one training should take."""

from __future__ import annotations

import os
import sys

import psutil

from lstm_core.experiment import Experiment
from lstm_core.windows import Windows

# Multiply-adds of one forward step below which one thread beats all of them (tests/benchmarks/engine.py). A rule
# and not a trial run: the same seed must give the same weights, and the thread count changes the rounding.
ONE_THREAD_BELOW = 8_000_000
# nn.GRU and nn.RNN: PyTorch unrolls their steps into kernels so small that two threads win 1.3 times at best, and
# beside another training lose 20 times and more, waiting for each other at every one.
ONE_THREAD_BELOW_UNROLLED = 500_000_000


def free_memory() -> int:
    """Bytes of main memory that are free at this moment."""
    return psutil.virtual_memory().available


def cpu_cores() -> int:
    """The cores that this process may use: in a container fewer than the machine has."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows do not tell
        return os.cpu_count() or 1


def work_in_one_thread() -> None:
    """Let this thread's PyTorch use one core, whether it is loaded already or not.

    For pages: they look at small models, whose steps are two to ten times as fast in one thread, and what they leave
    is there for the trainings, each of which says in its own thread how many it takes (best_threads).
    """
    torch = sys.modules.get("torch")
    if torch is not None:
        if (
            torch.get_num_threads() != 1
        ):  # asked first: a thread that only sets takes the last number of any other
            torch.set_num_threads(1)
    else:
        os.environ.setdefault("OMP_NUM_THREADS", "1")


def best_threads(windows: Windows, experiment: Experiment) -> int:
    """One CPU thread for small models, all cores for large ones."""
    model, train = experiment.model, experiment.train
    wider = model.h_size * model.num_directions
    inputs = windows.input_size + wider * (model.num_layers - 1)
    weights = model.gate_size * model.num_directions * (inputs + model.h_size * model.num_layers)
    batch = min(train.batch_size, len(windows.starts["train"]))
    work = weights * batch * windows.spec.seq_len
    small = ONE_THREAD_BELOW if model.cell == "lstm" else ONE_THREAD_BELOW_UNROLLED
    return 1 if work < small else cpu_cores()
