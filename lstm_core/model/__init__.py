"""What is trained: nn.LSTM, nn.GRU or nn.RNN with its output head, and where it runs."""
