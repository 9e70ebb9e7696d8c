"""What the instruments of Understand cost: ledgers, integrated gradients and maps of patched cells.

    python -m tests.benchmarks.attribution [hidden_size [seq_len]]

One run each; seconds. The exact map is also timed at every 16th step, which a page can draw before all of it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import torch
from torch import nn

from lstm_core.analysis.attribution.integrated_gradients import integrated_gradients
from lstm_core.analysis.attribution.ledger import batch_contributions, contributions
from lstm_core.analysis.attribution.writes import writes
from lstm_core.analysis.patching.effects import exact_effects, first_order_effects
from lstm_core.analysis.patching.run_pair import run_pair
from lstm_core.analysis.patching.unit_sets import best_units

WINDOWS, INPUT_SIZE, STRIDE = 200, 8, 16


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(hidden_size: int, seq_len: int) -> None:
    generator = torch.Generator().manual_seed(0)
    lstm, head = nn.LSTM(INPUT_SIZE, hidden_size, batch_first=True), nn.Linear(hidden_size, 1)
    for parameter in (*lstm.parameters(), *head.parameters()):
        nn.init.uniform_(parameter, -(hidden_size**-0.5), hidden_size**-0.5, generator=generator)
    x = torch.randn(WINDOWS, seq_len, INPUT_SIZE, generator=generator)
    exact = run_pair(lstm, head, x[0], x[1])
    single = run_pair(lstm, head, x[0], x[1], dtype=torch.float32)
    steps = range(0, seq_len, STRIDE)
    rows = {
        "ledger of one window": lambda: contributions(lstm, head, x[0]),
        f"ledger of {WINDOWS} windows": lambda: batch_contributions(lstm, head, x),
        "when it was written": lambda: writes(lstm, head, x[0]),
        "integrated gradients": lambda: integrated_gradients(lstm, head, x[0]),
        "patching, first order, all cells": lambda: first_order_effects(exact),
        "eight best units of one step": lambda: best_units(exact, seq_len // 2),
        f"patching, exact, every {STRIDE}th step, float32": lambda: exact_effects(single, "c", steps),
        f"patching, exact, every {STRIDE}th step, float64": lambda: exact_effects(exact, "c", steps),
        "patching, exact, all cells, float32": lambda: exact_effects(single),
    }
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {hidden_size} units, {seq_len} steps")
    for name, work in rows.items():
        print(f"{name}: {seconds(work):.2f} s", flush=True)


if __name__ == "__main__":
    sizes = [int(argument) for argument in sys.argv[1:]]
    main(*(sizes + [128, 500][len(sizes) :]))
