"""What an altered run costs beside the plain trace, and how long the table of gates takes.

    python -m tests.benchmarks.interventions [seconds per row]

A time is the lower quartile of its rounds, which other processes disturb less than the median.
"""

from __future__ import annotations

import sys

import numpy as np
import torch

from lstm_core.analysis.gate_importance import gate_importance, predict_with_interventions
from lstm_core.data.ingest.read import read_table
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, ModelSpec
from lstm_core.forecasting.predict import predict
from lstm_core.model.recurrent import build_model
from lstm_core.trace.gate_trace import trace_lstm
from lstm_core.trace.interventions import Intervention, trace_with
from tests.benchmarks.trace import lower_quartile, measure

WINDOWS = 256
SHAPES = (  # seq_len, hidden_size, num_layers, bidirectional
    (24, 32, 1, False),
    (200, 128, 1, False),
    (200, 128, 2, False),
    (200, 128, 2, True),
)


def prepared(seq_len: int, hidden_size: int, num_layers: int, bidirectional: bool):
    """A model and exactly WINDOWS validation windows."""
    row = np.arange(4000)
    lines = "\n".join(f"{np.sin(k / 9):.4f},{np.cos(k / 31):.4f}" for k in row)
    table = read_table(f"a,b\n{lines}".encode(), "waves.csv")
    windows = make_windows(table, DataSpec(targets=("a",), features=("a", "b"), seq_len=seq_len))
    spec = ModelSpec(hidden_size=hidden_size, num_layers=num_layers, bidirectional=bidirectional)
    model = build_model(spec, windows.input_size, windows.output_size).eval()
    return model, windows, windows.starts["valid"][:WINDOWS]


def main(seconds: float) -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(f"{device}, torch {torch.__version__}, {torch.get_num_threads()} threads; ms, {WINDOWS} windows")
    open_gate = [Intervention("clamp", "f", 1.0)]
    for seq_len, hidden_size, num_layers, bidirectional in SHAPES:
        model, windows, starts = prepared(seq_len, hidden_size, num_layers, bidirectional)
        model.to(device)
        lstm, late = (model.lstm, [Intervention("clamp", "f", 1.0, steps=range(seq_len - seq_len // 10, seq_len))])
        x = torch.from_numpy(windows.inputs(starts[:1])).to(device)
        ways = {
            "native": lambda lstm=lstm, x=x: lstm(x),
            "trace of 1 window": lambda lstm=lstm, x=x: trace_lstm(lstm, x),
            "edited": lambda lstm=lstm, x=x: trace_with(lstm, x, open_gate),
            "edited in the last tenth": lambda lstm=lstm, x=x, late=late: trace_with(lstm, x, late),
            "predict": lambda m=model, w=windows, s=starts: predict(m, w, s),
            "predict_with": lambda m=model, w=windows, s=starts: predict_with_interventions(m, w, s, open_gate),
            "gate_importance": lambda m=model, w=windows, s=starts: gate_importance(m, w, s),
        }
        with torch.no_grad():
            times = measure(ways, device, seconds)
        print(f"\nseq_len {seq_len}, hidden {hidden_size}, layers {num_layers}, bidirectional {bidirectional}")
        print("  ".join(f"{name} {lower_quartile(values):.1f}" for name, values in times.items()))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0)
