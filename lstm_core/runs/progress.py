"""Progress: the metric curves of a run in bounded memory, and its pace."""

from __future__ import annotations

import time
from collections import deque

from lstm_core.training.history import MetricCurve

CURVES = ("train_loss", "valid_loss", "grad_norm")
PACE_INTERVAL = 0.1  # seconds between two measurements of the pace at least


class Progress:
    """What a trainer's records tell about a run. One thread appends; others may read at any time."""

    def __init__(self, curves: dict[str, tuple] | None = None) -> None:
        """curves: name → MetricCurve.lists, to go on with."""
        self.curves = {name: MetricCurve(*(curves or {}).get(name, ())) for name in CURVES}
        self._pace: deque[tuple[float, int]] = deque(maxlen=32)  # (time.monotonic, step)

    def append(self, record: dict, steps_per_epoch: int) -> bool:
        """Append the metrics of one record, by epoch; whether the pace was measured, a few times a second."""
        epoch = record["step"] / steps_per_epoch
        for name, curve in self.curves.items():
            if record.get(name) is not None:
                curve.append(epoch, record[name])
        now = time.monotonic()
        if self._pace and now - self._pace[-1][0] <= PACE_INTERVAL:
            return False
        self._pace.append((now, record["step"]))
        return True

    def reset_pace(self) -> None:
        """Forget the pace, as before a pause."""
        self._pace.clear()

    @property
    def steps_per_second(self) -> float:
        """Over the last few seconds; 0.0 before it is known."""
        pace = list(self._pace)
        if len(pace) < 2 or pace[-1][0] == pace[0][0]:
            return 0.0
        return (pace[-1][1] - pace[0][1]) / (pace[-1][0] - pace[0][0])

    def downsampled(self, max_points: int) -> dict[str, tuple[list[float], ...]]:
        """For a file: name → MetricCurve.lists, at most max_points of each curve."""
        return {name: curve.lists(max_points) for name, curve in self.curves.items()}
