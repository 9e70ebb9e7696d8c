"""The LSTM in forty minutes: from one unit's arithmetic to what trained LSTMs remember, with questions in between."""

from __future__ import annotations

from lstm_core.lessons.talks.forty_minutes import memory, one_unit, tasks
from lstm_core.lessons.talks.moment import Talk

TALK = Talk("The LSTM in forty minutes", (*one_unit.MOMENTS, *memory.MOMENTS, *tasks.MOMENTS))
