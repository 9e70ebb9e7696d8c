"""Claims checked: statements that tutorials make, each beside a demonstration that is run when it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.lessons.lesson import Lesson
from lstm_core.lessons.question import Choice, Measured, Question, between

if TYPE_CHECKING:
    from lstm_core.runs.run import Run

SIZE = 8  # inputs and units of the question's LSTM


def _densities(runs: dict[str, Run]) -> list[np.ndarray]:
    """A histogram of real weights, the uniform density that they come from, and Xavier's."""
    from lstm_core.lessons.catalog.tutorials.claims.demonstrations import initialisation

    bars, *densities = initialisation(0, 64).figure.data
    grid = np.asarray(bars.x)
    return [np.asarray(bars.y), *(np.interp(grid, line.x, line.y) for line in densities)]


def _measure_parameters(runs: dict[str, Run]) -> Measured:
    from torch import nn

    count = sum(weight.numel() for weight in nn.LSTM(SIZE, SIZE).parameters())
    return Measured(
        f"How many parameters has `nn.LSTM({SIZE}, {SIZE})`?",
        count,
        f"PyTorch counts {count}: four gates, each with {SIZE}·{SIZE} weights for the input, as many for h, and two "
        f"biases for each of {SIZE} units.",
    )


LESSON = Lesson(
    title="Claims checked",
    summary="Claims of tutorials about nn.LSTM, checked against what it does.",
    chapter="Tutorials",
    evening=1,
    after=("shapes",),
    question=Question(
        _measure_parameters,
        (
            Choice("136", between(136, 136), "8·8 + 8·8 + 8: that is one gate of four, with one bias for each unit."),
            Choice("544", between(544, 544), "4·(8·8 + 8·8 + 8): what textbooks count, with one bias for each gate."),
            Choice("576", between(576, 576), "4·(8·8 + 8·8 + 2·8): PyTorch keeps two biases for each gate."),
        ),
    ),
    experiments={},
    widget="claims",
    thumbnail_plot=_densities,
    text="""
Each statement at the left stands, in these or other words, in tutorials that many people read. Some are wrong, some are
true with a condition that was left out.

Nothing here is quoted as proof. Each claim is **run**: PyTorch itself computes the numbers while you look, from the
seed and the size that you choose. Where a training is needed it waits for your click.

The habit is worth more than the list. A claim about a library is a few lines of code away from being checked: change
one number and see what moves, compare two tensors, count the parameters, train over several seeds.
""",
    sources=("PyTorch documentation, torch.nn.LSTM; each claim names its own section or paper",),
)
