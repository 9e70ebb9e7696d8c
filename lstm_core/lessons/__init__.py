"""The lessons on the shelf: `lessons()` finds every one in `catalog/`, `get_lesson(name)` one of them.

A file of `catalog/` defines LESSON; a folder's `__init__` names its LESSONS.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from functools import cache

from lstm_core.experiment import PlaygroundError
from lstm_core.lessons import catalog
from lstm_core.lessons.lesson import CHAPTERS, Lesson


@cache
def lessons() -> dict[str, Lesson]:
    """All lessons by name, in the gallery's order."""
    all_lessons = []
    for entry in pkgutil.iter_modules(catalog.__path__):
        module = importlib.import_module(f"{catalog.__name__}.{entry.name}")
        for lesson in getattr(module, "LESSONS", ()) if entry.ispkg else (module.LESSON,):
            assert lesson.chapter in CHAPTERS, lesson.chapter
            all_lessons.append(dataclasses.replace(lesson, name=lesson.name or entry.name))
    return {lesson.name: lesson for lesson in sorted(all_lessons, key=lambda lesson: lesson.number)}


def get_lesson(name: str) -> Lesson:
    """Raises PlaygroundError if there is no such lesson."""
    if name not in lessons():
        raise PlaygroundError("There is no lesson of that name: choose one of those below.")
    return lessons()[name]
