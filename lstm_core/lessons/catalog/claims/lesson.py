"""Claims checked: statements that tutorials make, each beside a demonstration that is run when it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.lessons.lesson import Lesson

if TYPE_CHECKING:
    from lstm_core.runs.run import Run


def _densities(runs: dict[str, Run]) -> list[np.ndarray]:
    """A histogram of real weights, the uniform density that they come from, and Xavier's."""
    from lstm_core.lessons.catalog.claims.demonstrations import initialisation

    bars, *densities = initialisation(0, 64).figure.data
    grid = np.asarray(bars.x)
    return [np.asarray(bars.y), *(np.interp(grid, line.x, line.y) for line in densities)]


LESSON = Lesson(
    title="Claims checked",
    summary="Claims of tutorials about nn.LSTM, checked against what it does.",
    chapter="Tutorials",
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
