"""One LSTM unit by hand, and the same with nn.LSTM(1, 1)."""
