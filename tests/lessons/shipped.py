"""The lessons' trained runs, loaded once a process, with what was computed of them: for tests that change nothing."""

from __future__ import annotations

from functools import cache

from lstm_core.lessons import get_lesson
from lstm_core.lessons.runs import pretrained_runs
from lstm_core.runs.run import Run


@cache
def shipped_runs(name: str) -> dict[str, Run]:
    """As the lesson ships; {} of one that trains nothing."""
    lesson = get_lesson(name)
    return pretrained_runs(lesson) if lesson.experiments else {}
