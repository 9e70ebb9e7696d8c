"""Numbers as a talk's texts have them, and questions of one view."""

from __future__ import annotations

from collections.abc import Callable

from lstm_core.data.number_format import minus_sign
from lstm_core.lessons.question import Choice, Measured, Question
from lstm_core.lessons.talks.moment import View


def short(value: float, digits: int = 2) -> str:
    """So many decimals, with a minus sign."""
    return minus_sign(f"{value:.{digits}f}")


def ask(measure: Callable[[View], tuple[str, float, str]], *choices: tuple[str, Callable[[float], bool]]) -> Question:
    """measure(view): (question, what was measured, answer); choices: (text, whether it fits the measured value)."""
    return Question(lambda view: Measured(*measure(view)), tuple(Choice(text, fits, "") for text, fits in choices))
