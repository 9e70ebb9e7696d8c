"""What a model reads of each row: the features themselves, what a start leaves of a target, and values known ahead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_core.data.forecast_target import ForecastTarget
from lstm_core.data.start import rows_ahead
from lstm_core.data.transforms import fit_scaler
from lstm_core.experiment import DataSpec, PlaygroundError

MAX_AHEAD = 24  # rows of a feature known ahead that are read: of a longer horizon so many, evenly spread


@dataclass(frozen=True, eq=False)
class ModelInputs:
    """x: (rows, input_size) float64, unscaled, NaN where a row lacks one; names and has_own_zero, (input_size,): of
    errors and changes, whose 0 means something and is kept."""

    x: np.ndarray
    names: tuple[str, ...]
    has_own_zero: np.ndarray

    def scaler(self, is_train: np.ndarray, scaling: str) -> tuple[np.ndarray, np.ndarray]:
        """(center, scale), (input_size,) each, fitted on the training rows."""
        rows = self.x[is_train]
        center, scale = fit_scaler(rows, scaling)
        if not self.has_own_zero.any():
            return center, scale
        deviation = fit_scaler(rows, "standard")[1]
        return np.where(self.has_own_zero, 0.0, center), np.where(self.has_own_zero, deviation, scale)


def model_inputs(
    features: np.ndarray,
    names: tuple[str, ...],
    known_ahead: frozenset[str],
    spec: DataSpec,
    target: ForecastTarget | None,
    groups: np.ndarray,
    offsets: np.ndarray,
) -> ModelInputs:
    """features: (rows, features) of these names; known_ahead: those read at the targets' time; groups: (sequences + 1,)
    row bounds; offsets: (output_steps,), how many rows after a row its targets lie.

    Raises:
        PlaygroundError: a target is said to be known ahead.
    """
    both = sorted(known_ahead & set(spec.targets))
    if both:
        raise PlaygroundError(f"Column {both[0]!r} is predicted, so it is not known ahead: take it out of one of them.")
    if target is None and not known_ahead & set(names):
        return ModelInputs(features, names, np.zeros(len(names), bool))
    columns: dict[str, np.ndarray] = {}
    own_zero: list[bool] = []
    for k, name in enumerate(names):
        if name in known_ahead:
            ahead = read_ahead(offsets).tolist()
            titles = [f"{name}, {offset} row{'s' * (offset != 1)} ahead" for offset in ahead]
            values = [rows_ahead(features[:, k], groups, offset) for offset in ahead]
            new = dict(zip(titles, values, strict=True))
        elif target is not None and name in spec.targets:
            derived = target.inputs(spec.targets.index(name), groups, spec.seq_len)
            is_clear = len(spec.targets) == 1 and not set(derived) & set(names)
            new = {what if is_clear else f"{name}: {what}": values for what, values in derived.items()}
        else:
            new = {name: features[:, k]}
        columns |= new
        own_zero += [name in spec.targets and target is not None] * len(new)
    return ModelInputs(np.stack(list(columns.values()), axis=1), tuple(columns), np.array(own_zero))


def read_ahead(offsets: np.ndarray) -> np.ndarray:
    return offsets[np.unique(np.linspace(0, len(offsets) - 1, min(len(offsets), MAX_AHEAD)).round().astype(int))]
