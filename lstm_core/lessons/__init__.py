"""The lessons on the shelf: `lessons()` gives all that `catalog/` lists, `get_lesson(name)` one of them."""

from __future__ import annotations

import dataclasses
import importlib
from functools import cache

from lstm_core.experiment import PlaygroundError
from lstm_core.lessons import catalog
from lstm_core.lessons.lesson import Lesson


@cache
def lessons() -> dict[str, Lesson]:
    """All lessons by name, in the order of the course: evening by evening, and in each as the catalog lists them."""
    modules = {name: importlib.import_module(f"{catalog.__name__}.{path}") for name, path in catalog.MODULES.items()}
    found = {name: dataclasses.replace(module.LESSON, name=name) for name, module in modules.items()}
    return dict(sorted(found.items(), key=lambda item: item[1].evening))


def next_lesson(name: str) -> Lesson | None:
    """The lesson that the course goes on with; None after the last."""
    names = list(lessons())
    following = names[names.index(name) + 1 :]
    return lessons()[following[0]] if following else None


def get_lesson(name: str) -> Lesson:
    """Raises PlaygroundError if there is no such lesson."""
    if name not in lessons():
        raise PlaygroundError("There is no lesson of that name: choose one of those below.")
    return lessons()[name]
