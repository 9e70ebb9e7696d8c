"""What h and c are at the start of a window: zeros, random, or carried over."""

from lstm_core.lessons.catalog.state_carryover.lesson import LESSON as STATE_LIFE

LESSONS = (STATE_LIFE,)
