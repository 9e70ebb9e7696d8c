"""The figures of each lesson's outcome from nothing but torch and NumPy: a notebook has the very source of these.

Each takes the trained models by their labels in the lesson, with what a notebook keeps of them (see notebook.py), and
returns what the lesson's own outcome has as metrics; tests hold the two side by side.
"""

from lstm_core.lessons.take_along.outcomes.flip_flop import flip_flop_outcome
from lstm_core.lessons.take_along.outcomes.memory import (
    exploding_outcome,
    forget_bias_outcome,
    held_gates_outcome,
    parity_outcome,
    vanishing_outcome,
)
from lstm_core.lessons.take_along.outcomes.papers import (
    adding_problem_outcome,
    characters_outcome,
    continual_reber_outcome,
    copy_memory_outcome,
    counting_outcome,
    embedded_reber_outcome,
    rollout_outcome,
    temporal_order_outcome,
)
from lstm_core.lessons.take_along.outcomes.tutorials import (
    by_hand_outcome,
    first_lstm_outcome,
    minibatches_outcome,
    nn_lstm_1_1_outcome,
    state_life_outcome,
)

__all__ = [
    "adding_problem_outcome",
    "by_hand_outcome",
    "characters_outcome",
    "continual_reber_outcome",
    "copy_memory_outcome",
    "counting_outcome",
    "embedded_reber_outcome",
    "exploding_outcome",
    "first_lstm_outcome",
    "flip_flop_outcome",
    "forget_bias_outcome",
    "held_gates_outcome",
    "minibatches_outcome",
    "nn_lstm_1_1_outcome",
    "parity_outcome",
    "rollout_outcome",
    "state_life_outcome",
    "temporal_order_outcome",
    "vanishing_outcome",
]
