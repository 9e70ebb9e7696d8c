"""What comes out here of a paper's rule: counted on the trials that ship with a lesson, or as its card has it."""

from __future__ import annotations

from lstm_core.lessons.lesson import Lesson
from lstm_core.lessons.seeds import shipped_trials


def card_parts(lesson: Lesson) -> dict[str, str]:
    """The card's headings and texts, "Here" from the shipped trials where there are some."""
    parts, trials = lesson.card.parts, shipped_trials(lesson.name)
    if not trials:
        return parts
    seeds = f"{len(trials)} seeds ({trials[0].seed} to {trials[-1].seed})"
    reached = f"{sum(one.reached for one in trials)} reach the lesson's goal."
    if any(one.passed is not None for one in trials):
        here = f"{sum(bool(one.passed) for one in trials)} of {seeds} pass the paper's rule, and {reached}"
    else:
        here = f"Of {seeds} {reached}"
    return parts | {"Here": here}
