"""A lesson to take along: as one HTML file that needs no network, and as a notebook that needs no LSTM Playground."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lstm_core.lessons.lesson import Lesson
    from lstm_core.runs.run import Run

NOTEBOOKS = (  # lessons that outcomes.py can compute the figures of
    "first_lstm",
    "minibatches",
    "by_hand",
    "nn_lstm_1_1",
    "state_life",
    "vanishing",
    "exploding",
    "forget_bias",
    "parity",
    "adding_problem",
    "temporal_order",
    "embedded_reber",
    "continual_reber",
    "counting",
    "copy_memory",
    "characters",
)


def has_notebook(name: str) -> bool:
    """Whether there is a notebook for the lesson of this name. Asked before torch has loaded."""
    return name in NOTEBOOKS


def notebook_refusal(lesson: Lesson, runs: Mapping[str, Run]) -> str:
    """Why a notebook cannot train these runs, whose settings somebody has changed; "" if it can."""
    for label, run in runs.items():
        model, train = run.experiment.model, run.experiment.train
        start = lesson.experiments[label].train.initial_state
        if train.initial_state != start or train.refit or model.linear_skip:
            return f"The notebook needs initial_state {start}, no refit and no linear skip: change that back for one."
        if start == "stateful" and (train.patience or model.bidirectional):
            return "The notebook needs one direction and patience 0 to carry the state on: change that back for one."
        if model.frozen and train.weight_decay:
            return "The notebook cannot keep frozen parameters from weight decay: set weight_decay to 0 for one."
    return ""
