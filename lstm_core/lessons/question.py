"""The question that a lesson opens with: which of its choices is right is measured on the runs, not written down."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from lstm_core.runs.run import Run


@dataclass(frozen=True)
class Choice:
    """One of the answers that are offered."""

    text: str  # Markdown
    fits: Callable[[Any], bool]  # whether the measured value is what the text states
    why: str  # Markdown: why one may think so; told afterwards, unless it is the right one


@dataclass(frozen=True)
class Measured:
    """What a question asks of these runs, and what was measured."""

    text: str  # Markdown: the question, with the runs' own numbers
    value: Any  # what the choices are checked against
    told: str  # Markdown: the measured number, for after the answer


@dataclass(frozen=True)
class AskedQuestion:
    """A question as it is put to somebody: of runs in which exactly one choice is right."""

    text: str
    choices: tuple[Choice, ...]
    right: int  # its index in choices
    told: str


@dataclass(frozen=True)
class Answer:
    """What somebody chose; asked is None if the question was skipped."""

    asked: AskedQuestion | None = None
    chosen: int = -1

    @property
    def is_right(self) -> bool:
        return self.asked is not None and self.chosen == self.asked.right


@dataclass(frozen=True)
class Question:
    """measure is run on a lesson's current runs, trained or not; it may raise PlaygroundError of changed ones."""

    measure: Callable[[dict[str, Run]], Measured]
    choices: tuple[Choice, ...]

    def ask(self, runs: dict[str, Run]) -> AskedQuestion | None:
        """None if no choice or more than one is right of these runs.

        Raises:
            PlaygroundError: the model was changed, and what is asked for cannot be measured.
        """
        measured = self.measure(runs)
        fitting = [k for k, choice in enumerate(self.choices) if choice.fits(measured.value)]
        if len(fitting) != 1:
            return None
        return AskedQuestion(measured.text, self.choices, fitting[0], measured.told)


def between(low: float, high: float = math.inf) -> Callable[[float], bool]:
    """Whether low ≤ value ≤ high: a Choice's `fits`. NaN is in no range."""
    return lambda value: bool(low <= value <= high)


def median_loss(run: Run, first: float, last: float) -> float:
    """The median training loss of the batches between two epochs; NaN if the run has none there."""
    epochs, losses = run.curves["train_loss"].points()
    chosen = losses[(epochs > first) & (epochs < last)]
    return float(np.median(chosen)) if len(chosen) else math.nan
