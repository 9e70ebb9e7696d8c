"""Scaling of columns, whose caller passes the training rows only, and filling of their gaps."""

from __future__ import annotations

import numpy as np

CONSTANT = 1e-10  # of a column's size: a deviation below it is rounding


def fit_scaler(values: np.ndarray, scaling: str) -> tuple[np.ndarray, np.ndarray]:
    """(center, scale), each (columns,) float64: scaled = (value − center) / scale. A constant column has scale 1.

    values: (rows, columns), NaN where missing. scaling: one of SCALINGS.
    """
    width = values.shape[1]
    if scaling == "none":
        return np.zeros(width), np.ones(width)
    with np.errstate(all="ignore"):
        if scaling == "minmax":
            center = np.nanmin(values, axis=0).astype(np.float64)
            scale = np.nanmax(values, axis=0) - center
        else:
            center = np.nanmean(values, axis=0, dtype=np.float64)
            scale = np.nanstd(values, axis=0, dtype=np.float64)
    # rounding around a constant is no signal and must not be scaled up to one
    is_constant = ~(scale > CONSTANT * np.maximum(np.abs(center), 1e-30))
    return np.nan_to_num(center), np.where(is_constant, 1.0, scale)


def forward_fill(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """values (rows, columns) with each NaN replaced by the last known value of the same sequence, where there is one.

    groups: (sequences + 1,): sequence k has the rows groups[k] … groups[k+1]−1. No later value is ever used.
    """
    is_missing = np.isnan(values)
    if not is_missing.any():
        return values
    group_start = np.repeat(groups[:-1], np.diff(groups))[:, None]
    last_known_row = np.where(is_missing, group_start, np.arange(len(values))[:, None])
    return np.take_along_axis(values, np.maximum.accumulate(last_known_row, axis=0), axis=0)
