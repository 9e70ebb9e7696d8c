"""The shape of everything that nn.LSTM takes and returns, and the lab for any error."""
