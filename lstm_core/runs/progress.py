"""Progress: the metric curves of a run in bounded memory, and its pace."""

from __future__ import annotations

import numpy as np

from lstm_core.training.history import MetricCurve

CURVES = ("train_loss", "valid_loss", "grad_norm")
PACE_SECONDS = 3.0  # the pace is that of the last few


class Progress:
    """What the records of a run tell. One thread appends; others may read at any time."""

    def __init__(self, curves: dict[str, tuple] | None = None) -> None:
        """curves: name → MetricCurve.lists, to go on with."""
        self.curves = {name: MetricCurve(*(curves or {}).get(name, ())) for name in CURVES}
        self._pace: list[tuple[float, int]] = []  # (Unix time, step), of the last few seconds

    def append(self, record: dict, steps_per_epoch: int) -> None:
        """Append the metrics of one of a trainer's records, by epoch."""
        for name, curve in self.curves.items():
            if record.get(name) is not None:
                curve.append(record["step"] / steps_per_epoch, record[name])

    def extend(self, records: np.ndarray, steps_per_epoch: int) -> None:
        """Append records.RECORDs, in order."""
        if not len(records):
            return
        epochs = records["step"] / steps_per_epoch
        for name, curve in self.curves.items():
            values = records[name].astype(np.float64)
            known = ~np.isnan(values)
            curve.extend(epochs[known], values[known])
        recent = records[records["time"] >= records["time"][-1] - PACE_SECONDS]
        thinned = recent[:: max(1, len(recent) // 8)]
        pace = [*self._pace, *zip(thinned["time"].tolist(), thinned["step"].tolist(), strict=True)]
        pace.append((float(records["time"][-1]), int(records["step"][-1])))
        self._pace = [one for one in pace if one[0] >= pace[-1][0] - PACE_SECONDS]

    def reset_pace(self) -> None:
        """Forget the pace, as before a pause."""
        self._pace = []

    @property
    def steps_per_second(self) -> float:
        """Over the last few seconds; 0.0 before it is known."""
        pace = self._pace
        if len(pace) < 2 or pace[-1][0] == pace[0][0]:
            return 0.0
        return (pace[-1][1] - pace[0][1]) / (pace[-1][0] - pace[0][0])

    def downsampled(self, max_points: int) -> dict[str, tuple[list[float], ...]]:
        """For a file: name → MetricCurve.lists, at most max_points of each curve."""
        return {name: curve.lists(max_points) for name, curve in self.curves.items()}
