"""A lesson to take along: as one HTML file that needs no network, and as a notebook that needs no LSTM Playground."""
