"""Three axes through the hidden states along real windows, so that resting states can be seen. Nothing here draws.

Principal components of h alone: on the 3-bit flip-flop three axes then show nearly all of the variance, where those of
(h, c) show three quarters of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_core.experiment import PlaygroundError

AXES = 3


@dataclass(frozen=True, eq=False)
class StateProjection:
    """The first principal components of some hidden states, the widest first; unused axes are zero."""

    mean: np.ndarray  # (h_size,)
    axes: np.ndarray  # (3, h_size), orthonormal as far as there are so many
    explained: np.ndarray  # (3,) share of the variance along each, in 0…1

    def __call__(self, h: np.ndarray) -> np.ndarray:
        """(…, h_size) hidden states → (…, 3) positions."""
        return (np.asarray(h, np.float64) - self.mean) @ self.axes.T


def project_states(h: np.ndarray) -> StateProjection:
    """The projection of hidden states (n, h_size), such as those of all steps of some windows.

    Each axis points where its largest entry is positive, so that the same states always give the same picture.

    Raises:
        PlaygroundError: fewer than two states, or values that are not finite.
    """
    h = np.asarray(h, np.float64)
    if h.ndim != 2 or len(h) < 2 or not np.isfinite(h).all():
        raise PlaygroundError(f"The hidden states have shape {h.shape}: give at least two rows of finite numbers.")
    mean = h.mean(axis=0)
    values, vectors = np.linalg.eigh((h - mean).T @ (h - mean) / len(h))
    count = min(AXES, h.shape[1])
    axes, explained = np.zeros((AXES, h.shape[1])), np.zeros(AXES)
    axes[:count] = vectors[:, ::-1][:, :count].T
    axes[:count] *= np.sign(axes[np.arange(count), np.abs(axes[:count]).argmax(axis=1)])[:, None]
    total = values.clip(0).sum()
    explained[:count] = values[::-1][:count].clip(0) / (total or 1.0)
    return StateProjection(mean, axes, explained)
