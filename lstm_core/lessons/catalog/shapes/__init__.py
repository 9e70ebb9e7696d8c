"""The shape of everything that nn.LSTM takes and returns, and the lab for any error."""

from lstm_core.lessons.catalog.shapes.lesson import LESSON as SHAPES

LESSONS = (SHAPES,)
