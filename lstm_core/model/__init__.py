"""The model that is trained: nn.LSTM, nn.GRU or nn.RNN and its output head; initialisation, seeds and devices."""
