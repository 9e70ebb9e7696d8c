"""A lesson to take along: as one HTML file that needs no network, and as a notebook that needs no LSTM Playground."""

from __future__ import annotations

NOTEBOOKS = (  # lessons that outcomes.py can compute the figures of
    "first_lstm",
    "minibatches",
    "by_hand",
    "nn_lstm_1_1",
    "vanishing",
    "exploding",
    "forget_bias",
    "adding_problem",
    "temporal_order",
    "embedded_reber",
    "continual_reber",
    "copy_memory",
)


def has_notebook(name: str) -> bool:
    """Whether there is a notebook for the lesson of this name. Asked before torch has loaded."""
    return name in NOTEBOOKS
