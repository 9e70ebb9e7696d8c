"""How long it takes to find the places like a span, to score shorter windows, and to take units out.

    python -m tests.benchmarks.pattern_search

One row a question: times in seconds, of the search the median and the worst of QUERIES spans of 1 to 8 steps.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from lstm_core.analysis.memory_span import score_with_last_rows
from lstm_core.analysis.pattern_search import find_patterns, suggest_threshold, unit_pattern
from lstm_core.analysis.unit_removal import removal_sentence, remove_greedily
from lstm_core.lessons import lessons
from lstm_core.lessons.runs import pretrained_runs
from lstm_core.trace.gate_trace import GateTrace

SEQUENCES, STEPS = 200, 500
SIZES = (48, 128)  # units
QUERIES = 40


def synthetic_trace(units: int, seed: int) -> GateTrace:
    """Units that turn on and off, each at its own pace, as those of a trained net do."""
    rng = np.random.default_rng(seed)
    paces = np.exp(-1 / rng.uniform(2, 40, units)).astype(np.float32)
    c = np.empty((SEQUENCES, STEPS, units), np.float32)
    state = np.zeros((SEQUENCES, units), np.float32)
    for step in range(STEPS):
        noise = rng.normal(size=state.shape).astype(np.float32)
        state = paces * state + np.sqrt(1 - paces**2) * noise
        c[:, step] = state
    tensor = torch.from_numpy(c)[None, None]
    return GateTrace(*[tensor] * 6, tensor[0, 0], tensor[0, :, :, -1], tensor[0, :, :, -1])


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = call()
    return time.perf_counter() - began, result


def search_rows() -> None:
    for units in SIZES:
        trace, rng = synthetic_trace(units, seed=1), np.random.default_rng(2)
        times, counts = [], []
        for _ in range(QUERIES):
            t0, sequence = int(rng.integers(STEPS - 8)), int(rng.integers(SEQUENCES))
            span = (sequence, t0, t0 + int(rng.integers(0, 8)))

            def search(trace: GateTrace = trace, span: tuple[int, int, int] = span) -> int:
                threshold = suggest_threshold(trace, *span)
                find_patterns(trace, *span, threshold=threshold)
                return len(unit_pattern(trace, *span, threshold=threshold).units)

            taken, count = seconds(search)
            times.append(taken)
            counts.append(count)
        print(
            f"search, {units} units × {STEPS} steps × {SEQUENCES} sequences: median {statistics.median(times):.3f}, "
            f"worst {max(times):.3f} (patterns of {min(counts)} to {max(counts)} units)"
        )


def lesson_rows() -> None:
    for name in ("adding_problem", "temporal_order"):
        run = pretrained_runs(lessons()[name])["lstm"]
        model, windows = run.current_model(), run.windows
        starts = windows.starts[windows.last_split]
        taken, span = seconds(lambda m=model, w=windows, s=starts: score_with_last_rows(m, w, s))
        size = f"{name}, {model.spec.hidden_size} units × {windows.spec.seq_len} steps"
        print(f"shorter windows, {size}, {len(span.rows)} lengths × {span.windows} windows: {taken:.2f}")
        taken, removal = seconds(lambda m=model, w=windows, s=starts: remove_greedily(m, w, s))
        print(f"removal, {size} × {removal.windows} windows: {taken:.2f}. {removal_sentence(removal)}")


def main() -> None:
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, 1 thread; seconds")
    search_rows()
    lesson_rows()


if __name__ == "__main__":
    main()
