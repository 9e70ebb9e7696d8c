"""The Reber grammars: one symbol remembered, and the stream that needs forget gates."""

from lstm_core.lessons.catalog.reber.continual import LESSON as CONTINUAL_REBER
from lstm_core.lessons.catalog.reber.embedded import LESSON as EMBEDDED_REBER

LESSONS = (CONTINUAL_REBER, EMBEDDED_REBER)
