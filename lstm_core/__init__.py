"""LSTM Playground's engine: data in, a trained and fully traced LSTM out. Knows nothing of Streamlit."""

import os

# Read once, when PyTorch loads. By default its threads wait for each other by spinning: on two cores that other
# processes use too, a step of 5 ms then takes 600 ms. On an idle machine it costs nothing (tests/benchmarks/engine.py).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
