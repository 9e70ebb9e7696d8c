"""The talks that come with the app, by the names that their addresses have."""

from __future__ import annotations

from lstm_core.lessons.talks.forty_minutes import TALK
from lstm_core.lessons.talks.moment import Talk

TALKS: dict[str, Talk] = {"forty_minutes": TALK}
