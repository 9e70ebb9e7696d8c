"""Temporal order: c set to what the other first symbol leaves, in more and more units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lstm_core.analysis.gate_importance import predict_with_interventions
from lstm_core.analysis.unit_search import UnitMatch, trace_windows
from lstm_core.runs.run import Run
from lstm_core.trace.interventions import Intervention

WINDOWS = 256
BETWEEN = 4 / 11  # of a sequence: by then every first symbol has been read, and no second one


def exchange_first(run: Run, ranking: Sequence[UnitMatch]) -> tuple[np.ndarray, np.ndarray]:
    """How much of the new sequences is predicted with the other first letter, and with the other second one, when the
    first 0, 1, … units of the ranking have their c set once between the two symbols: (units + 1,) each."""
    windows, model = run.windows, run.current_model()
    starts = windows.starts["test"][:WINDOWS]
    units = [match.unit for match in ranking if match.gate == "c"]
    step, classes = round(BETWEEN * windows.spec.seq_len), windows.targets(starts)
    c = trace_windows(model, windows, starts).gate("c")[0, 0, :, step].numpy()  # (sequences, units)
    left = np.stack([c[classes // 2 == first].mean(axis=0) for first in (0, 1)])
    other = left[1 - classes // 2]  # what the other first symbol leaves, for each sequence
    predicted = []
    for count in range(len(units) + 1):
        chosen = units[:count]
        value = tuple((tuple(row),) for row in other[:, chosen].tolist())
        changes = [Intervention("clamp", "c", value, units=tuple(chosen), steps=(step,))] if chosen else []
        predicted.append(predict_with_interventions(model, windows, starts, changes).argmax(axis=1))
    turned = [np.array(predicted) // 2 != classes // 2, np.array(predicted) % 2 != classes % 2]
    return turned[0].mean(axis=1), turned[1].mean(axis=1)
