"""What tutorials claim, run and checked."""

from lstm_core.lessons.catalog.claims.lesson import LESSON as CLAIMS

LESSONS = (CLAIMS,)
