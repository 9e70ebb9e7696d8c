"""Scaling of columns; its caller passes the training rows only."""

from __future__ import annotations

import numpy as np


def fit_scaler(values: np.ndarray, scaling: str) -> tuple[np.ndarray, np.ndarray]:
    """(center, scale), each (columns,) float32: scaled = (value − center) / scale. A constant column has scale 1.

    values: (rows, columns), NaN where missing. scaling: one of SCALINGS.
    """
    width = values.shape[1]
    if scaling == "none":
        return np.zeros(width, np.float32), np.ones(width, np.float32)
    with np.errstate(all="ignore"):
        if scaling == "minmax":
            center = np.nanmin(values, axis=0)
            scale = np.nanmax(values, axis=0) - center
        else:
            center = np.nanmean(values, axis=0, dtype=np.float64)
            scale = np.nanstd(values, axis=0, dtype=np.float64)
    # float32 rounding around a constant is no signal and must not be scaled up to one
    is_constant = ~(scale > 1e-6 * np.maximum(np.abs(center), 1e-30))
    return np.nan_to_num(center).astype(np.float32), np.where(is_constant, 1.0, scale).astype(np.float32)
