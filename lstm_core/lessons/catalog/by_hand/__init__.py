"""One LSTM unit by hand, and the same with nn.LSTM(1, 1)."""

from lstm_core.lessons.catalog.by_hand.lesson import LESSON as BY_HAND
from lstm_core.lessons.catalog.by_hand.nn_lstm import LESSON as NN_LSTM_1_1

LESSONS = (BY_HAND, NN_LSTM_1_1)
