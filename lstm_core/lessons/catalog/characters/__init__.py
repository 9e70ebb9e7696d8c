"""A character model that writes."""

from lstm_core.lessons.catalog.characters.lesson import LESSON as CHARACTERS

LESSONS = (CHARACTERS,)
