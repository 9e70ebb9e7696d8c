"""A lesson to take along: as one HTML file that needs no network, and as a notebook that needs no LSTM Playground."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lstm_core.lessons.lesson import Lesson
    from lstm_core.runs.run import Run

NOTEBOOKS = (  # lessons that outcomes can compute the figures of
    "first_lstm",
    "minibatches",
    "by_hand",
    "nn_lstm_1_1",
    "state_life",
    "vanishing",
    "exploding",
    "forget_bias",
    "parity",
    "flip_flop",
    "adding_problem",
    "held_gates",
    "temporal_order",
    "embedded_reber",
    "continual_reber",
    "counting",
    "rollout",
    "copy_memory",
    "characters",
)
# Their outcomes take steps by themselves, on inputs (batch, seq_len, …)
_STEPWISE = ("state_life", "vanishing", "parity", "flip_flop", "rollout", "characters")


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
        if not model.batch_first and lesson.name in _STEPWISE:
            return "The notebook needs batch_first: switch it on again for one."
        if lesson.name == "flip_flop" and (
            model.num_layers > 1 or model.bidirectional or model.proj_size or not model.bias
        ):
            return "The notebook looks for resting states of one layer and direction, with bias and without proj_size."
        if model.frozen and train.weight_decay:
            return "The notebook cannot keep frozen parameters from weight decay: set weight_decay to 0 for one."
    return ""
