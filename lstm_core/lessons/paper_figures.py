"""What comes out here of a paper's rule, counted on the trials that ship with a lesson."""

from __future__ import annotations

from lstm_core.lessons.lesson import Lesson
from lstm_core.lessons.seeds import shipped_trials

HERE, DIFFERS = "Here", "What differs"


def card_parts(lesson: Lesson) -> dict[str, str]:
    """Heading → text of a lesson's card, with how many of its seeds pass the paper's rule and reach its own goal."""
    trials = shipped_trials(lesson.name)
    if not trials:
        return lesson.card.parts
    seeds = f"{len(trials)} seeds ({trials[0].seed} to {trials[-1].seed})"
    reached = f"{sum(one.reached for one in trials)} reach the lesson's goal."
    if any(one.passed is not None for one in trials):
        here = f"{sum(bool(one.passed) for one in trials)} of {seeds} pass the paper's rule, and {reached}"
    else:
        here = f"Of {seeds} {reached}"
    parts = lesson.card.parts
    differs = parts.pop(DIFFERS)
    return parts | {HERE: here, DIFFERS: differs}
